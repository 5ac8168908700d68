"""What reads and writes records: `prepare`, the batches of a training, `evaluate`'s instruments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from sflowgan_tf import minicity
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.data.preparing.preparation import prepare
from sflowgan_tf.data.sources import find
from sflowgan_tf.evaluation.networks import instruments
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import GROUPS
from sflowgan_tf.training import assembly
from sflowgan_tf.training.assembly.datasets import record_settings
from sflowgan_tf.utils.errors import UserError

_SEQUENCES, _FRAMES = 4, 4  # of the streets that are drawn


def _scratch(task: Task) -> Path:
    """A new folder beside the task's configuration, which goes with that one's."""
    return Path(tempfile.mkdtemp(dir=Path(task.config).parent))


class Prepare(Workload):
    """Raw frames of minicity to records, each time into a new folder, in one process."""

    def __init__(self, task: Task):
        """Draws the raw frames."""
        super().__init__(task)
        self._root = _scratch(task)
        raw, records = self._root / "raw", self.config.records
        drawn = {"sequences": _SEQUENCES, "frames": _FRAMES, "seed": task.seed}
        minicity.write(raw, size=task.sides, progress=None, **drawn)
        self._source = find("minicity", raw, records.classes)
        self._settings = record_settings(records, self._source.table)
        self._outputs = map(str, count())
        self._output = self._root
        self.items = _SEQUENCES * _FRAMES

    def run(self) -> None:
        """Prepares all frames."""
        self._output = self._root / next(self._outputs)
        how = {"dataset": "minicity", "workers": 1, "skip_bad": False}
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


class OfRecords(Workload):
    """Reads records: the task's, or those of streets that are drawn for it.

    Attributes:
        folder: of the records.
        manifest: theirs.
    """

    def __init__(self, task: Task):
        """Finds or makes them.

        Raises:
            UserError: there are none in the task's folder.
        """
        super().__init__(task)
        if task.data is not None:
            self.folder, self.manifest = Path(task.data), Manifest.load(Path(task.data))
            return
        self.folder = _scratch(task)
        config = replace(
            self.config,
            dataset="minicity",
            minicity=replace(
                self.config.minicity, sequences=_SEQUENCES, frames=_FRAMES, seed=task.seed
            ),
            records=replace(self.config.records, validation_fraction=0, validation_sequences=[]),
        )
        self.manifest = assembly.records(config, self.folder)


class Pipeline(OfRecords):
    """The batches of a training, one after the other through its epochs."""

    def __init__(self, task: Task):
        """Begins to read."""
        super().__init__(task)
        split = self.manifest.splits["train"]
        steps = split.batches(task.batch, pair=task.phase == "video")
        if not steps:
            raise UserError(f"--batches {task.batch}: the records hold fewer training frames")

        def batches() -> Iterator[dict[str, Any]]:
            for index in count():
                epoch = assembly.Epoch(index, task.phase, index * steps, steps)
                yield from assembly.batches(self.config, self.folder, self.manifest, epoch, 0)

        self._batches = batches()
        self._last: dict[str, Any] = {}

    def run(self) -> None:
        """Waits for the next batch."""
        self._last = next(self._batches)

    @property
    def moved(self) -> int:
        """Bytes of a batch."""
        return sum(tensor.numpy().nbytes for tensor in self._last.values())


class Evaluate(OfRecords):
    """`evaluate`'s measurements, without painting: on the simulator's frames, of a split."""

    def __init__(self, task: Task):
        """Builds the networks that measure."""
        super().__init__(task)
        self._reference = Reference(folder=self.folder, manifest=self.manifest, split="train")
        if not self.manifest.has_cg:
            raise UserError(f"--data {self.folder}: holds no simulator's frames to measure")
        networks = {"features": "hed", "inception": None, "i3d": None, "vgg": "hed"}
        self._instruments = instruments(self._reference, GROUPS, judge=None, **networks)
        self.items = self._reference.frames

    def run(self) -> None:
        """Measures all frames."""
        for _ in self._instruments.measure(
            self._reference.clips(), lambda frame: frame["image_cg"].numpy()
        ):
            pass
