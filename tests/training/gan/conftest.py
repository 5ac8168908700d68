"""A tiny GAN and a batch for it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.discriminator import Discriminator
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.training.gan.image_gan import ImageGAN

CLASSES = 3
DEFAULTS = {
    "gan_loss": "log",
    "feature_matching_weight": 10.0,
    "perceptual_weight": 10.0,
    "l1_weight": 0.0,
    "slice_weights": None,
    "dned_weight": 1.0,
    "dned_balanced": False,
    "dned_jitter": 0.0,
    "edge_map": "laplacian",
    "ema_decay": 0.999,
    "ema_warm_up": True,
    "seed": 0,
}


def built(network, channels):
    network.build((None, None, None, channels))
    return network


def _make(generator=None, *, kind=ImageGAN, sees_edges=False, scales=1, optimizer=None, **settings):
    generator = generator or (lambda: GlobalGenerator(4, downsamplings=2, blocks=1))
    gan = kind(
        generator=built(generator(), CLASSES + 1),
        generator_ema=built(generator(), CLASSES + 1),
        discriminator=built(Discriminator(scales, filters=4), CLASSES + 3 + sees_edges),
        dned=built(DNED(filters=2), 1),
        features=built(VGG19Features("random", slices=3, filters=4), 3),
        num_classes=CLASSES,
        discriminator_sees_edges=sees_edges,
        **(DEFAULTS | settings),
    )
    optimizer = optimizer or (lambda: keras.optimizers.SGD(1.0))
    gan.compile(
        generator_optimizer=optimizer(),
        discriminator_optimizer=optimizer(),
        dned_optimizer=optimizer(),
    )
    return gan


@pytest.fixture
def make():
    """Builds a tiny GAN of `kind`."""
    return _make


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def batch():
    draw = np.random.default_rng(0)
    return {
        "labels": tf.constant(draw.integers(0, CLASSES, (2, 24, 32)), tf.uint8),
        "edges": tf.constant(draw.integers(0, 2, (2, 24, 32, 1)), tf.uint8),
        "image_real": tf.constant(draw.integers(0, 256, (2, 24, 32, 3)), tf.uint8),
        "instances": tf.constant(np.arange(2 * 24 * 32).reshape(2, 24, 32) // 90, tf.uint16),
    }
