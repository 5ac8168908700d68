import keras
import numpy as np
import pytest

from sflowgan_tf.training.gan.joining_adam import JoiningAdam

BETAS = {"beta_1": 0.5, "beta_2": 0.999}


def steps(optimizer, variables, gradients):
    """How far each update moves the variables."""
    moves = []
    for each in gradients:
        before = [np.array(v) for v in variables]
        optimizer.apply([np.float32(g) for g in each], variables)
        moves.append([b - np.array(v) for b, v in zip(before, variables, strict=True)])
    return np.array(moves)


@pytest.mark.parametrize("stepped", [True, False], ids=["gradients of 0", "left out"])
def test_a_variable_that_joins_late_moves_as_under_a_fresh_optimizer(stepped):
    early, late = keras.Variable(1.0), keras.Variable(1.0)
    joining = JoiningAdam(0.1, **BETAS)
    joining.build([early, late])
    joining.join([late], 300)
    draw = np.random.default_rng(0)
    for gradient in draw.normal(size=300):
        if stepped:
            joining.apply([np.float32(gradient), np.float32(0)], [early, late])
        else:
            joining.apply([np.float32(gradient)], [early])
    assert float(late) == 1
    gradients = draw.normal(size=(20, 2))
    moves = steps(joining, [early, late], gradients)
    alone = keras.Variable(1.0)
    fresh = steps(keras.optimizers.Adam(0.1, **BETAS), [alone], gradients[:, 1:])
    np.testing.assert_allclose(moves[:, 1], fresh[:, 0], rtol=1e-3)
    assert np.abs(moves[0, 1]) == pytest.approx(0.1, rel=1e-3)


def test_its_state_is_adams():
    variable = keras.Variable([1.0, 2.0])
    ours, theirs = JoiningAdam(0.1), keras.optimizers.Adam(0.1)
    for optimizer in (ours, theirs):
        optimizer.build([variable])
    assert [v.shape for v in ours.variables] == [v.shape for v in theirs.variables]
