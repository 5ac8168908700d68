"""What reads records: the task's, or those of streets that are drawn for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training import assembly
from sflowgan_tf.utils.errors import UserError

SEQUENCES, FRAMES = 4, 4  # of the streets that are drawn


def scratch(task: Task) -> Path:
    """A new folder beside the task's configuration, which goes with that one's."""
    return Path(tempfile.mkdtemp(dir=Path(task.config).parent))


def of_task(task: Task, config: Config) -> tuple[Path, Manifest]:
    """The folder of a task's records, found or made, and their manifest.

    Raises:
        UserError: there are none in the task's folder.
    """
    if task.data is not None:
        return Path(task.data), Manifest.load(Path(task.data))
    folder = scratch(task)
    street = replace(config.minicity, sequences=SEQUENCES, frames=FRAMES, seed=task.seed)
    records = replace(config.records, validation_fraction=0, validation_sequences=[])
    drawn = replace(config, dataset="minicity", minicity=street, records=records)
    return folder, assembly.records(drawn, folder)


def batches(
    task: Task, config: Config, folder: Path, manifest: Manifest
) -> Iterator[dict[str, Any]]:
    """The batches of a training, one after the other through its epochs, without end.

    Raises:
        UserError: the records do not suffice for one.
    """
    steps = manifest.splits["train"].batches(task.batch, pair=task.phase == "video")
    if not steps:
        raise UserError(f"--batches {task.batch}: the records hold fewer training frames")
    return _batches(config, folder, manifest, task.phase, steps)


def _batches(
    config: Config, folder: Path, manifest: Manifest, phase: str, steps: int
) -> Iterator[dict[str, Any]]:
    for index in count():
        epoch = assembly.Epoch(index, phase, index * steps, steps)
        yield from assembly.batches(config, folder, manifest, epoch, 0)


class OfRecords(Workload):
    """Reads records.

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
        self.folder, self.manifest = of_task(task, self.config)
