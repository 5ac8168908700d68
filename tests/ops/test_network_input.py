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
