"""The runner in this process, and in one where TensorFlow can't be imported."""

import numpy as np
import pytest

from sflowgan_tf import lite
from sflowgan_tf.ops import images, labels
from sflowgan_tf.ops.edges import laplacian_edges


@pytest.mark.parametrize("size", [(2, 2), (3, 7), (64, 48)])
@pytest.mark.parametrize("blur", [0.0, 0.7, 2.5])
def test_edges_are_those_of_the_records(size, blur):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    threshold = 60.0 if blur < 1 else 3.0
    found = lite.laplacian_edges(frame, threshold, blur)
    expected = np.asarray(laplacian_edges(frame[None], threshold, blur))[0]
    assert found.shape == expected.shape and found.dtype == np.float32
    # where the Laplacian is the threshold but for rounding, either is right
    either = np.asarray(laplacian_edges(frame[None], threshold - 1e-3, blur))[0] != np.asarray(
        laplacian_edges(frame[None], threshold + 1e-3, blur)
    )[0]
    np.testing.assert_array_equal(found[~either], expected[~either])
    assert either.mean() < 0.01
    if size == (64, 48):
        assert 0.05 < found.mean() < 0.95


def test_a_streets_edges_are_the_records_to_the_last_pixel():
    from sflowgan_tf.data import minicity

    frame = next(iter(minicity.sequence(3, 0, 2, (128, 64)))).image_cg
    found, expected = lite.laplacian_edges(frame, 60.0, 0.0), laplacian_edges(frame[None], 60.0)
    np.testing.assert_array_equal(found, expected[0])
    assert found.any()


def test_the_scene_is_that_of_the_generator():
    label_map = np.arange(256, dtype=np.uint8).reshape(8, 32)
    expected = labels.scene(label_map[None], np.zeros((1, 8, 32, 1), np.float32), 5)[0, ..., :5]
    np.testing.assert_array_equal(lite.one_hot(label_map, 5), expected)


def test_pixels_are_rounded_as_by_keras():
    image = np.linspace(-1.1, 1.1, 2001, dtype=np.float32).reshape(1, 667, 3)
    np.testing.assert_array_equal(lite.to_uint8(image), images.to_uint8(image))
