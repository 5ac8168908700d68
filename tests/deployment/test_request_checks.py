"""Each check refuses what it is for with a sentence, and gives the rest back as it is."""

from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.deployment import request_checks
from sflowgan_tf.ops.classes import TABLES

CLASSES = 13


def graph(function, *specs):
    """The function as a graph that knows nothing of sizes."""
    return tf.function(function, input_signature=[tf.TensorSpec(*spec) for spec in specs])


label_map = graph(lambda x: request_checks.label_map(x, CLASSES), ([None, None, None], tf.uint8))
same_size = graph(
    lambda x, y: request_checks.same_size(x, y, "image"),
    ([None, None, None], tf.uint8),
    ([None, None, None, None], tf.uint8),
)
weights = graph(
    request_checks.ensemble_weights, ([None, 6], tf.float32), ([None, None, None], tf.uint8)
)
edges = graph(request_checks.edges, ([None, None, None, 1], tf.float32))
label_files = graph(
    lambda files: request_checks.label_files(files, TABLES["synthia"]), ([None], tf.string)
)
image_files = graph(request_checks.image_files, ([None], tf.string))


def refused(sentence):
    return pytest.raises(tf.errors.InvalidArgumentError, match=sentence)


def test_ids_of_the_table_and_void_pass():
    ids = np.array([[[*range(CLASSES), 255]]], np.uint8)
    np.testing.assert_array_equal(label_map(ids), ids)


@pytest.mark.parametrize("wrong", [CLASSES, 77, 254])
def test_an_id_outside_the_table_is_named(wrong):
    ids = np.full((2, 4, 4), 255, np.uint8)
    ids[1, 2, 3] = wrong
    sentence = rf"labels: class id {wrong} is outside the table, which has 13 classes; .* 0 to 12"
    with refused(sentence):
        label_map(ids)


def test_sizes_that_differ_are_named():
    labels = np.zeros((2, 4, 6), np.uint8)
    passed = same_size(labels, np.ones((2, 4, 6, 3), np.uint8))
    np.testing.assert_array_equal(passed[1], 1)
    for shape in ((2, 4, 5, 3), (2, 6, 4, 3), (1, 4, 6, 3)):
        numbers = " x ".join(map(str, shape[:3]))
        with refused(f"labels and image differ .*labels have 2 x 4 x 6, image {numbers}"):
            same_size(labels, np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(0, 4, 4), (1, 1, 4), (1, 4, 1)])
def test_what_is_too_small_for_edges_is_refused(shape):
    with refused("at least one map of 2 x 2 pixels, got " + " x ".join(map(str, shape))):
        same_size(np.zeros(shape, np.uint8), np.zeros((*shape, 3), np.uint8))


def test_weights_must_be_something_to_normalise():
    labels = np.zeros((2, 4, 4), np.uint8)
    fine = np.array([[1, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 3]], np.float32)
    np.testing.assert_array_equal(weights(fine, labels), fine)
    with refused("a row for each label map, got 1 rows for 2"):
        weights(fine[:1], labels)
    for wrong in (-1, np.nan, np.inf):
        bad = fine.copy()
        bad[1, 1] = wrong
        with refused("ensemble_weights: expected numbers from 0 on"):
            weights(bad, labels)
    with refused("ensemble_weights: expected numbers from 0 on"):
        weights(fine * [[0], [1]], labels)


def test_edges_lie_between_0_and_1():
    fine = np.array([0, 0.5, 1], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_array_equal(edges(fine), fine)
    for wrong in (-0.1, 1.1, np.nan):
        with refused("edges: expected numbers from 0 to 1"):
            edges(np.where(fine == 0.5, np.float32(wrong), fine))


def png(array, suffix=".png", **how):
    return cv2.imencode(suffix, array, [*how.get("flags", [])])[1].tobytes()


IDS = np.arange(12, dtype=np.uint8).reshape(3, 4)
PICTURE = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)


# Sky, road and void of SYNTHIA, by its ReadMe, and the indices that they have in records.
COLORS = np.array([[[128, 128, 128], [128, 64, 128], [0, 0, 0]]] * 2, np.uint8)
INDICES = [[0, 2, 255]] * 2


def stored(pixels, mode=None, **options):
    """A PNG of a mode of Pillow's."""
    file = BytesIO()
    Image.fromarray(pixels, mode).save(file, "png", **options)
    return file.getvalue()


def palette(*colors):
    """A PNG whose pixels, 0, 1 and 2 in each of two rows, are places in a table of colours."""
    image = Image.fromarray(np.array([[0, 1, 2]] * 2, np.uint8), "P")
    image.putpalette(np.ravel(colors).tolist())
    file = BytesIO()
    image.save(file, "png")
    return file.getvalue()


def test_label_maps_come_out_of_png_files_as_they_went_in():
    np.testing.assert_array_equal(label_files([png(IDS), png(IDS + 1)]), [IDS, IDS + 1])


def test_label_maps_may_hold_the_classes_colours(tmp_path):
    opaque = np.dstack([COLORS, np.full((2, 3), 255, np.uint8)])
    clear = np.dstack([COLORS, np.zeros((2, 3), np.uint8)])
    grey = np.array(INDICES, np.uint8)
    files = [stored(pixels) for pixels in (COLORS, opaque, clear, grey)]
    files.append(stored(COLORS, transparency=(128, 64, 128)))
    np.testing.assert_array_equal(label_files(files), [INDICES] * len(files))
    for file in files[:3]:  # as translate reads them
        (tmp_path / "colors.png").write_bytes(file)
        labels = read_labels(tmp_path / "colors.png", TABLES["synthia"])
        np.testing.assert_array_equal(labels, INDICES)


def test_each_class_has_its_colour():
    for table in TABLES.values():
        pixels = np.array([[*table.color_indices]], np.uint8)
        expected = [[[*table.color_indices.values()]]]
        np.testing.assert_array_equal(request_checks.label_files([stored(pixels)], table), expected)


def test_colours_of_a_table_that_has_none_are_refused():
    table = replace(TABLES["synthia"], color_ids={})
    np.testing.assert_array_equal(request_checks.label_files([png(IDS)], table), [IDS])
    with refused("class table .*synthia.* has no colours; send class indices"):
        request_checks.label_files([stored(COLORS)], table)


@pytest.mark.parametrize("off", [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_a_colour_that_is_not_exact_is_named(off):
    wrong = COLORS.copy()
    wrong[0, 1] += np.array(off, np.uint8)
    named = ", ".join(str(level) for level in np.add((128, 64, 128), off))
    with refused(f"labels_bytes: colour {named} is none of class table .*synthia"):
        label_files([stored(COLORS), stored(wrong)])


def test_ids_in_the_red_channel_are_never_taken_for_indices():
    red = np.dstack([np.full((2, 3), 3, np.uint8), *[np.zeros((2, 3), np.uint8)] * 2])
    for pixels in (red, np.full((2, 3, 3), 3, np.uint8)):
        with refused("labels_bytes: colour 3, "):
            label_files([stored(pixels)])


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "labels_bytes: expected PNG files, got something else"),
        (b"\x89PNG", "labels_bytes: expected PNG files, got something else"),
        (b"no picture at all, but long enough for a head", "expected PNG files"),
        (png(IDS, ".jpg"), "expected PNG files, got something else; JPEG changes class ids"),
        (png(PICTURE), "labels_bytes: colour .* is none of class table"),
        (png(IDS.astype(np.uint16)), "8 bits, .* another depth"),
        (png(IDS % 2, flags=[cv2.IMWRITE_PNG_BILEVEL, 1]), "8 bits, .* another depth"),
        (png(COLORS.astype(np.uint16) * 257), "8 bits, .* another depth"),
        (palette(*COLORS[0]), "8 bits, .* a palette"),
        (palette((0, 0, 0), (1, 1, 1), (2, 2, 2)), "8 bits, .* a palette"),
        (stored(np.dstack([IDS, IDS]), "LA"), "8 bits, .* grey with alpha"),
        (png(IDS)[:-20], "PNG"),
        (png(IDS)[:40], "PNG"),
        (png(IDS)[:33], "PNG"),
    ],
    ids=range(14),
)
def test_what_is_no_label_map_is_refused(file, sentence):
    with refused(sentence):
        label_files([png(IDS), file])
    with refused(sentence):
        label_files([file])


def test_pictures_come_as_png_or_jpeg():
    rgb = PICTURE[..., ::-1]
    decoded = image_files([png(PICTURE), png(PICTURE, ".jpg")])
    np.testing.assert_array_equal(decoded[0], rgb)
    np.testing.assert_array_equal(decoded[1], tf.io.decode_jpeg(png(PICTURE, ".jpg")))
    np.testing.assert_array_equal(image_files([png(IDS)])[0, ..., 2], IDS)


LARGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.mark.parametrize(
    "file",
    [b"", b"\xff\xd8\xff", png(LARGE)[:-500], png(LARGE, ".jpg")[:-500], b"\xff\xd8\xff" * 20],
    ids=range(5),
)
def test_what_is_no_picture_is_refused(file):
    with refused("PNG|JPEG"):
        image_files([file])


def test_other_kinds_of_pictures_are_refused():
    with refused("image_bytes: expected PNG or JPEG files, got something else"):
        image_files([png(LARGE, ".bmp")])


def test_files_of_one_request_have_one_size_and_are_not_none():
    for decode, name, picture in (
        (label_files, "labels_bytes", IDS),
        (image_files, "image_bytes", PICTURE),
    ):
        with refused(f"{name}: the pictures of one request differ in size"):
            decode([png(picture), png(picture[:, :3])])
        with refused(f"{name}: expected at least one file, got none"):
            decode(np.array([], object))
