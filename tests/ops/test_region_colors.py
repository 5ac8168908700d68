"""Colours of regions, against plain loops, and by what they must keep."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from sflowgan_tf.ops.preprocessing import recolored, region_colors
from sflowgan_tf.ops.settings import Regions

CLASSES = 3
VOID = 255


def scene(seed, height, width, classes=CLASSES, batch=1):
    draw = np.random.default_rng(seed)
    labels = draw.choice([*range(classes), VOID], (batch, height, width)).astype(np.uint8)
    return labels, draw.integers(0, 256, (batch, height, width, 3), np.uint8)


def by_loops(labels, image, classes, cell):
    """At a pixel: the means of its class in all cells, each weighed by its pixels and nearness.

    Nearness is 1 at the centre of a cell and falls to 0 at the next one's, along both axes; beyond
    the outermost centres it stays what it is there.
    """
    height, width = labels.shape
    kinds = np.minimum(labels, classes)
    rows, columns = -(-height // cell), -(-width // cell)
    colors = np.empty((height, width, 3))
    for y in range(height):
        for x in range(width):
            at_row = min(max((y + 0.5) / cell - 0.5, 0), rows - 1)
            at_column = min(max((x + 0.5) / cell - 0.5, 0), columns - 1)
            sums, count = np.zeros(3), 0.0
            for row in range(rows):
                for column in range(columns):
                    near = max(0, 1 - abs(at_row - row)) * max(0, 1 - abs(at_column - column))
                    if not near:
                        continue
                    part = np.s_[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
                    of_class = image[part][kinds[part] == kinds[y, x]].astype(float)
                    sums += near * of_class.sum(0)
                    count += near * len(of_class)
            colors[y, x] = sums / count
    return colors


# Whole cells, a part of one at the right and below, less than one, one pixel more than one.
@pytest.mark.parametrize(
    ("height", "width", "cell"), [(8, 12, 4), (7, 13, 4), (3, 5, 8), (9, 5, 4), (2, 2, 2)]
)
def test_they_are_what_plain_loops_give(height, width, cell):
    labels, image = scene(height + width, height, width, batch=2)
    colors = region_colors(labels, image, CLASSES, Regions(cell=cell), np)
    assert colors.dtype == np.float32 and colors.shape == (2, height, width, 3)
    for index in range(2):
        expected = by_loops(labels[index], image[index], CLASSES, cell)
        np.testing.assert_allclose(colors[index], expected, atol=1e-3)


def test_at_the_centre_of_a_cell_they_are_its_mean():
    labels, image = scene(1, 6, 9)
    colors = region_colors(labels, image, CLASSES, Regions(cell=3), np)
    for row in range(2):
        for column in range(3):
            part = np.s_[0, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            centre = (0, 3 * row + 1, 3 * column + 1)
            mean = image[part][labels[part] == labels[centre]].mean(axis=0)
            np.testing.assert_allclose(colors[centre], mean, atol=1e-3)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 20), st.integers(2, 20), st.integers(2, 9))
def test_no_colour_crosses_the_boundary_of_a_class(seed, height, width, cell):
    labels, image = scene(seed, height, width)
    colors = region_colors(labels, image, CLASSES, Regions(cell=cell), np)
    for kind in (*range(CLASSES), VOID):
        others = labels != kind
        painted_over = np.where(others[..., None], 255 - image, image)
        same = region_colors(labels, painted_over, CLASSES, Regions(cell=cell), np)
        np.testing.assert_array_equal(colors[~others], same[~others])


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 20), st.integers(2, 20), st.integers(2, 9))
def test_a_picture_of_one_colour_a_class_is_given_back(seed, height, width, cell):
    labels, _ = scene(seed, height, width)
    palette = np.random.default_rng(seed).integers(0, 256, (CLASSES + 1, 3), np.uint8)
    image = palette[np.minimum(labels, CLASSES)]
    for xp in (np, ops):
        colors = np.asarray(region_colors(labels, image, CLASSES, Regions(cell=cell), xp))
        np.testing.assert_allclose(colors, image, atol=1e-4)


def test_a_lamp_of_six_pixels_keeps_its_red():
    labels = np.zeros((1, 64, 64), np.uint8)
    image = np.full((1, 64, 64, 3), 40, np.uint8)
    lamp = np.s_[0, 30:33, 31:33]
    labels[lamp], image[lamp] = 1, (250, 10, 5)
    colors = region_colors(labels, image, CLASSES, Regions(cell=16), np)
    np.testing.assert_allclose(colors[lamp], np.broadcast_to([250, 10, 5], (3, 2, 3)), atol=1e-4)
    np.testing.assert_allclose(colors[0, 29], 40, atol=1e-4)


@pytest.mark.parametrize("xp", [np, ops])
def test_pixels_of_fine_classes_keep_their_colors(xp):
    labels, image = scene(4, 24, 40)
    regions = Regions(cell=16, fine=(2, 0))
    colors = np.asarray(region_colors(labels, image, CLASSES, regions, xp))
    for kind in (*range(CLASSES), VOID):
        averaged = region_colors(labels, image, CLASSES, Regions(cell=16), np)
        expected = image if kind in (0, 2) else averaged
        inside = labels == kind
        np.testing.assert_allclose(colors[inside], expected[inside], atol=1e-3)


def test_detail_within_a_cell_is_gone_and_what_is_far_apart_stays():
    labels = np.zeros((1, 16, 64), np.uint8)
    checks = np.indices((16, 64)).sum(0) % 2
    image = (np.where(checks, 60, 20) + np.where(np.arange(64) < 32, 0, 100))[None, ..., None]
    colors = region_colors(
        labels, np.repeat(image, 3, -1).astype(np.uint8), CLASSES, Regions(cell=16), np
    )
    np.testing.assert_allclose(colors[:, :, :24], 40, atol=1e-4)
    np.testing.assert_allclose(colors[:, :, 40:], 140, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 13)])
def test_numpy_eager_and_graph_agree(height, width):
    labels, image = scene(3, height, width, batch=2)
    draw = np.random.default_rng(0)
    scale = draw.uniform(0.5, 1, (2, CLASSES + 1, 3)).astype(np.float32)
    shift = draw.uniform(-50, 50, (2, CLASSES + 1, 3)).astype(np.float32)

    def whole(labels, image, xp):
        colors = region_colors(labels, image, CLASSES, Regions(cell=4), xp)
        return recolored(colors, labels, scale, shift, xp)

    of_any_size = tf.function(
        lambda labels, image: whole(labels, image, ops),
        input_signature=[
            tf.TensorSpec([None, None, None], tf.uint8),
            tf.TensorSpec([None, None, None, 3], tf.uint8),
        ],
    )
    by_numpy = whole(labels, image, np)
    assert isinstance(by_numpy, np.ndarray) and by_numpy.dtype == np.float32
    np.testing.assert_allclose(np.asarray(whole(labels, image, ops)), by_numpy, atol=1e-3)
    np.testing.assert_allclose(of_any_size(labels, image), by_numpy, atol=1e-3)


@pytest.mark.parametrize("xp", [np, ops])
def test_each_class_of_each_scene_is_recoloured_by_itself(xp):
    labels = np.array([[[0, 1], [2, VOID]], [[0, 0], [VOID, 2]]], np.uint8)
    colors = np.full((2, 2, 2, 3), 100, np.float32)
    scale, shift = np.ones((2, 4, 3), np.float32), np.zeros((2, 4, 3), np.float32)
    scale[0, 1], shift[0, 1] = 0.5, (10, 20, 30)
    shift[0, 3] = 200  # void; clipped
    shift[1, 0], shift[1, 2] = 7, -101
    out = np.asarray(recolored(colors, labels, scale, shift, xp))
    expected = [
        [[[100] * 3, [60, 70, 80]], [[100] * 3, [255] * 3]],
        [[[107] * 3, [107] * 3], [[100] * 3, [0] * 3]],
    ]
    assert out.dtype == np.float32 and out.tolist() == expected
