"""An update of a training, as `fit` makes it."""

from typing import Any

import tensorflow as tf

from sflowgan_tf.benchmarking.operations import operations
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads import noise
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.training import assembly

_STEPS = 1_000_000  # of a training so long that its learning rate stays


class Step(Workload):
    """One update of all networks, on a batch that is in memory already."""

    def __init__(self, task: Task):
        """Builds fresh networks.

        Raises:
            UserError: a network can't be made with these settings.
        """
        super().__init__(task)
        epochs = assembly.sequence([(task.phase, _STEPS)])
        self.gan = assembly.gan(self.config, self.classes, epochs)
        phase: Any = task.phase
        self.gan.enter_phase(phase)
        frames = self.gan.frames_per_example
        shape = (task.batch,) if frames == 1 else (task.batch, frames)
        self.batch = noise.batch(task.sides, shape, self.classes.num_classes, task.seed)
        self._step = tf.function(
            self.gan.train_step, jit_compile=True if self.config.jit_compile else None
        )

    def run(self) -> None:
        """One update; its loss is waited for."""
        float(self._step(self.batch)["generator_loss"])

    @property
    def parameters(self) -> dict[str, int]:
        """Of the networks of a training; the moving average's are the generator's once more."""
        names = ("generator", "discriminator", "dned", "features")
        return {name: getattr(self.gan, name).count_params() for name in names}

    @property
    def operations(self) -> int:
        """Of one update."""
        return operations(self._step.get_concrete_function(self.batch))
