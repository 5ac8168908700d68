import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.unet import UNet


def built(*args, channels=3, **kwargs):
    network = UNet(*args, **kwargs)
    network.build((None, None, None, channels))
    return network


@pytest.mark.usefixtures("without_values")
def test_kernels_are_those_of_the_published_network():
    """54,413,955 parameters of the authors' unet_256, three channels in and out, batch norm."""
    encoder = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    decoder = [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    made = [512, 512, 512, 512, 256, 128, 64, 3]
    kernels = 16 * sum(a * b for a, b in zip(encoder, encoder[1:], strict=False))
    kernels += 16 * sum(a * b for a, b in zip(decoder, made, strict=True))
    scales_and_offsets = 2 * (sum(encoder[2:-1]) + sum(made[:-1]))
    assert kernels + 3 + scales_and_offsets == 54_413_955
    biases_without_norm = 64 + 512 + 3
    assert built().count_params() == kernels + biases_without_norm


def test_the_path_down_and_up_is_a_plain_reference():
    """Written out for two downsamplings, on a batch of two."""
    network = built(2, 2, channels=1)
    x = np.random.default_rng(0).normal(size=(2, 8, 12, 1)).astype("float32")

    def norm(y):
        mean, variance = tf.nn.moments(y, [1, 2], keepdims=True)
        return (y - mean) / tf.sqrt(variance + 1e-5)

    first, second = network.down
    inner, head = network.up[0], network.head
    skip = tf.nn.conv2d(x, first.kernel, 2, [[0, 0], [1, 1], [1, 1], [0, 0]]) + first.bias
    low = tf.nn.leaky_relu(skip, 0.2)
    low = tf.nn.conv2d(low, second.kernel, 2, [[0, 0], [1, 1], [1, 1], [0, 0]]) + second.bias
    up = norm(tf.nn.conv2d_transpose(tf.nn.relu(low), inner.kernel, (2, 4, 6, 2), 2))
    joined = tf.nn.relu(tf.concat([skip, up], -1))
    expected = tf.tanh(tf.nn.conv2d_transpose(joined, head.kernel, (2, 8, 12, 3), 2) + head.bias)
    np.testing.assert_allclose(network(x), expected, atol=1e-6)


@pytest.mark.parametrize(("downsamplings", "dropouts"), [(4, 0), (6, 1), (8, 3)])
def test_dropout_acts_in_the_first_blocks_of_a_deep_decoder_and_in_training_only(
    downsamplings, dropouts
):
    keras.utils.set_random_seed(0)
    network = built(1, downsamplings)
    assert len(network.dropouts) == dropouts
    x = np.random.default_rng(0).normal(size=(1, 16, 16, 3)).astype("float32")
    calm = [network(x).numpy() for _ in range(2)]
    noisy = [network(x, training=True).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*calm)
    assert np.array_equal(*noisy) == (dropouts == 0)


def test_its_image_is_float32_between_minus_one_and_one():
    image = built(2, 3)(np.random.default_rng(0).normal(size=(2, 16, 24, 3)))
    assert image.shape == (2, 16, 24, 3) and image.dtype == "float32"
    assert 0 < float(tf.reduce_max(tf.abs(image))) < 1
