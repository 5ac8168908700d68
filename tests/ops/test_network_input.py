import numpy as np

from sflowgan_tf.ops.classes import VOID
from sflowgan_tf.ops.network_input import network_input


def test_a_scene_is_one_hot_beside_edges_and_void_is_nothing():
    label_map = np.array([[[0, 2], [VOID, 1]]], np.uint8)
    edges = np.array([[[[0.25], [0.0]], [[1.0], [0.5]]]], np.float32)
    scene = np.asarray(network_input(label_map, edges, 3))
    assert scene.dtype == np.float32
    assert scene[0].tolist() == [
        [[1, 0, 0, 0.25], [0, 0, 1, 0]],
        [[0, 0, 0, 1], [0, 1, 0, 0.5]],
    ]


def test_colours_stand_behind_the_edges_signed():
    label_map, edges = np.array([[[1, VOID]]], np.uint8), np.full((1, 1, 2, 1), 0.25, np.float32)
    colors = np.array([[[[0, 127.5, 255], [51, 102, 204]]]], np.float32)
    scene = np.asarray(network_input(label_map, edges, 2, colors))
    assert scene.shape == (1, 1, 2, 6)
    expected = [[0, 1, 0.25, -1, 0, 1], [0, 0, 0.25, -0.6, -0.2, 0.6]]
    np.testing.assert_allclose(scene[0, 0], expected, atol=1e-6)
