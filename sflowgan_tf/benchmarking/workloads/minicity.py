"""Frames of minicity, drawn."""

from itertools import count

import cv2

from sflowgan_tf import minicity
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads.base import Workload

_FRAMES = 8  # of a street


class Minicity(Workload):
    """The next street and eight frames of it, with all that is known of each, by one thread."""

    def __init__(self, task: Task):
        """Draws nothing yet."""
        super().__init__(task)
        cv2.setNumThreads(1)
        self._streets = count()
        self.items = _FRAMES

    def run(self) -> None:
        """Draws them; nothing is written."""
        for _ in minicity.sequence(self.task.seed, next(self._streets), _FRAMES, self.task.sides):
            pass
