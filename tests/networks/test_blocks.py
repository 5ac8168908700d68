import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.networks import blocks
from tests import places

GOLDEN = np.load(places.GOLDEN)


def row(*values):
    """An image of one row and one channel."""
    return np.array(values, "float32")[None, None, :, None]


def enlarging(method):
    """An upsampling whose convolution leaves its two channels as they are."""
    layer = blocks.Upsample(2, method)
    layer.build((None, None, None, 2))
    kernel = np.zeros((3, 3, 2, 2), "float32")
    kernel[1, 1] = np.eye(2)
    layer.convolution.set_weights([kernel, np.zeros(2)])
    return layer


def values(x):
    return np.array(keras.ops.convert_to_numpy(x))[0, :, :, 0].tolist()


class TestInstanceNormalization:
    def test_two_values_become_minus_one_and_one(self):
        y = blocks.InstanceNormalization()(row(10.0, 20.0))
        np.testing.assert_allclose(values(y), [[-1.0, 1.0]], atol=1e-6)

    def test_a_constant_becomes_zero(self):
        assert values(blocks.InstanceNormalization()(row(7.0, 7.0))) == [[0.0, 0.0]]

    def test_equals_tensorflow_addons(self):
        y = blocks.InstanceNormalization()(GOLDEN["instance_norm_x"])
        np.testing.assert_allclose(y, GOLDEN["instance_norm_y"], atol=1e-5)

    def test_equals_keras_group_normalization(self):
        x = GOLDEN["instance_norm_x"]
        norm = keras.layers.GroupNormalization(-1, epsilon=1e-5, center=False, scale=False)
        np.testing.assert_allclose(blocks.InstanceNormalization()(x), norm(x), atol=1e-5)

    def test_half_precision_keeps_large_values(self):
        y = blocks.InstanceNormalization(dtype="mixed_float16")(row(10000.0, 20000.0))
        assert y.dtype == "float16"
        np.testing.assert_allclose(values(y), [[-1.0, 1.0]], atol=1e-3)


class TestPadding:
    def test_reflection_leaves_the_border_single(self):
        x = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
        y = blocks.ReflectionPadding2D(1)(x)
        np.testing.assert_array_equal(y[0, :, :, 0], np.pad(x[0, :, :, 0], 1, mode="reflect"))

    def test_to_multiple_mirrors_at_the_end(self):
        y = blocks.pad_to_multiple(np.array([[1, 2, 3]] * 4, "float32")[None, ..., None], 4)
        assert values(y) == [[1, 2, 3, 2]] * 4

    def test_to_multiple_mirrors_as_often_as_it_takes(self):
        y = blocks.pad_to_multiple(row(1, 2, 3), 4, minimum=8)
        assert values(y) == [[1, 2, 3, 2, 1, 2, 3, 2]] * 8

    def test_a_multiple_stays_as_it_is(self):
        x = np.zeros((1, 4, 8, 1), "float32")
        assert blocks.pad_to_multiple(x, 4) is x

    @settings(max_examples=30)
    @given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 2, 4, 16]))
    def test_crop_is_the_way_back(self, height, width, multiple):
        x = np.random.default_rng(0).random((2, height, width, 3)).astype("float32")
        padded = blocks.pad_to_multiple(x, multiple, minimum=2 * multiple)
        assert padded.shape[1] % multiple == padded.shape[2] % multiple == 0
        assert min(padded.shape[1:3]) >= 2 * multiple
        assert padded.shape[1] < height + 2 * multiple
        np.testing.assert_array_equal(blocks.crop(padded, x), x)


class TestDownsample:
    def test_padding_is_not_counted(self):
        x = np.arange(1, 17, dtype="float32").reshape(1, 4, 4, 1)
        # Windows around (0, 0), (0, 2), (2, 0), (2, 2): the mean of what lies inside.
        np.testing.assert_allclose(values(blocks.downsample(x)), [[3.5, 5.0], [9.5, 11.0]])

    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    def test_a_constant_stays(self, size):
        y = blocks.downsample(np.full((1, size, 5, 2), 3.0, "float32"))
        assert y.shape == (1, (size + 1) // 2, 3, 2)
        np.testing.assert_allclose(y, 3.0, rtol=1e-6)


class TestUpsample:
    def test_transposed_lies_as_pytorchs(self):
        """There ConvTranspose2d puts input i at the outputs 2i - 1, 2i and 2i + 1."""
        layer = blocks.Upsample(1)
        layer.build((None, 2, 2, 1))
        kernel = np.arange(1, 10, dtype="float32").reshape(3, 3, 1, 1)
        layer.convolution.set_weights([kernel, np.zeros(1)])
        x = np.array([[1, 10], [100, 1000]], "float32")
        expected = np.zeros((5, 5))
        for i in range(2):
            for j in range(2):
                expected[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += x[i, j] * kernel[..., 0, 0]
        assert values(layer(x[None, ..., None])) == expected[1:, 1:].tolist()

    def test_nearest_draws_no_checkerboard(self):
        layer = blocks.Upsample(1, "nearest")
        layer.build((None, 3, 3, 1))
        inner = values(layer(np.ones((1, 3, 3, 1), "float32"))[:, 1:-1, 1:-1])
        np.testing.assert_allclose(inner, inner[0][0], rtol=1e-5)

    def test_nearest_repeats_pixels(self):
        layer, x = enlarging("nearest"), np.random.default_rng(0).random((2, 3, 4, 2), "float32")
        np.testing.assert_array_equal(layer(x), x.repeat(2, axis=1).repeat(2, axis=2))

    def test_bilinear_lies_between_the_centres(self):
        layer, x = enlarging("bilinear"), np.random.default_rng(0).random((2, 3, 4, 2), "float32")
        expected = [cv2.resize(image, (8, 6), interpolation=cv2.INTER_LINEAR) for image in x]
        np.testing.assert_allclose(layer(x), expected, rtol=0, atol=1e-6)

    @pytest.mark.parametrize("size", [(3, 4), (1, 5), (1, 1)])
    def test_bilinear_is_the_same_in_training_and_so_is_its_gradient(self, size):
        layer, x = (
            enlarging("bilinear"),
            tf.Variable(tf.random.stateless_normal((2, *size, 2), (0, 1))),
        )
        seen = tf.random.stateless_normal((2, 2 * size[0], 2 * size[1], 2), (2, 3))
        results, gradients = [], []
        for training in (False, True):
            with tf.GradientTape() as tape:
                results.append(layer(x, training=training))
                loss = tf.reduce_sum(results[-1] * seen)
            gradients.append(tape.gradient(loss, x))
        np.testing.assert_array_equal(*results)
        np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)

    def test_unknown_method(self):
        with pytest.raises(ValueError, match="method: expected one of .*got 'bicubic'"):
            blocks.Upsample(1, "bicubic")


def test_layers_take_their_configuration_back():
    for layer in (
        blocks.InstanceNormalization(),
        blocks.ReflectionPadding2D(3),
        blocks.ResidualBlock(4, dtype="mixed_bfloat16"),
        blocks.Upsample(4, "bilinear"),
    ):
        config = layer.get_config()
        assert type(layer).from_config(config).get_config() == config


def test_convolutions_start_different():
    a, b = blocks.convolution(8, 3), blocks.convolution(8, 3)
    for layer in (a, b):
        layer.build((None, None, None, 64))
    assert np.any(a.kernel != b.kernel)
    assert abs(float(keras.ops.std(a.kernel)) - 0.02) < 0.001
    assert not np.any(a.bias)


class TestGrain:
    def test_each_noise_is_as_strong_as_the_features_say(self):
        layer = blocks.Grain()
        layer.build((None, None, None, 3))
        layer.strength.set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
        features = np.zeros((3, 256, 256, 3), "float32")
        for kind in range(3):
            features[kind, ..., kind] = 0.05
        white, finer, coarser = np.array(layer(features))[..., 0]
        for noise in (white, finer, coarser):
            assert abs(noise.mean()) < 0.0025
            assert abs(noise.std() - 0.05) < 0.00025

        def likeness(noise):  # of neighbours; of white noise blurred by s: exp(-1 / (4 s^2))
            return np.mean([(noise * np.roll(noise, 1, axis)).mean() for axis in (0, 1)]) / 0.05**2

        assert abs(likeness(white)) < 0.02
        assert abs(likeness(finer) - np.exp(-1 / 4)) < 0.02
        assert abs(likeness(coarser) - np.exp(-1 / 16)) < 0.02

    def test_it_is_never_stronger_than_a_sensor_s(self):
        layer = blocks.Grain()
        layer.build((None, None, None, 1))
        layer.strength.set_weights([np.ones((1, 1, 1, 3)), np.zeros(3)])
        loud, louder = (np.array(layer(np.full((1, 64, 64, 1), s, "float32"))) for s in (1, 100))
        np.testing.assert_array_equal(loud, louder)
        assert 6 < 127.5 * loud.std() / 3**0.5 < 10  # of three noises, 8 levels each

    def test_every_picture_has_the_same(self):
        layer = blocks.Grain()
        first, second = np.array(layer(np.ones((2, 40, 300, 1), "float32")))
        assert first.any()
        np.testing.assert_array_equal(first, second)
        whole = np.array(layer(np.ones((1, 300, 300, 1), "float32")))[0]
        np.testing.assert_array_equal(first, whole[:40])
        np.testing.assert_array_equal(first[:, :44], first[:, 256:])
