import numpy as np
import pytest

from sflowgan_tf.ops.ensemble import ensemble_weights


def test_ensemble_weights_begin_with_equal_ones_and_go_on_by_the_seed():
    four, more = ensemble_weights(4, seed=3), ensemble_weights(6, seed=3)
    np.testing.assert_allclose(four[0], 1 / 6)
    np.testing.assert_allclose(four.sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(four, more[:4])
    assert not np.allclose(four[1:], ensemble_weights(4, seed=4)[1:])
    assert four.dtype == np.float32


@pytest.mark.parametrize("seed", range(20))
def test_the_first_variations_favour_three_coarse_side_outputs(seed):
    average = np.mean([ensemble_weights(4, seed + 100 * i)[1:].max(-1) for i in range(10)])
    assert average > 0.6
    mostly = [ensemble_weights(7, seed)[i].argmax() for i in range(1, 7)]
    assert len(set(mostly)) >= 4
