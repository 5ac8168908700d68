import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble, ensemble_weights
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette, Recoloring
from sflowgan_tf.ops.preprocessing import region_colors, to_uint8
from sflowgan_tf.ops.settings import EdgeSettings, Regions
from sflowgan_tf.translation.translator import Translator

TABLE = TABLES["synthia"]


def make(**settings):
    keras.utils.set_random_seed(0)
    generator, dned = GlobalGenerator(4, 1, 1), DNED(2)
    colors = 3 if settings.get("appearance") else 0
    generator.build((None, None, None, TABLE.num_classes + 1 + colors))
    dned.build((None, None, None, 3 if settings.get("dned_sees") == "image" else 1))
    return Translator(
        generator=generator,
        dned=dned,
        num_classes=TABLE.num_classes,
        edge_settings=EdgeSettings(),
        **settings,
    )


@pytest.fixture(scope="module")
def translator():
    return make()


def record():
    """A frame of the records, 18x11."""
    draw = np.random.default_rng(0)
    image = tf.constant(draw.integers(0, 256, (11, 18, 3)), tf.uint8)
    edges = tf.cast(laplacian_edges(image[None], EdgeSettings())[0], tf.uint8)
    return {
        "labels": tf.constant(draw.integers(0, 13, (11, 18)), tf.uint8),
        "edges_cg": edges,
        "image_cg": image,
        "image_real": image,
        "instances": tf.constant(draw.integers(0, 2, (11, 18)), tf.uint16),
    }


@pytest.fixture
def frame():
    return record()


def test_a_batch_of_any_size_gives_pictures_of_that_size(translator):
    for batch, height, width in ((1, 11, 18), (3, 16, 16)):
        labels = tf.zeros([batch, height, width], tf.uint8)
        painted = translator.paint(labels, tf.zeros([batch, height, width, 1]))
        assert painted.shape == (batch, height, width, 3)
        assert painted.dtype == tf.uint8


def test_the_edges_are_those_of_the_records(translator, frame):
    edges = translator.laplacian(frame["image_cg"][None])
    np.testing.assert_array_equal(edges[0], frame["edges_cg"])


def test_edges_change_the_picture_unless_the_model_knows_labels_only(frame):
    labels, edges = frame["labels"][None], tf.cast(frame["edges_cg"], tf.float32)[None]
    for edge_map in ("laplacian", "instances", "none"):
        translator = make(edge_map=edge_map)
        same = np.array_equal(
            translator.paint(labels, edges), translator.paint(labels, 1.0 - edges)
        )
        assert same == (edge_map == "none")
        assert translator.redraws == (edge_map == "laplacian")


def test_a_frame_of_the_records_brings_its_edge_map_along(frame):
    boundaries = instance_boundaries(frame["labels"][None], frame["instances"][None])
    expected = {"laplacian": frame["edges_cg"][None], "none": frame["edges_cg"][None]}
    for edge_map in ("laplacian", "instances", "none"):
        edges = make(edge_map=edge_map).edges_of(frame)
        assert edges.shape == (1, 11, 18, 1) and edges.dtype == tf.float32
        np.testing.assert_array_equal(edges, expected.get(edge_map, boundaries))


@pytest.mark.parametrize("edge_map", ["instances", "none"])
def test_without_a_dned_a_frame_is_painted_from_its_own_edges(frame, edge_map):
    translator = make(edge_map=edge_map)
    edges = translator.edges_of(frame)
    expected = translator.paint(frame["labels"][None], edges)[0]
    for redraw in (False, True):
        np.testing.assert_array_equal(translator.picture(frame, redraw=redraw), expected)
    np.testing.assert_array_equal(translator.redrawn_edges_of(frame), edges)


def test_at_test_time_a_frame_is_painted_from_the_dneds_edges_of_equal_weights(translator, frame):
    edges = translator.redraw(translator.edges_of(frame), tf.constant(ensemble_weights(1, 0)))
    expected = translator.paint(frame["labels"][None], edges)[0]
    np.testing.assert_array_equal(translator.picture(frame, redraw=True), expected)
    plain = translator.picture(frame, redraw=False)
    assert not np.array_equal(plain, expected)


def test_versions_of_a_frame_are_those_of_their_weights(translator, frame):
    edges, pictures = translator.versions(frame, 3, seed=5)
    assert edges.shape == (3, 11, 18, 1) and pictures.shape == (3, 11, 18, 3)
    np.testing.assert_allclose(edges[:1], translator.redrawn_edges_of(frame), atol=1e-6)
    for weights, picture in zip(ensemble_weights(3, seed=5), pictures, strict=True):
        alone = translator.translate(frame["labels"].numpy(), frame["image_cg"].numpy(), weights)
        assert np.abs(alone.astype(int) - picture).max() <= 1
    assert not np.array_equal(pictures[0], pictures[1])


def palette(simulator=160, real=100):
    """One grey for all classes of the simulator's frames, another for those of the real ones."""

    def colors(level):
        mean = np.full((TABLE.num_classes + 1, 3), level, np.float32)
        return ClassColors(mean=mean, spread=np.full_like(mean, 10))

    known = None if simulator is None else colors(simulator)
    means = colors(real).mean[None]
    return Palette(real=colors(real), simulator=known, clusters=means, frames=means)


@pytest.fixture(scope="module")
def colored():
    return make(appearance=ColorInput(regions=Regions(cell=4), palette=palette()))


def given_colors(frame):
    """By NumPy: 0.8 times the difference to the simulator's mean, about the real one."""
    frames = frame["labels"].numpy()[None], frame["image_cg"].numpy()[None]
    brought = 100 + 0.8 * (region_colors(*frames, TABLE.num_classes, Regions(cell=4), np) - 160)
    return brought.clip(0, 255)


def test_a_frame_is_painted_in_its_own_colours_brought_to_the_real_ones(colored, frame):
    colors = colored.colors_of(frame)
    np.testing.assert_allclose(colors, given_colors(frame), atol=1e-3)
    labels, edges = frame["labels"][None], colored.redrawn_edges_of(frame)
    scene = network_input(labels, edges, TABLE.num_classes, given_colors(frame).astype("float32"))
    expected = to_uint8(colored.generator(scene), ops).numpy()[0].astype(int)
    for picture in (
        colored.picture(frame, redraw=True),
        colored.translate(
            frame["labels"].numpy(), frame["image_cg"].numpy(), ensemble_weights(1, 0)[0]
        ),
        colored.versions(frame, 2, seed=0)[1][0],
    ):
        assert np.abs(picture - expected).max() <= 1


def test_another_recolouring_gives_another_picture(colored, frame):
    scene = frame["labels"].numpy(), frame["image_cg"].numpy()
    default = colored.translate(*scene, None)
    same = colored.translate(*scene, None, palette().given())
    other = colored.translate(*scene, None, Recoloring.none(TABLE.num_classes))
    np.testing.assert_array_equal(default, same)
    assert not np.array_equal(default, other)


def test_a_model_without_appearance_has_no_colours(translator, frame):
    assert translator.colors_of(frame) is None
    with pytest.raises(ValueError, match="this model sees no colours"):
        translator.recoloring(None, 1)


def test_a_dned_that_sees_the_picture_is_shown_it(frame):
    translator = make(dned_sees="image")
    seen = translator.dned_input(frame["image_cg"][None])
    np.testing.assert_allclose(seen, frame["image_cg"].numpy()[None] / 127.5 - 1, atol=1e-6)
    edges = ensemble(translator.dned(seen), tf.constant(ensemble_weights(1, 0)))
    np.testing.assert_allclose(translator.redrawn_edges_of(frame), edges, atol=1e-5)
    expected = translator.paint(frame["labels"][None], edges)[0].numpy().astype(int)
    scene = frame["labels"].numpy(), frame["image_cg"].numpy()
    for picture in (
        translator.picture(frame, redraw=True),
        translator.translate(*scene, ensemble_weights(1, 0)[0]),
        translator.versions(frame, 2, seed=0)[1][0],
    ):
        assert np.abs(picture - expected).max() <= 1
    plain = translator.paint(frame["labels"][None], translator.edges_of(frame))[0]
    np.testing.assert_array_equal(translator.picture(frame, redraw=False), plain)
