import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.blocks import EPSILON, separable_convolution
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (lambda: GlobalGenerator(32), 45_672_611),
        (lambda: GlobalGenerator(32, upsampling="nearest"), 45_672_611),
        (lambda: GlobalGenerator(64, downsamplings=3), 45_696_835),
        pytest.param(GlobalGenerator, 182_546_755, id="default"),
        pytest.param(LocalEnhancer, 182_857_059, id="local"),
    ],
)
@pytest.mark.usefixtures("without_values")
def test_parameters_of_pix2pixhd(make, parameters):
    generator = make()
    generator.build((None, None, None, 36))
    assert generator.count_params() == parameters


def small(**kwargs):
    generator = GlobalGenerator(2, downsamplings=2, blocks=1, **kwargs)
    generator.build((None, None, None, 4))
    return generator


def test_image_is_float32_between_minus_one_and_one():
    image = small()(np.random.default_rng(0).normal(size=(2, 16, 24, 4)))
    assert image.shape == (2, 16, 24, 3)
    assert image.dtype == "float32"
    assert float(tf.reduce_max(tf.abs(image))) < 1


def test_head_of_zeros_gives_grey():
    generator = small()
    generator.head.convolutions[-1].set_weights([np.zeros((7, 7, 2, 3)), np.zeros(3)])
    assert not np.any(generator(np.ones((1, 8, 8, 4), "float32")))


def test_unknown_upsampling():
    with pytest.raises(ValueError, match="method: expected one of"):
        GlobalGenerator(2, upsampling="cubic")


def test_separable_convolutions_take_a_fraction_of_the_parameters():
    def separable(given, filters):
        return 9 * given + given * filters + filters

    generator = GlobalGenerator(8, 2, blocks=3, upsampling="nearest", separable=True)
    generator.build((None, None, None, 14))
    outer = 49 * 14 * 8 + 8 + 49 * 8 * 3 + 3  # 7x7 at both ends, as without
    inner = separable(8, 16) + separable(16, 32) + separable(32, 16) + separable(16, 8)
    assert generator.count_params() == outer + inner + 6 * separable(32, 32)


def test_separable_convolutions_hand_on_what_the_norm_can_see():
    draw = np.random.default_rng(0)
    layer = separable_convolution(4, 3)
    variance = np.var(layer(draw.normal(size=(1, 32, 32, 4)).astype("float32")))
    assert variance > 20 * EPSILON


def test_skips_bring_each_pixel_of_the_scene_past_the_smallest_size():
    plain, skipping = small(), small(skips=True)
    ways = (2, 4)  # channels at full and half size, as often again into what comes next
    assert skipping.count_params() - plain.count_params() == 49 * ways[0] * 3 + 9 * ways[1] * 2
    for stack in skipping.trunk.up:  # what comes from below says nothing
        stack[0].convolution.set_weights([0 * w for w in stack[0].convolution.get_weights()])
    scene = np.random.default_rng(0).random((1, 32, 32, 4)).astype("float32")
    changed = scene.copy()
    changed[0, 16, 16] = 1 - changed[0, 16, 16]
    difference = np.abs(skipping(scene) - skipping(changed))[0].max(axis=-1)
    near = difference[10:23, 10:23]  # two 7x7 convolutions; far away only the norm tells
    assert difference.max() == near.max() > 10 * difference[:8].max()


def test_transposed_has_no_separable_form():
    with pytest.raises(ValueError, match="'transposed' has no separable form"):
        small(separable=True)


def enhancer():
    network = LocalEnhancer(1, downsamplings=2, blocks=1, global_blocks=1)
    network.build((None, None, None, 4))
    return network


def test_load_global_takes_over_the_trunk():
    network, generator = enhancer(), small()
    network.load_global(generator)
    x = np.random.default_rng(0).random((1, 16, 16, 4)).astype("float32")
    np.testing.assert_array_equal(network.global_generator(x), generator.trunk(x))


def test_load_global_refuses_another_size():
    generator = GlobalGenerator(4, downsamplings=2, blocks=1)
    generator.build((None, None, None, 4))
    with pytest.raises(ValueError, match="shape"):
        enhancer().load_global(generator)


def test_frozen_global_part_leaves_the_local_one_trainable():
    network = enhancer()
    every = len(network.trainable_variables)
    network.global_generator.trainable = False
    frozen = len(network.global_generator.variables)
    assert len(network.trainable_variables) == every - frozen > 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: GlobalGenerator(4, 2, blocks=1, colors=True),
        lambda: LocalEnhancer(4, 1, blocks=1, global_blocks=1, colors=True),
    ],
)
def test_a_fresh_generator_paints_the_colors_that_it_is_given(make):
    keras.utils.set_random_seed(0)
    scene = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 7)).astype("float32")
    image = np.asarray(make()(scene))
    np.testing.assert_allclose(image.mean((0, 1, 2)), 0, atol=0.2)
    assert np.corrcoef(image.ravel(), np.tanh(scene[..., -3:]).ravel())[0, 1] > 0.8


def test_a_shift_of_all_colors_reaches_the_picture():
    keras.utils.set_random_seed(0)
    generator = GlobalGenerator(4, 2, blocks=1, colors=True)
    scene = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 32, 32, 7)).astype("float32")
    shifted = scene.copy()
    shifted[..., -3:] += 0.4
    assert np.mean(np.asarray(generator(shifted)) - np.asarray(generator(scene))) > 0.2
