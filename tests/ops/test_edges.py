import math

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.ops import edges
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
    blurred = np.asarray(edges._gaussian(GOLDEN["gaussian_grey"], 1.2))
    np.testing.assert_allclose(blurred, GOLDEN["gaussian_y"], atol=1e-3)


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
