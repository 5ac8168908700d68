import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.ops import edges
from sflowgan_tf.ops.edges import laplacian_edges

GOLDEN = np.load(Path(__file__).parents[1] / "oracles" / "golden.npz")


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
    edges = np.asarray(laplacian_edges(image[None], 60.0, blur))
    assert edges.shape == (1, *size, 1) and edges.dtype == np.float32
    clear = np.abs(laplacian - 60) > 1e-3  # rounding decides the others
    assert (edges[0, ..., 0] == (laplacian > 60))[clear].all()


def test_the_blur_is_tensorflow_ios():
    blurred = np.asarray(edges._gaussian(GOLDEN["gaussian_grey"], 1.2))
    np.testing.assert_allclose(blurred, GOLDEN["gaussian_y"], atol=1e-3)


def test_a_line_has_two_sides_and_a_plane_none():
    image = np.full((1, 6, 7, 3), 100, np.uint8)
    assert not np.asarray(laplacian_edges(image, 0.01)).any()
    image[:, :, 3:] = 110  # a step of 10 grey levels: the Laplacian is 40 on both sides
    columns = np.asarray(laplacian_edges(image, 39.0))[0, :, :, 0]
    assert columns.tolist() == [[0, 0, 1, 1, 0, 0, 0]] * 6
    assert not np.asarray(laplacian_edges(image, 41.0)).any()


def test_a_float_picture_and_any_size_inside_a_graph_give_the_same():
    image = np.random.default_rng(1).integers(0, 256, (2, 12, 9, 3), dtype=np.uint8)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def in_graph(images):
        return laplacian_edges(images, 60.0, 1.0)

    assert (
        (in_graph(image.astype(np.float32)).numpy() == laplacian_edges(image, 60.0, 1.0))
        .numpy()
        .all()
    )
