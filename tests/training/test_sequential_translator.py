"""Films of vid2vid's generator: each frame from those before it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.sequential import SequentialGenerator, no_past
from sflowgan_tf.ops import images
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.training.sequential_translator import SequentialTranslator

CLASSES = 3


@pytest.fixture
def translator():
    keras.utils.set_random_seed(0)
    generator = SequentialGenerator(2, downsamplings=1, blocks=2)
    generator.build((None, None, None, CLASSES + 1))
    return SequentialTranslator(
        generator=generator,
        dned=generator,
        num_classes=CLASSES,
        edge_settings=EdgeSettings(),
        edge_map="none",
        redraws=False,
    )


@pytest.fixture
def records():
    draw = np.random.default_rng(0)
    return [
        {
            "labels": tf.constant(draw.integers(0, CLASSES, (8, 12)), tf.uint8),
            "edges_cg": tf.constant(draw.integers(0, 2, (8, 12, 1)), tf.uint8),
        }
        for _ in range(3)
    ]


def test_a_film_is_painted_from_its_past(translator, records):
    paint, past = translator.film(redraw=False), None
    for record in records:
        found = paint(record)
        scene = network_input(record["labels"][None], tf.zeros([1, 8, 12, 1]), CLASSES, None)
        if past is None:
            past, image = no_past(scene), translator.generator(scene)
        else:
            image = translator.generator.following(scene, past).image
        past = past.followed_by(scene, image)
        np.testing.assert_allclose(found, images.to_uint8(image)[0], atol=1)


def test_films_do_not_know_of_each_other_and_begin_like_single_frames(translator, records):
    first, second = translator.film(redraw=False), translator.film(redraw=False)
    begun = first(records[0])
    first(records[1])
    np.testing.assert_array_equal(second(records[0]), begun)
    np.testing.assert_allclose(translator.picture(records[0], redraw=False), begun, atol=1)
