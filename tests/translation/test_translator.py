import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.training.sheets import film, flow, painted, scenes, variations
from sflowgan_tf.translation.translator import Translator

TABLE = TABLES["synthia"]


def make(**more):
    keras.utils.set_random_seed(0)
    generator, dned = GlobalGenerator(4, 1, 1), DNED(2)
    generator.build((None, None, None, TABLE.num_classes + 1))
    dned.build((None, None, None, 1))
    return Translator(
        generator=generator,
        dned=dned,
        num_classes=TABLE.num_classes,
        edge_settings=EdgeSettings(),
        **more,
    )


@pytest.fixture(scope="module")
def translator():
    return make()


@pytest.fixture
def frame():
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


def test_ensemble_weights_begin_with_equal_ones_and_go_on_by_the_seed():
    four, more = ensemble_weights(4, seed=3), ensemble_weights(6, seed=3)
    np.testing.assert_allclose(four[0], 1 / 6)
    np.testing.assert_allclose(four.sum(-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(four, more[:4])
    assert not np.allclose(four[1:], ensemble_weights(4, seed=4)[1:])
    assert four.dtype == np.float32


@pytest.mark.parametrize("seed", range(20))
def test_the_first_variations_favour_three_coarse_side_outputs(seed):
    average = np.mean([ensemble_weights(4, seed + 100 * i)[1:].max(-1) for i in range(10)])
    assert average > 0.6
    mostly = [ensemble_weights(7, seed)[i].argmax() for i in range(1, 7)]
    assert len(set(mostly)) >= 4


def test_the_sheet_shows_each_frame_in_a_row(translator, frame):
    plain, redrawn = (scenes(translator, TABLE, [frame, frame], redraw=r) for r in (False, True))
    assert plain.shape == (22 + 2 * (11 + 4), 6 * (18 + 4) - 4, 3)
    row = plain[22:33]
    np.testing.assert_array_equal(row[:, :18], TABLE.colorize(frame["labels"].numpy()))
    np.testing.assert_array_equal(row[:, -18:], frame["image_real"])
    assert not np.array_equal(plain[22:33, 88:106], redrawn[22:33, 88:106])


@pytest.mark.parametrize("edge_map", ["instances", "none"])
def test_a_sheet_and_a_film_without_a_dned_are_painted_from_what_there_is(frame, edge_map):
    translator = make(edge_map=edge_map)
    edges = translator.edges_of(frame)
    painted_from_it = translator.paint(frame["labels"][None], edges)[0]
    for redraw in (False, True):
        sheet = scenes(translator, TABLE, [frame], redraw)
        assert sheet.shape == (22 + 11 + 4, 5 * (18 + 4) - 4, 3)
        shown = [sheet[22:33, 22 * column : 22 * column + 18] for column in range(5)]
        np.testing.assert_array_equal(shown[2][..., 0], 255 * edges[0, ..., 0])
        np.testing.assert_array_equal(shown[3], painted_from_it)
        np.testing.assert_array_equal(shown[4], frame["image_real"])
    np.testing.assert_array_equal(painted(translator, [frame, frame])[1], painted_from_it)


def test_variations_differ_and_show_their_edges(translator, frame):
    sheet = variations(translator, frame, seed=0)
    assert sheet.shape == (22 + 2 * (11 + 4), 4 * (18 + 4) - 4, 3)
    first, second = sheet[37:48, :18], sheet[37:48, 22:40]
    assert not np.array_equal(first, second)


FARNEBACK = Farneback(levels=1, winsize=7, iterations=1, poly_n=3, poly_sigma=1.0)


@pytest.fixture
def drive(frame):
    """Three frames: the same one, moved two pixels to the right each time."""
    pictures = ("labels", "edges_cg", "image_cg", "image_real")
    return [{name: tf.roll(frame[name], 2 * i, axis=1) for name in pictures} for i in range(3)]


def test_a_film_shows_given_result_and_real_beside_each_other(translator, drive):
    pictures = painted(translator, drive)
    shown = film(drive, pictures)
    assert shown.shape == (3, 11, 3 * 18, 3)
    assert shown.dtype == np.uint8
    for index, frame in enumerate(drive):
        np.testing.assert_array_equal(shown[index, :, :18], frame["image_cg"])
        np.testing.assert_array_equal(shown[index, :, 18:36], pictures[index])
        np.testing.assert_array_equal(shown[index, :, 36:], frame["image_real"])
        equal = tf.constant(ensemble_weights(1, 0))
        edges = translator.redraw(tf.cast(frame["edges_cg"], tf.float32)[None], equal)
        np.testing.assert_array_equal(
            pictures[index], translator.paint(frame["labels"][None], edges)[0]
        )


def test_the_flow_sheet_has_a_row_a_pair_and_the_same_colours_for_the_same_motion(drive):
    real = np.stack([frame["image_real"] for frame in drive])
    sheet = flow(drive, real, FARNEBACK)
    assert sheet.shape == (22 + 2 * (11 + 4), 4 * (18 + 4) - 4, 3)
    for row in (sheet[22:33], sheet[37:48]):
        of_real, of_fake = row[:, 22:40], row[:, 44:62]
        np.testing.assert_array_equal(of_real, of_fake)
        assert len(np.unique(of_real.reshape(-1, 3), axis=0)) > 10
        np.testing.assert_array_equal(row[:, :18], row[:, 66:])
