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


def test_batches_that_are_taken_together_are_one_of_their_mean():
    together, alone = keras.Variable([1.0, 1.0]), keras.Variable([1.0, 1.0])
    joining = JoiningAdam(0.1, **BETAS, accumulation=2)
    gradients = np.random.default_rng(0).normal(size=(6, 2))
    moves = steps(joining, [together], gradients[:, None])
    assert not moves[::2].any()
    fresh = steps(JoiningAdam(0.1, **BETAS), [alone], gradients.reshape(3, 2, 2).mean(1)[:, None])
    np.testing.assert_allclose(moves[1::2], fresh, rtol=1e-5)


def test_a_variable_that_joins_batches_taken_together():
    early, late, alone = (keras.Variable(1.0) for _ in range(3))
    joining = JoiningAdam(0.1, **BETAS, accumulation=2)
    joining.build([early, late])
    joining.join([late], 40)
    steps(joining, [early], np.random.default_rng(0).normal(size=(40, 1)))
    moves = steps(joining, [late], np.array([[0.5], [0.5]] * 3))
    fresh = steps(JoiningAdam(0.1, **BETAS), [alone], [[0.5]] * 3)
    np.testing.assert_allclose(moves[1::2], fresh, rtol=1e-4)
