import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.playing.canvas import DRAWN, RUBBED_OUT, Canvas
from sflowgan_tf.playing.easel import Easel, Studio
from sflowgan_tf.playing.recipe import Look
from sflowgan_tf.translation.appearance import AppearanceChoice, SetColors, Tone
from sflowgan_tf.translation.model import Model
from sflowgan_tf.utils.errors import UserError
from tests.colors import appearance_of
from tests.translation.test_translator import make

TABLE = TABLES["synthia"]
WEIGHTS = (0.5, 0.0, 0.0, 0.125, 0.25, 0.125)


def easel_of(**settings):
    translator = make(**settings)
    return Easel(
        Model(
            engine=translator,
            classes=TABLE,
            size=(32, 16),
            flow=Farneback(),
            edge_map=translator.edge_map,
            palette=translator.appearance and translator.appearance.palette,
            origin={"run": "city", "step": "7"},
        ),
        translator,
    )


@pytest.fixture(scope="module")
def plain():
    return easel_of()


@pytest.fixture(scope="module")
def colored():
    return easel_of(appearance=appearance_of(13), dned_sees="image")


def canvas(strokes=()):
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 13, (16, 32)).astype(np.uint8)
    frame = draw.integers(0, 256, (16, 32, 3)).astype(np.uint8)
    marks = np.zeros_like(labels)
    for row, column, mark in strokes:
        marks[row, column] = mark
    return Canvas(labels=labels, frame=frame, strokes=marks)


@pytest.mark.parametrize("weights", [WEIGHTS, (1 / 6,) * 6, (2, 2, 2, 2, 2, 2)])
def test_an_untouched_scene_is_painted_as_the_model_paints_it(plain, weights):
    one = canvas()
    painted = plain.paint(one, Look(weights=weights))
    expected = plain.model.translate(one.labels, one.frame, np.array(weights))
    np.testing.assert_array_equal(painted.picture, expected)


def test_without_the_dned_the_laplacians_edges_are_painted_from(plain):
    one = canvas()
    painted = plain.paint(one, Look(weights=None))
    expected = plain.model.translate(one.labels, one.frame, edges="laplacian")
    np.testing.assert_array_equal(painted.picture, expected)
    assert {*painted.edges.flat} == {0, 1}


@pytest.mark.parametrize("appearance", ["cluster:2", "random"])
def test_colours_are_the_palettes(colored, appearance):
    one, palette = canvas(), colored.model.palette
    source = SetColors.of([(one.labels, one.frame)], 13).source(palette)
    chosen = palette.cluster(2, source) if appearance != "random" else palette.drawn(3, source)
    painted = colored.paint(one, Look(weights=WEIGHTS, appearance=appearance, seed=3))
    expected = colored.model.translate(one.labels, one.frame, np.array(WEIGHTS), appearance=chosen)
    np.testing.assert_array_equal(painted.picture, expected)


def test_like_a_picture_is_what_translate_means_by_it(colored, tmp_path):
    picture = np.random.default_rng(5).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "like.png")
    one, palette = canvas(), colored.model.palette
    aim = AppearanceChoice.parse(f"like:{tmp_path / 'like.png'}").aim(palette, TABLE)
    expected = aim(SetColors.of([(one.labels, one.frame)], 13), 0)
    found = colored.recoloring([one], Look(appearance="like", tone=Tone.of(picture)))
    np.testing.assert_allclose(found.scale, expected.scale)
    np.testing.assert_allclose(found.shift, expected.shift)


def test_drawn_edges_are_what_the_generator_sees(plain):
    one = canvas([(3, 4, DRAWN), (8, 20, RUBBED_OUT)])
    before = plain.paint(canvas(), Look()).edges
    painted = plain.paint(one, Look())
    expected = before.copy()
    expected[3, 4], expected[8, 20] = 1, 0
    np.testing.assert_array_equal(painted.edges, expected)
    generated = plain.model.engine.paint(
        tf.constant(one.labels[None]), tf.constant(expected[None, ..., None])
    )
    np.testing.assert_array_equal(painted.picture, generated[0].numpy())
    assert (painted.picture != plain.paint(canvas(), Look()).picture).any()


@pytest.mark.parametrize("appearance", ["cluster:8", "cluster:-1", "like", "violet"])
def test_an_appearance_that_the_model_lacks_is_refused(colored, appearance):
    with pytest.raises(UserError, match="this model knows given, cluster:0"):
        colored.paint(canvas(), Look(appearance=appearance))


def test_a_model_without_colours_has_one_appearance(plain, colored):
    assert plain.appearances == ["given"]
    assert colored.appearances == ["given", *(f"cluster:{n}" for n in range(8)), "random", "like"]


def test_a_brush_has_the_simulators_colour_or_else_the_tables(plain, colored):
    assert plain.brush_colors.tolist() == [list(color) for color in TABLE.colors]
    mean = colored.model.palette.simulator.mean
    assert colored.brush_colors[7].tolist() == np.rint(mean[7]).astype(int).tolist()
    assert colored.brush_colors[3].tolist() == list(TABLE.colors[3])  # which its frames lack


@pytest.fixture
def home(archive, tmp_path, monkeypatch):
    shutil.copytree(archive / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)


def test_a_studio_has_the_runs_that_paint(home):
    studio = Studio("painter")
    assert studio.names == ["painter", "minicity"]
    assert studio.easel("painter") is studio.easel("painter")
    for other in ("judge", "../runs/painter", ""):
        with pytest.raises(UserError, match="expected painter, minicity"):
            studio.easel(other)


def test_what_can_not_be_played_with_is_refused(home):
    with pytest.raises(UserError, match="nobody"):
        Studio("nobody")
