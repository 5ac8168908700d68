"""A tiny GAN and a batch for it."""

import dataclasses
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.networks.discriminator import Discriminator
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.gan.networks import Networks
from sflowgan_tf.training.gan.objective import Objective

CLASSES = 3
OBJECTIVE = Objective.of(Config())


def built(network, channels):
    network.build((None, None, None, channels))
    return network


def changed(objective, losses=None, dned=None, **settings):
    """An objective of which some settings are others."""
    return dataclasses.replace(
        objective,
        losses=dataclasses.replace(objective.losses, **(losses or {})),
        dned=dataclasses.replace(objective.dned, **(dned or {})),
        **settings,
    )


def _make(
    generator=None,
    *,
    discriminator=Discriminator,
    kind=ImageGAN,
    objective=None,
    scales=1,
    depth=3,
    slices=3,
    optimizer=None,
    dtype="float32",
    jit_compile=False,
    **settings,
):
    objective = changed(OBJECTIVE, **(objective or {}))
    generator = generator or partial(GlobalGenerator, 4, downsamplings=2, blocks=1)
    dned = built(DNED(filters=2, dtype=dtype), 3 if objective.dned.sees == "image" else 1)
    dned.trainable = objective.dned.trained
    scene = CLASSES + (1 if objective.regions is None else 4)
    seen = CLASSES + 3 + objective.discriminator_sees_edges
    judge = discriminator(num_scales=scales, filters=4, depth=depth, dtype=dtype)
    gan = kind(
        Networks(
            generator=built(generator(dtype=dtype), scene),
            generator_ema=built(generator(dtype=dtype), scene),
            discriminator=built(judge, seen),
            dned=dned,
            features=built(VGG19Features("random", slices=slices, filters=4, dtype=dtype), 3),
        ),
        objective,
        **({"num_classes": CLASSES, "ema_decay": 0.999, "ema_warm_up": True, "seed": 0} | settings),
    )
    optimizer = optimizer or (lambda: keras.optimizers.SGD(1.0))
    gan.compile(
        generator_optimizer=optimizer(),
        discriminator_optimizer=optimizer(),
        dned_optimizer=optimizer(),
        jit_compile=jit_compile,
    )
    return gan


@pytest.fixture
def make():
    """Builds a tiny GAN of `kind`."""
    return _make


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(1)


@pytest.fixture
def batch():
    draw = np.random.default_rng(0)
    return {
        "labels": tf.constant(draw.integers(0, CLASSES, (2, 24, 32)), tf.uint8),
        "edges": tf.constant(draw.integers(0, 2, (2, 24, 32, 1)), tf.uint8),
        "image_real": tf.constant(draw.integers(0, 256, (2, 24, 32, 3)), tf.uint8),
        "instances": tf.constant(np.arange(2 * 24 * 32).reshape(2, 24, 32) // 90, tf.uint16),
    }
