"""What every network has to stand: any size, XLA, mixed precision, a way through a file."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.networks.discriminator import Discriminator, FilmDiscriminator
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer
from sflowgan_tf.networks.hed import HEDFeatures
from sflowgan_tf.networks.pspnet import PSPNet
from sflowgan_tf.networks.sequential import SequentialGenerator
from sflowgan_tf.networks.small_pspnet import SmallPSPNet
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.networks.vgg import VGG19Features

# Small ones of each kind: how to make one, and the channels that it takes.
NETWORKS = {
    "global": (lambda **kw: GlobalGenerator(2, downsamplings=2, blocks=1, **kw), 5),
    "global-nearest": (
        lambda **kw: GlobalGenerator(2, 2, blocks=1, upsampling="nearest", **kw),
        5,
    ),
    "global-bilinear": (
        lambda **kw: GlobalGenerator(2, 2, blocks=1, upsampling="bilinear", **kw),
        5,
    ),
    "global-separable": (
        lambda **kw: GlobalGenerator(2, 2, blocks=1, upsampling="nearest", separable=True, **kw),
        5,
    ),
    "global-skips": (lambda **kw: GlobalGenerator(2, 2, blocks=1, skips=True, **kw), 5),
    "global-grain": (lambda **kw: GlobalGenerator(2, 2, blocks=1, grain=True, **kw), 5),
    "global-colors": (lambda **kw: GlobalGenerator(2, 2, blocks=1, colors=True, **kw), 8),
    "local": (lambda **kw: LocalEnhancer(2, 2, blocks=1, global_blocks=1, **kw), 5),
    "local-colors": (lambda **kw: LocalEnhancer(2, 2, 1, global_blocks=1, colors=True, **kw), 8),
    "local-grain": (lambda **kw: LocalEnhancer(2, 2, 1, global_blocks=1, grain=True, **kw), 5),
    "unet": (lambda **kw: UNet(2, downsamplings=6, **kw), 5),
    "unet-shallow": (lambda **kw: UNet(2, downsamplings=1, **kw), 5),
    "sequential": (lambda **kw: SequentialGenerator(2, 2, blocks=2, **kw), 5),
    "dned": (lambda **kw: DNED(2, **kw), 1),
    "discriminator": (lambda **kw: Discriminator(2, filters=2, **kw), 5),
    "discriminator-spectral": (
        lambda **kw: Discriminator(1, filters=2, spectral_norm=True, **kw),
        5,
    ),
    "discriminator-film": (lambda **kw: FilmDiscriminator(7, filters=2, **kw), 5),
    "pspnet": (lambda **kw: PSPNet(3, filters=4, units=(1, 1, 1, 1), **kw), 3),
    "small_pspnet": (lambda **kw: SmallPSPNet(3, filters=2, **kw), 3),
    "vgg": (lambda **kw: VGG19Features("random", filters=2, **kw), 3),
    "hed": (lambda **kw: HEDFeatures(slices=2, **kw), 3),
}
OF_ONE_SIZE = [
    "global",
    "global-nearest",
    "global-separable",
    "global-skips",
    "global-grain",
    "global-colors",
    "local",
    "local-colors",
    "unet",
    "unet-shallow",
    "sequential",
    "dned",
    "pspnet",
    "small_pspnet",
]  # output as large as the input
# what of the last two a call alone does not reach is tested in test_sequential.py
TRAINED = [n for n in NETWORKS if n not in ("vgg", "hed", "sequential", "discriminator-film")]


def make(name, **kwargs):
    network, channels = NETWORKS[name][0](**kwargs), NETWORKS[name][1]
    network.build((None, None, None, channels))
    return network


def images(name, height, width, batch=1):
    shape = (batch, height, width, NETWORKS[name][1])
    return np.random.default_rng(0).random(shape).astype("float32")


@pytest.mark.parametrize("name", OF_ONE_SIZE)
def test_output_is_as_large_as_the_input(name):
    network = make(name)

    @settings(max_examples=12)
    @given(st.integers(1, 40), st.integers(1, 40))
    def check(height, width):
        output = network(images(name, height, width))
        assert output.shape[:3] == (1, height, width)
        assert np.isfinite(output).all()

    check()


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_sizes_give_what_known_ones_give(name, jit_compile):
    network, x = make(name), images(name, 19, 22)
    spec = tf.TensorSpec((None, None, None, x.shape[-1]))
    graph = tf.function(network, input_signature=[spec], jit_compile=jit_compile)
    for expected, got in zip(tf.nest.flatten(network(x)), tf.nest.flatten(graph(x)), strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-4)


@pytest.mark.parametrize("name", OF_ONE_SIZE)
def test_joins_a_functional_model(name):
    network = make(name)
    inputs = keras.Input((None, None, NETWORKS[name][1]))
    assert network(inputs).shape[:3] == (None, None, None)


@pytest.mark.parametrize(
    ("name", "jit_compile"),
    [(name, False) for name in TRAINED]
    + [(name, True) for name in ("local", "unet", "discriminator-spectral")],
)
def test_every_kernel_gets_a_finite_gradient(name, jit_compile):
    network = make(name)

    @tf.function(jit_compile=jit_compile)
    def gradients(x):
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(network(x, training=True))
            loss = tf.add_n([tf.reduce_mean(tf.square(output)) for output in outputs])
        return tape.gradient(loss, network.trainable_variables)

    for variable, gradient in zip(
        network.trainable_variables, gradients(images(name, 24, 24)), strict=True
    ):
        assert np.isfinite(gradient).all(), variable.path
        assert variable.path.endswith("bias") or np.any(gradient), variable.path


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_mixed_precision(name, policy):
    keras.utils.set_random_seed(0)
    network, x = make(name, dtype=policy), images(name, 24, 24)
    outputs = network(x)
    compute = policy.removeprefix("mixed_")
    if name in ("vgg", "hed"):
        assert {output.dtype.name for output in outputs} == {compute}
    elif name.startswith("discriminator"):
        assert [feature.dtype.name for feature in outputs[0]] == [compute] * 4 + ["float32"]
    else:
        assert outputs.dtype == "float32"
    assert all(weight.dtype == "float32" for weight in network.weights)  # without random seeds

    exact = make(name)
    exact.set_weights(network.get_weights())
    for got, expected in zip(tf.nest.flatten(outputs), tf.nest.flatten(exact(x)), strict=True):
        scale = float(tf.reduce_mean(tf.abs(expected)))
        assert float(tf.reduce_mean(tf.abs(tf.cast(got, "float32") - expected))) < 0.1 * scale


@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip_through_a_file(name, tmp_path):
    network, x = make(name), images(name, 24, 24)
    expected = network(x)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert loaded.get_config() == network.get_config()
    for a, b in zip(tf.nest.flatten(loaded(x)), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(a, b)
