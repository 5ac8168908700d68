import math

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.settings import EdgeSettings
from tests import places

GOLDEN = np.load(places.GOLDEN)


def by_opencv(image, blur):
    grey = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)
    if blur:
        size = 2 * math.ceil(3 * blur) + 1
        grey = cv2.GaussianBlur(grey, (size, size), blur, borderType=cv2.BORDER_REFLECT_101)
    return cv2.Laplacian(grey, cv2.CV_32F, ksize=3, borderType=cv2.BORDER_REFLECT_101)


@pytest.mark.parametrize("size", [(2, 2), (3, 7), (40, 31)])
@pytest.mark.parametrize("blur", [0.0, 0.7, 2.5])
def test_edges_are_opencvs(size, blur):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    laplacian = np.abs(by_opencv(image, blur))
    edges = np.asarray(laplacian_edges(image[None], EdgeSettings(blur=blur)))
    assert edges.shape == (1, *size, 1) and edges.dtype == np.float32
    clear = np.abs(laplacian - 60) > 1e-3  # rounding decides the others
    assert (edges[0, ..., 0] == (laplacian > 60))[clear].all()


def test_the_blur_is_tensorflow_ios():
    laplacian = np.abs(cv2.Laplacian(GOLDEN["gaussian_y"][0], cv2.CV_32F, ksize=3))
    threshold = float(np.round(np.median(laplacian), 3))
    pictures = np.repeat(GOLDEN["gaussian_grey"], 3, axis=-1)
    edges = np.asarray(laplacian_edges(pictures, EdgeSettings(threshold=threshold, blur=1.2)))
    clear = np.abs(laplacian - threshold) > 2e-2
    assert clear.mean() > 0.9
    assert (edges[0, ..., 0] == (laplacian > threshold))[clear].all()


def random_frames(draw):
    return draw.integers(0, 256, (2, 33, 47, 3), np.uint8)


def grey_frames(draw):
    """Their Laplacian is a whole number, so it is the threshold at many pixels."""
    return np.repeat(draw.integers(90, 120, (2, 64, 64, 1), np.uint8), 3, axis=-1)


def flat_frames(draw):
    return draw.integers(90, 110, (2, 4, 6, 3), np.uint8).repeat(8, 1).repeat(8, 2)


@pytest.mark.parametrize("threshold", [60.0, 0.0, 16.0, 59.999, 1.005])
@pytest.mark.parametrize("frames", [random_frames, grey_frames, flat_frames])
def test_all_backends_draw_the_same_edges_to_the_last_pixel(frames, threshold):
    images, settings = frames(np.random.default_rng(0)), EdgeSettings(threshold=threshold)
    thousandths = images.astype(int) @ [299, 587, 114]
    padded = np.pad(thousandths, [(0, 0), (1, 1), (1, 1)], "reflect")
    corners = padded[:, :-2, :-2] + padded[:, :-2, 2:] + padded[:, 2:, :-2] + padded[:, 2:, 2:]
    laplacian = np.abs(2 * corners - 8 * thousandths)
    expected = laplacian > round(1000 * threshold)
    if frames is grey_frames and threshold in (60.0, 16.0):
        assert (laplacian == 1000 * threshold).any(), "no tie to decide"

    def eager(images):
        return laplacian_edges(images, settings)

    any_size = [tf.TensorSpec([None, None, None, 3], tf.uint8)]
    ways = {
        "eager": eager,
        "graph": tf.function(eager, input_signature=any_size),
        "XLA": tf.function(eager, jit_compile=True),
        "NumPy": lambda images: preprocessing.laplacian_edges(images, settings, np),
        "floats": lambda images: eager(images.astype(np.float32)),
    }
    for name, way in ways.items():
        edges = np.asarray(way(images))
        assert edges.dtype == np.float32 and edges.shape == (*expected.shape, 1)
        np.testing.assert_array_equal(edges[..., 0], expected, name)


@pytest.mark.parametrize(("blur", "threshold"), [(0.7, 16.0), (2.5, 3.0)])
def test_blurred_edges_are_those_of_a_device(blur, threshold):
    settings = EdgeSettings(threshold=threshold, blur=blur)
    for frames in (random_frames, grey_frames, flat_frames):
        images = frames(np.random.default_rng(1))
        edges = preprocessing.laplacian_edges(images, settings, np)
        np.testing.assert_array_equal(laplacian_edges(images, settings), edges)


def test_a_line_has_two_sides_and_a_plane_none():
    image = np.full((1, 6, 7, 3), 100, np.uint8)
    assert not np.asarray(laplacian_edges(image, EdgeSettings(threshold=0.01))).any()
    image[:, :, 3:] = 110  # a step of 10 grey levels: the Laplacian is 40 on both sides
    columns = np.asarray(laplacian_edges(image, EdgeSettings(threshold=39.0)))[0, :, :, 0]
    assert columns.tolist() == [[0, 0, 1, 1, 0, 0, 0]] * 6
    assert not np.asarray(laplacian_edges(image, EdgeSettings(threshold=41.0))).any()


def test_a_float_picture_and_any_size_inside_a_graph_give_the_same():
    image = np.random.default_rng(1).integers(0, 256, (2, 12, 9, 3), dtype=np.uint8)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def in_graph(images):
        return laplacian_edges(images, EdgeSettings(blur=1.0))

    assert (
        (
            in_graph(image.astype(np.float32)).numpy()
            == laplacian_edges(image, EdgeSettings(blur=1.0))
        )
        .numpy()
        .all()
    )


def test_boundaries_are_on_both_sides_of_a_change_of_class_or_instance():
    labels = np.uint8([[[1, 1, 1, 255], [1, 1, 1, 255], [2, 2, 1, 1]]])
    instances = np.uint16([[[0, 0, 7, 0], [0, 0, 7, 0], [0, 0, 0, 0]]])
    marked = np.asarray(instance_boundaries(labels, instances))
    assert marked.dtype == np.float32 and marked.shape == (1, 3, 4, 1)
    assert marked[0, ..., 0].tolist() == [[0, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


def test_one_instance_number_in_two_classes_is_two_instances_and_the_border_none():
    numbers = np.full((2, 3, 5), 65535, np.uint16)
    labels = np.zeros((2, 3, 5), np.uint8)
    assert not np.asarray(instance_boundaries(labels, numbers)).any()
    labels[1, :, 3:] = 254
    columns = np.asarray(instance_boundaries(labels, numbers))[..., 0]
    assert not columns[0].any() and columns[1].tolist() == [[0, 0, 1, 1, 0]] * 3


def test_boundaries_are_those_of_pix2pixhd():
    """Its `get_edges`, in NumPy, of its map: class id, or class id times 1000 plus number."""
    draw = np.random.default_rng(4)
    labels = draw.integers(0, 3, (2, 4, 5), dtype=np.uint8).repeat(6, 1).repeat(6, 2)
    instances = draw.integers(0, 2, (2, 3, 6), dtype=np.uint16).repeat(8, 1).repeat(5, 2)
    t = np.where(instances > 0, 1000 * (labels + 1.0) + instances, labels)
    edge = np.zeros(t.shape, bool)
    edge[:, :, 1:] |= t[:, :, 1:] != t[:, :, :-1]
    edge[:, :, :-1] |= t[:, :, 1:] != t[:, :, :-1]
    edge[:, 1:, :] |= t[:, 1:, :] != t[:, :-1, :]
    edge[:, :-1, :] |= t[:, 1:, :] != t[:, :-1, :]
    assert 0.2 < edge.mean() < 0.9

    @tf.function(input_signature=[tf.TensorSpec([None] * 3, d) for d in (tf.uint8, tf.uint16)])
    def in_graph(labels, instances):
        return instance_boundaries(labels, instances)

    for boundaries in (instance_boundaries, in_graph):
        assert (np.asarray(boundaries(labels, instances))[..., 0] == edge).all()
