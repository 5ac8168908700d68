import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.palette import ColorInput
from sflowgan_tf.ops.settings import Farneback, Regions
from sflowgan_tf.training.sheets import film, flow, scenes, variations
from tests.translation.test_translator import make, palette, record

TABLE = TABLES["synthia"]


@pytest.fixture(scope="module")
def translator():
    return make()


@pytest.fixture
def frame():
    return record()


def test_the_sheet_shows_each_frame_in_a_row(translator, frame):
    plain, redrawn = (scenes(translator, TABLE, [frame, frame], redraw=r) for r in (False, True))
    assert plain.shape == (22 + 2 * (11 + 4), 6 * (18 + 4) - 4, 3)
    row = plain[22:33]
    np.testing.assert_array_equal(row[:, :18], TABLE.colorize(frame["labels"].numpy()))
    np.testing.assert_array_equal(row[:, -18:], frame["image_real"])
    assert not np.array_equal(plain[22:33, 88:106], redrawn[22:33, 88:106])


@pytest.mark.parametrize("edge_map", ["instances", "none"])
def test_a_sheet_without_a_dned_is_painted_from_what_there_is(frame, edge_map):
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


def test_a_sheet_shows_the_colours_that_a_model_sees(frame):
    translator = make(appearance=ColorInput(regions=Regions(cell=4), palette=palette()))
    sheet = scenes(translator, TABLE, [frame], redraw=True)
    assert sheet.shape == (22 + 11 + 4, 7 * (18 + 4) - 4, 3)
    shown = [sheet[22:33, 22 * column : 22 * column + 18] for column in range(7)]
    np.testing.assert_array_equal(shown[4], np.rint(translator.colors_of(frame)[0]))
    np.testing.assert_array_equal(shown[5], translator.picture(frame, redraw=True))
    assert variations(translator, frame, seed=0).shape == (22 + 2 * (11 + 4), 4 * 22 - 4, 3)


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


def test_a_film_shows_given_result_and_real_beside_each_other(drive):
    pictures = np.stack([255 - frame["image_real"].numpy() for frame in drive])
    images = film(drive, pictures)
    assert images.shape == (3, 11, 3 * 18, 3)
    assert images.dtype == np.uint8
    for index, frame in enumerate(drive):
        np.testing.assert_array_equal(images[index, :, :18], frame["image_cg"])
        np.testing.assert_array_equal(images[index, :, 18:36], pictures[index])
        np.testing.assert_array_equal(images[index, :, 36:], frame["image_real"])


def test_the_flow_sheet_has_a_row_a_pair_and_the_same_colours_for_the_same_motion(drive):
    real = np.stack([frame["image_real"] for frame in drive])
    sheet = flow(drive, real, FARNEBACK)
    assert sheet.shape == (22 + 2 * (11 + 4), 4 * (18 + 4) - 4, 3)
    for row in (sheet[22:33], sheet[37:48]):
        of_real, of_fake = row[:, 22:40], row[:, 44:62]
        np.testing.assert_array_equal(of_real, of_fake)
        assert len(np.unique(of_real.reshape(-1, 3), axis=0)) > 10
        np.testing.assert_array_equal(row[:, :18], row[:, 66:])
