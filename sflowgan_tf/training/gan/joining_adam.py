"""Adam for networks of which a part is first trained in the middle of a training."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf


class JoiningAdam(keras.optimizers.Adam):
    """Adam that treats variables which join later as a fresh optimizer would.

    Adam's moments start at 0, so it divides them by 1 - beta^t after t updates. A variable whose
    gradient was 0 or left out during the first n updates still has moments of 0 then, while t has
    grown: its first steps would be up to sqrt((1 - beta_1)^2 / (1 - beta_2)) times the learning
    rate, 15 times with the defaults of `fit`. Here t counts from n for that variable. The learning
    rate's schedule follows all updates, and the saved state is that of Adam.

    Under loss scaling t lags behind n by the updates that were left out; a variable's steps are
    then smaller at first.

    A variable's update is one operation of TensorFlow, where Keras' Adam makes a dozen passes over
    it. What needs more than Adam's four numbers, such as weight decay, is not built.

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the gradients' mean.
        beta_2: decay of their squares' mean.
        accumulation: batches whose mean gradient makes one update.

    Source: Kingma and Ba, "Adam", ICLR 2015, sec. 3 (the correction of the bias).
    """

    def __init__(
        self,
        learning_rate: Any,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        accumulation: int = 1,
    ):
        steps = accumulation if accumulation > 1 else None
        super().__init__(
            learning_rate, beta_1=beta_1, beta_2=beta_2, gradient_accumulation_steps=steps
        )
        self._accumulation = accumulation
        self._earlier_updates: dict[int, int] = {}

    def join(self, variables: Iterable[keras.Variable], earlier_batches: int) -> None:
        """Says when variables are first trained; after `build`, before the first update.

        Args:
            variables: of those that the optimizer is built with.
            earlier_batches: how many the others have been trained on until then.
        """
        indices = map(self._get_variable_index, variables)
        earlier_updates = earlier_batches // self._accumulation
        self._earlier_updates |= dict.fromkeys(indices, earlier_updates)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's update, its bias corrected from the first one on."""
        index = self._get_variable_index(variable)
        updates = tf.cast(self.iterations + 1, tf.float32) - self._earlier_updates.get(index, 0)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=0.0,  # the correction is in the rate already
            beta2_power=0.0,
            lr=learning_rate * self._bias_correction(tf.maximum(updates, 1.0)),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _bias_correction(self, updates: tf.Tensor) -> tf.Tensor:
        """What Adam multiplies the learning rate by after so many updates of a variable."""
        return tf.sqrt(1 - self.beta_2**updates) / (1 - self.beta_1**updates)
