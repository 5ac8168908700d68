"""Raw frames to records, and what their decoding alone costs."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from itertools import count

import cv2
import numpy as np

from sflowgan_tf import minicity
from sflowgan_tf.benchmarking.task import DECODING, TWO_PROCESSES, Task, sides
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.benchmarking.workloads.records import FRAMES, SEQUENCES, scratch
from sflowgan_tf.data.preparing.preparation import prepare
from sflowgan_tf.data.sources import find
from sflowgan_tf.training.assembly.datasets import record_settings

_TIMES = 4  # that each drawn street is there
_IN_A_SHARD = 8  # frames, so that two processes end at the same time


class Prepare(Workload):
    """Raw frames of minicity to records, each time into a new folder; or their decoding alone."""

    def __init__(self, task: Task):
        """Draws the raw frames; each street is there under four names, so that there are more."""
        super().__init__(task)
        self._root = scratch(task)
        raw = self._root / "raw"
        records = replace(
            self.config.records,
            validation_fraction=0,
            validation_sequences=[],
            frames_per_shard=_IN_A_SHARD,
        )
        drawn = {"sequences": SEQUENCES, "frames": FRAMES, "seed": task.seed}
        minicity.write(raw, size=sides(task.raw or task.size), progress=None, **drawn)
        for street in sorted(raw.glob("*-SEQS-*")):
            for time in range(1, _TIMES):
                number, _, weather = street.name.rpartition("-")
                twin = f"{number}{time}-{weather}"
                shutil.copytree(street, raw / twin, copy_function=os.link)
        self._source = find("minicity", raw, records.classes)
        self._settings = record_settings(records, self._source.table)
        self._outputs = map(str, count())
        self._output = self._root
        self.items = len(self._source.frames)

    def run(self) -> None:
        """Prepares all frames, or decodes all of their files."""
        if self.task.form == DECODING:
            for frame in self._source.frames:
                for file in frame.files:
                    cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
            return
        self._output = self._root / next(self._outputs)
        workers = 2 if self.task.form == TWO_PROCESSES else 1
        how = {"dataset": "minicity", "workers": workers, "skip_bad": False}
        prepare(self._source, self._output, self._settings, **how)

    @property
    def moved(self) -> int:
        """Bytes of the raw files and of the records."""
        return sum(
            file.stat().st_size
            for folder in (self._root / "raw", self._output)
            for file in folder.rglob("*")
            if file.is_file()
        )
