"""Updates of a training with the batches of records, and how long they wait for these."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads.records import batches, of_task
from sflowgan_tf.benchmarking.workloads.step import Step


class Training(Step):
    """One update, the wait for its batch included."""

    def __init__(self, task: Task):
        """Builds fresh networks and begins to read.

        Raises:
            UserError: a network can't be made with these settings, or there are no such records.
        """
        super().__init__(task)
        folder, manifest = of_task(task, self.config)
        self._batches: Iterator[dict[str, Any]] = batches(task, self.config, folder, manifest)
        self._spent: list[tuple[float, float]] = []  # on waiting and in all, of each update

    def run(self) -> None:
        """Takes the next batch and makes an update with it; its loss is waited for."""
        begun = time.perf_counter()
        self.batch = next(self._batches)
        waited = time.perf_counter()
        super().run()
        self._spent.append((waited - begun, time.perf_counter() - begun))

    @property
    def waiting(self) -> float | None:
        """Of all updates but the first one, whose batch comes with a whole start of the reading."""
        waited, spent = (sum(parts) for parts in zip(*self._spent[1:], strict=True))
        return waited / spent
