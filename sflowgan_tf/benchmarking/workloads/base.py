"""What all workloads are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

from sflowgan_tf import config as settings
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.config import Config
from sflowgan_tf.ops.classes import ClassTable, table
from sflowgan_tf.training import assembly


class Workload(ABC):
    """A piece of work that can be done again and again.

    Attributes:
        task: what it is.
        config: its configuration, at the task's size and batch, with its seed.
        items: how many frames, or pairs of them, one run takes.
    """

    def __init__(self, task: Task):
        """Reads the configuration, and makes what is drawn from here on a function of its seed."""
        self.task, self.items = task, task.batch
        config = settings.read(Path(task.config))
        self.config: Config = replace(
            config,
            records=replace(config.records, size=task.size),
            pipeline=replace(config.pipeline, batch_size=task.batch, crop=None),
            seed=task.seed,
        )
        assembly.reproducible(task.seed, jit_compile=config.jit_compile)

    @property
    def classes(self) -> ClassTable:
        """Of the label maps that networks see."""
        return classes(self.task.classes)

    @abstractmethod
    def run(self) -> None:
        """Does the work once, to its end."""

    @property
    def parameters(self) -> dict[str, int]:
        """How many numbers each network has."""
        return {}

    @property
    def operations(self) -> int | None:
        """Floating-point operations of a run; None where they are not counted."""
        return None

    @property
    def moved(self) -> int | None:
        """Bytes that a run brings from one place to another; None where it is not about that."""
        return None

    @property
    def waiting(self) -> float | None:
        """The share of the time that was spent waiting for data; None where nothing waits."""
        return None

    @property
    def dtype(self) -> str:
        """Of the numbers that are multiplied."""
        return self.config.precision.removeprefix("mixed_")

    def figures(self) -> dict[str, Any]:
        """What there is to say beside seconds, for JSON."""
        return {
            "items": self.items,
            "precision": self.config.precision,
            "parameters": self.parameters,
            "operations": self.operations,
            "bytes": self.moved,
            "waiting": self.waiting,
        }


def classes(text: str) -> ClassTable:
    """A class table by its name, or one of so many classes that have no names of their own.

    Raises:
        UserError: there is no such table.
    """
    if not text.isdigit():
        return table(text)
    numbers = range(int(text))
    return ClassTable(
        name=text,
        names=tuple(map(str, numbers)),
        colors=tuple((n, n, n) for n in numbers),
        ids={n: n for n in numbers},
    )
