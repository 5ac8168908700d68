import keras
import numpy as np
import pytest

from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.utils.errors import UserError

RELUS = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]


def built(*args, **kwargs):
    network = VGG19Features(*args, **kwargs)
    network.build((None, None, None, 3))
    return network


def image(size=32):
    return np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype("float32")


@pytest.mark.parametrize("name", ["vgg19.weights.h5", "vgg19.h5"])
@pytest.mark.usefixtures("freed")
def test_equals_keras_applications(name, tmp_path):
    vgg = keras.applications.VGG19(weights=None, include_top=False)
    if name.endswith(".weights.h5"):
        vgg.save_weights(tmp_path / name)
    else:  # the older layout, which the published file has
        vgg.save(tmp_path / name)
    reference = keras.Model(vgg.input, [vgg.get_layer(relu).output for relu in RELUS])
    pixels = keras.applications.vgg19.preprocess_input((image() + 1) * 127.5)
    got = built(str(tmp_path / name))(image())
    for a, b in zip(got, reference(pixels), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


def test_random_weights_follow_from_the_seed():
    a, same, other = (built("random", filters=2, seed=seed) for seed in (3, 3, 4))
    for x, y in zip(a.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert np.any(a.get_weights()[0] != other.get_weights()[0])


def test_random_features_keep_their_size():
    sizes = [float(np.mean(np.abs(x))) for x in built("random", filters=16)(image(64))]
    assert all(0.05 < size < 5 for size in sizes), sizes


@pytest.mark.parametrize("slices", [1, 3, 5])
def test_slices(slices):
    features = built("random", slices=slices, filters=2)(image())
    assert [x.shape[1:] for x in features] == [
        (32, 32, 2),
        (16, 16, 4),
        (8, 8, 8),
        (4, 4, 16),
        (2, 2, 16),
    ][:slices]


def test_is_never_trained():
    assert built("random", filters=2).trainable_variables == []


@pytest.mark.usefixtures("without_values")
def test_full_size_has_the_first_thirteen_convolutions_of_vgg19():
    assert built("random").count_params() == 12_944_960


@pytest.mark.usefixtures("freed")
def test_missing_file():
    with pytest.raises(UserError, match="VGG19 weights: no file nowhere.h5; expected"):
        built("nowhere.h5")


@pytest.mark.parametrize("name", ["bad.h5", "bad.weights.h5", "bad.bin"])
@pytest.mark.usefixtures("freed")
def test_file_that_is_no_weights_file(name, tmp_path):
    (tmp_path / name).write_bytes(b"nonsense")
    with pytest.raises(UserError, match=f"{name} does not fit"):
        built(str(tmp_path / name))


@pytest.mark.usefixtures("freed")
def test_file_of_another_network(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(UserError, match="does not fit"):
        built(str(tmp_path / "other.weights.h5"))


def test_weights_that_cannot_be_fetched(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(UserError, match="could not be fetched .*perceptual.weights to the path"):
        built("imagenet")


def test_wrong_arguments():
    with pytest.raises(ValueError, match="slices: expected 1 to 5, got 6"):
        VGG19Features("random", slices=6)
    with pytest.raises(ValueError, match="filters: expected 64.*got 8"):
        VGG19Features("imagenet", filters=8)
