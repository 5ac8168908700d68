"""`evaluate`'s measurements and what is reckoned from them, without painting."""

from __future__ import annotations

import numpy as np

from sflowgan_tf.benchmarking.task import ALL, FRECHET, Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.benchmarking.workloads.records import OfRecords
from sflowgan_tf.evaluation.metrics.bootstrap import interval
from sflowgan_tf.evaluation.metrics.frechet import FrechetResampling
from sflowgan_tf.evaluation.metrics.kernel import KernelSums, kernel_distance
from sflowgan_tf.evaluation.networks import instruments
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import GROUPS
from sflowgan_tf.utils.errors import UserError

_SEQUENCES, _FRAMES, _FEATURES = 100, 30, 256  # of the sets between which distances are taken
_DRAWS, _SUBSETS = 200, 100  # as `evaluate` makes them


class Measurements(OfRecords):
    """One group of measurements, all or none, on the simulator's frames of a split."""

    def __init__(self, task: Task):
        """Builds the networks that measure."""
        super().__init__(task)
        self._reference = Reference(folder=self.folder, manifest=self.manifest, split="train")
        if not self.manifest.has_cg:
            raise UserError(f"--data {self.folder}: holds no simulator's frames to measure")
        groups = [group for group in GROUPS if task.form in (ALL, group)]
        networks = {"features": "hed", "inception": None, "i3d": None, "vgg": "hed"}
        self._instruments = instruments(self._reference, groups, judge=None, **networks)
        self.items = self._reference.frames

    def run(self) -> None:
        """Measures all frames."""
        for _ in self._instruments.measure(
            self._reference.clips(), lambda frame: frame["image_cg"].numpy()
        ):
            pass


class Distances(Workload):
    """A distance between two sets of 3,000 vectors of noise, with its interval."""

    def __init__(self, task: Task):
        """Draws the sets."""
        super().__init__(task)
        draw = np.random.default_rng(task.seed)
        shape = (_SEQUENCES, _FRAMES, 2, _FEATURES)
        self._units = [*draw.standard_normal(shape, np.float32)]
        self.items = _SEQUENCES * _FRAMES

    def run(self) -> None:
        """The distance and its bootstrap; of KID the spread over subsets too."""
        seed = self.task.seed
        if self.task.form == FRECHET:
            figure = FrechetResampling(self._units)
        else:
            figure = KernelSums(self._units)
            both = np.moveaxis(np.concatenate(self._units), 1, 0)
            kernel_distance(*both, subsets=_SUBSETS, seed=seed)
        interval(figure, range(_SEQUENCES), samples=_DRAWS, seed=seed)
