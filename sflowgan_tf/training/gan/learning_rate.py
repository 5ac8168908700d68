"""The learning rate over a whole run."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate, then one that falls linearly to 0 (pix2pixHD).

    Args:
        learning_rate: of the constant part.
        constant_steps: its length in optimizer steps.
        total_steps: where 0 is reached, >= constant_steps.
    """

    def __init__(self, learning_rate: float, constant_steps: int, total_steps: int):
        super().__init__()
        self.learning_rate = learning_rate
        self.constant_steps = constant_steps
        self.total_steps = total_steps

    def __call__(self, step):
        """The rate at a step, scalar float32."""
        falling = max(self.total_steps - self.constant_steps, 1)
        passed = (ops.cast(step, "float32") - self.constant_steps) / falling
        return self.learning_rate * (1.0 - ops.clip(passed, 0.0, 1.0))

    def get_config(self):
        """The constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "constant_steps": self.constant_steps,
            "total_steps": self.total_steps,
        }
