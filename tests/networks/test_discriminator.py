import keras
import numpy as np
import pytest

from sflowgan_tf.networks.discriminator import Discriminator
from tests import places

GOLDEN = np.load(places.GOLDEN)


def built(*args, channels=4, **kwargs):
    network = Discriminator(*args, **kwargs)
    network.build((None, None, None, channels))
    return network


@pytest.mark.usefixtures("without_values")
def test_parameters_of_pix2pixhd():
    assert built(channels=39).count_params() == 2_801_601
    assert built(3, channels=39).count_params() == 3 * 2_801_601


def test_maps_of_a_256_by_512_image():
    (maps,) = built(filters=2)(np.zeros((1, 256, 512, 4), "float32"))
    assert [tuple(x.shape) for x in maps] == [
        (1, 129, 257, 2),
        (1, 65, 129, 4),
        (1, 33, 65, 8),
        (1, 34, 66, 16),
        (1, 35, 67, 1),
    ]


def test_depth_and_the_cap_on_channels():
    (maps,) = built(filters=2, depth=5)(np.zeros((1, 64, 64, 4), "float32"))
    assert [x.shape[-1] for x in maps] == [2, 4, 8, 16, 16, 16, 1]


def test_scales_halve_and_start_at_full_size():
    x = np.random.default_rng(0).random((1, 64, 32, 4)).astype("float32")
    two, one = built(2, filters=2), built(1, filters=2)
    one.scales[0].set_weights(two.scales[0].get_weights())
    features = two(x)
    np.testing.assert_array_equal(features[0][-1], one(x)[0][-1])
    assert [maps[0].shape[1:3] for maps in features] == [(33, 17), (17, 9)]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 40), (17, 2)])
def test_small_images(height, width):
    features = built(3, filters=2)(np.ones((1, height, width, 4), "float32"))
    assert [len(maps) for maps in features] == [5, 5, 5]


def test_no_scale():
    with pytest.raises(ValueError, match="num_scales: expected at least 1, got 0"):
        Discriminator(0)


def spectral_kernel(network):
    return network.scales[0].stages[1][1].kernel


def largest_singular_value(kernel):
    return np.linalg.norm(keras.ops.convert_to_numpy(kernel).reshape(-1, kernel.shape[-1]), 2)


class TestSpectralNorm:
    def test_equals_tensorflow_addons(self):
        layer = keras.layers.SpectralNormalization(keras.layers.Conv2D(8, 4))
        layer.build((None, 9, 9, 3))
        layer.kernel.assign(GOLDEN["spectral_norm_kernel"])
        layer.vector_u.assign(GOLDEN["spectral_norm_u"])
        layer(np.zeros((1, 9, 9, 3), "float32"), training=True)
        np.testing.assert_allclose(
            layer.kernel, GOLDEN["spectral_norm_kernel_after"], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(layer.vector_u, GOLDEN["spectral_norm_u_after"], atol=1e-5)

    @pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
    def test_converges_to_one(self, policy):
        keras.utils.set_random_seed(0)
        network = built(filters=2, spectral_norm=True, dtype=policy)
        x = np.random.default_rng(0).random((1, 16, 16, 4)).astype("float32")
        for _ in range(40):
            network(x, training=True)
        assert abs(largest_singular_value(spectral_kernel(network)) - 1) < 1e-2

    def test_updates_only_in_training(self):
        network = built(filters=2, spectral_norm=True)
        x = np.ones((1, 16, 16, 4), "float32")
        before = network.get_weights()
        network(x, training=False)
        for a, b in zip(before, network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        network(x, training=True)
        assert np.any(before[0] != network.get_weights()[0])

    def test_bfloat16_does_not_round_the_kernels(self):
        network = built(filters=2, spectral_norm=True, dtype="mixed_bfloat16")
        network(np.ones((1, 16, 16, 4), "float32"), training=True)
        kernel = spectral_kernel(network)
        rounded = keras.ops.cast(keras.ops.cast(kernel, "bfloat16"), "float32")
        assert np.mean(keras.ops.convert_to_numpy(kernel == rounded)) < 0.1
