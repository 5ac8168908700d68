import keras
import pytest

from sflowgan_tf.training.gan.learning_rate import ConstantThenLinear


@pytest.mark.parametrize(("step", "rate"), [(0, 2.0), (10, 2.0), (15, 1.0), (20, 0.0), (25, 0.0)])
def test_constant_then_linear_to_zero(step, rate):
    assert float(ConstantThenLinear(2.0, 10, 20)(step)) == pytest.approx(rate)


def test_all_constant_has_no_division_by_zero():
    assert float(ConstantThenLinear(2.0, 20, 20)(19)) == 2.0


def test_it_survives_serialization():
    schedule = ConstantThenLinear(2.0, 10, 20)
    copy = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert copy.get_config() == schedule.get_config()
