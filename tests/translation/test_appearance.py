"""Choices of colours, for sets of frames of the training's simulator and of another."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.palette import ClassColors, Palette
from sflowgan_tf.translation.appearance import AppearanceChoice, SetColors
from sflowgan_tf.utils.errors import UserError

TABLE = TABLES["cityscapes"]
ROAD, CAR, KINDS = 0, 13, TABLE.num_classes + 1  # label ids 7 and 26


def colors(level, spread):
    gray = np.full((KINDS, 3), level, np.float32)
    return ClassColors(mean=gray, spread=np.full_like(gray, spread))


PALETTE = Palette(
    real=colors(100, 8),
    simulator=colors(160, 20),
    clusters=np.stack([colors(90, 0).mean, colors(120, 0).mean]),
    frames=np.stack([colors(90, 0).mean, colors(125, 0).mean]),
)
FOREIGN = replace(PALETTE, simulator=None)


def frame(road, car):
    """Label map and frame, 4x2: three quarters road, one car."""
    labels = np.array([[ROAD, ROAD, ROAD, CAR]] * 2, np.uint8)
    return labels, np.repeat(np.where(labels == ROAD, road, car)[..., None], 3, -1).astype(np.uint8)


def measured(*levels):
    return SetColors.of((frame(*pair) for pair in levels), TABLE.num_classes)


def recolored(text, palette, given, kind, level, seed=0):
    """What a level of a class becomes."""
    recoloring = AppearanceChoice.parse(text).aim(palette, TABLE)(given, seed)
    (out,) = set(recoloring.scale[kind] * level + recoloring.shift[kind])
    return out


def test_a_set_is_measured_by_class_and_altogether():
    given = measured((10, 50), (30, 90))
    assert given.classes.mean[ROAD].tolist() == [20] * 3
    assert given.classes.spread[CAR].tolist() == [20] * 3
    pixels = np.array([10, 10, 10, 50, 30, 30, 30, 90])
    np.testing.assert_allclose(given.tone.mean, pixels.mean(), rtol=1e-9)
    np.testing.assert_allclose(given.tone.spread, pixels.std(), rtol=1e-9)


def test_the_trainings_simulator_starts_from_all_that_it_showed_there():
    """One bright car stays bright: 20 above the simulator's mean, 0.4 of that above the real."""
    given = measured((150, 180), (150, 180))
    assert given.source(PALETTE) is None
    assert recolored("given", PALETTE, given, CAR, 180) == pytest.approx(108)
    assert recolored("cluster:1", PALETTE, given, CAR, 180) == pytest.approx(128)


def test_another_simulator_starts_from_its_own_colours():
    given = measured((20, 30), (40, 50))
    assert given.source(PALETTE) is given.classes
    for palette in (PALETTE, FOREIGN):
        assert recolored("given", palette, given, ROAD, 30) == pytest.approx(100)
        assert recolored("given", palette, given, ROAD, 40) == pytest.approx(108)
        assert recolored("cluster:0", palette, given, CAR, 40) == pytest.approx(90)


def test_drawn_colours_are_those_of_the_seed():
    given = measured((150, 180))
    drawn = [recolored("random", PALETTE, given, CAR, 160, seed) for seed in range(8)]
    assert {round(level) for level in drawn} == {92, 120}
    assert drawn == [recolored("random", PALETTE, given, CAR, 160, seed) for seed in range(8)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A picture, 40 on the left and 80 on the right, and its label map: road, and void (0)."""
    monkeypatch.chdir(tmp_path)
    image = np.repeat(np.where(np.arange(8) < 4, 40, 80)[None, :, None], 2, 0)
    cv2.imwrite("a,b.png", np.repeat(image, 3, -1).astype(np.uint8))
    cv2.imwrite("labels.png", np.repeat(np.where(np.arange(8) < 4, 7, 0)[None], 2, 0).astype("u1"))
    cv2.imwrite("small.png", np.full((2, 2), 7, np.uint8))
    cv2.imwrite("wild.png", np.full((2, 8), 77, np.uint8))
    (tmp_path / "text.txt").write_text("no picture")
    return tmp_path


def test_like_a_picture_moves_all_classes_alike(here):
    given = measured((100, 180), (100, 180))
    for level, kind in ((100, ROAD), (180, CAR), (140, CAR)):
        expected = 60 + 20 / given.tone.spread[0] * (level - 120)
        assert recolored("like:a,b.png", PALETTE, given, kind, level) == pytest.approx(expected)
    flat = measured((50, 50))
    assert recolored("like:a,b.png", PALETTE, flat, ROAD, 51) == pytest.approx(61)


def test_like_a_picture_with_its_labels_takes_the_colours_of_classes(here):
    given = measured((150, 180))
    for kind, expected in ((ROAD, 40), (CAR, 100)):  # it has no car
        level = recolored("like:a,b.png,labels.png", PALETTE, given, kind, 160)
        assert level == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "--appearance : expected given, like:PICTURE, like:PICTURE,LABELS, cluster:N or rand"),
        ("Given", "--appearance Given: expected given, "),
        ("given:1", "--appearance given:1: expected given, "),
        ("cluster", "--appearance cluster: expected given, "),
        ("cluster:-1", "--appearance cluster:-1: expected given, "),
        ("like:", "--appearance like:: expected given, "),
        ("cluster:2", "--appearance cluster:2: this model has clusters 0 to 1"),
        ("like:no.png", r"--appearance like:no\.png: no file no\.png"),
        ("like:a,b.png,no.png", r"like:a,b\.png,no\.png: no file no\.png"),
        ("like:text.txt", r"like:text\.txt: text\.txt is no picture \(\.png, \.jpg, \.jpeg\)"),
        ("like:a,b.png,small.png", r"small\.png is 2x2, but a,b\.png is 8x2; expected the same"),
        ("like:a,b.png,wild.png", r"wild\.png: .* 77 "),
    ],
)
def test_wrong_choices_are_sentences(here, text, sentence):
    with pytest.raises(UserError, match=sentence):
        AppearanceChoice.parse(text).aim(PALETTE, TABLE)
