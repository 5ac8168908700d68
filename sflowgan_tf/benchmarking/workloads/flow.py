"""F, the dense optical flow, of pairs of consecutive frames of minicity."""

import numpy as np
import tensorflow as tf

from sflowgan_tf import minicity
from sflowgan_tf.benchmarking.operations import operations
from sflowgan_tf.benchmarking.task import OPENCV, WITH_GRADIENT, Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.data import flow as opencv
from sflowgan_tf.ops.flow import dense_flow


class Flow(Workload):
    """F of a batch of pairs: OpenCV's, the differentiable one, or the latter with its gradient."""

    def __init__(self, task: Task):
        """Draws the pairs."""
        super().__init__(task)
        streets = range(task.batch)
        pairs = [[*minicity.sequence(task.seed, street, 2, task.sides)] for street in streets]
        frames = ([pair[i].image_real for pair in pairs] for i in range(2))
        self._first, self._second = (np.stack(images) for images in frames)
        self._tensors = [tf.constant(images, tf.float32) for images in (self._first, self._second)]
        is_differentiated = task.form == WITH_GRADIENT
        self._function = tf.function(self._with_gradient if is_differentiated else self._forward)

    def _forward(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        return dense_flow(first, second, self.config.records.flow)

    def _with_gradient(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """The gradient of the mean absolute flow in both frames."""
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            loss = tf.reduce_mean(tf.abs(self._forward(first, second)))
        return tf.stack(tape.gradient(loss, [first, second]))

    def run(self) -> None:
        """The flow of the batch; it is waited for."""
        if self.task.form == OPENCV:
            for first, second in zip(self._first, self._second, strict=True):
                opencv.dense_flow(first, second, self.config.records.flow)
        else:
            self._function(*self._tensors).numpy()

    @property
    def operations(self) -> int | None:
        """Of one batch; OpenCV's are not counted."""
        if self.task.form == OPENCV:
            return None
        return operations(self._function.get_concrete_function(*self._tensors))

    @property
    def dtype(self) -> str:
        """The flow is float32 whatever the precision."""
        return "float32"
