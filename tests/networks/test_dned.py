import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.ops.ensemble import ensemble


@pytest.mark.usefixtures("without_values")
def test_parameters_of_hed():
    network = DNED()
    network.build((None, None, None, 3))
    assert network.count_params() == 14_716_171


def test_fused_output_starts_as_a_fifth_of_the_sum():
    edges = np.random.default_rng(0).random((1, 20, 33, 1)).astype("float32")
    outputs = DNED(2)(edges)
    assert outputs.shape == (1, 20, 33, 6)
    np.testing.assert_allclose(outputs[..., 5], 0.2 * np.sum(outputs[..., :5], axis=-1), atol=1e-5)


def test_side_outputs_are_enlarged_bilinearly():
    network = DNED(2)
    edges = np.random.default_rng(0).random((2, 48, 80, 1)).astype("float32")
    outputs = network(edges)
    x = edges
    for i, (stage, side) in enumerate(zip(network.stages, network.sides, strict=True)):
        x = blocks.call_stack(stage, network.pool(x) if i else x)
        assert tuple(x.shape[1:3]) == (48 // 2**i, 80 // 2**i)
        expected = keras.ops.image.resize(side(x), (48, 80), "bilinear")
        np.testing.assert_allclose(outputs[..., i : i + 1], expected, atol=1e-5)


def logits(seed=0):
    return np.random.default_rng(seed).normal(size=(2, 3, 4, 6)).astype("float32")


@pytest.mark.parametrize("i", range(6))
def test_one_hot_weights_select_a_side_output(i):
    weights = np.tile(7.0 * np.eye(6)[i], (2, 1))
    expected = 1 / (1 + np.exp(-logits()[..., i : i + 1]))
    np.testing.assert_allclose(ensemble(logits(), weights), expected, atol=1e-6)


def test_each_image_has_weights_of_its_own():
    weights = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 3]])
    maps = ensemble(np.full((2, 1, 1, 6), [100, -100, 0, 0, 0, 0.0]), weights)
    np.testing.assert_allclose(np.ravel(maps), [0.5, 0.5])
    assert maps.dtype == "float32"


@settings(max_examples=25)
@given(st.lists(st.floats(0, 10), min_size=6, max_size=6).filter(lambda w: sum(w) > 1e-3))
def test_ensemble_lies_between_its_maps(weights):
    maps = 1 / (1 + np.exp(-logits()))
    mean = np.array(ensemble(logits(), np.array([weights, weights])))[..., 0]
    assert np.all(mean >= maps.min(-1) - 1e-5)
    assert np.all(mean <= maps.max(-1) + 1e-5)


def test_wrong_number_of_weights():
    with pytest.raises(ValueError, match=r"weights: expected shape \(batch, 6\), got \(2, 5\)"):
        ensemble(logits(), np.ones((2, 5)))
