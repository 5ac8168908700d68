from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.ops.warp import backward_warp

GOLDEN = np.load(Path(__file__).parents[1] / "oracles" / "golden.npz")


def ramp(height=4, width=5):
    """Each pixel says where it is: 10 y + x."""
    return (10.0 * np.arange(height)[:, None] + np.arange(width))[None, ..., None].astype("float32")


def constant_flow(dx, dy, height=4, width=5):
    return np.tile(np.array([dx, dy], "float32"), (1, height, width, 1))


def test_flow_points_to_where_the_pixel_is_fetched():
    warped = np.array(backward_warp(ramp(), constant_flow(dx=1, dy=2)))[0, ..., 0]
    assert warped[0, 0] == 21
    assert warped[1, 3] == 34


def test_between_pixels_it_is_bilinear():
    warped = np.array(backward_warp(ramp(), constant_flow(dx=0.5, dy=0.25)))[0, ..., 0]
    np.testing.assert_allclose(warped[:-1, :-1], ramp()[0, :-1, :-1, 0] + 0.5 + 2.5)


def test_beyond_the_border_the_border_goes_on():
    warped = np.array(backward_warp(ramp(), constant_flow(dx=-100, dy=100)))[0, ..., 0]
    np.testing.assert_array_equal(warped, np.full((4, 5), 30.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_no_flow_changes_nothing(height, width):
    image = np.random.default_rng(0).random((2, height, width, 3)).astype("float32")
    np.testing.assert_array_equal(backward_warp(image, np.zeros((2, height, width, 2))), image)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_equals_tensorflow_addons(jit_compile):
    """Forward and backward, with sizes unknown to the graph."""
    image, flow = tf.constant(GOLDEN["warp_image"]), tf.constant(-GOLDEN["warp_flow"][..., ::-1])

    @tf.function(
        input_signature=[tf.TensorSpec((None,) * 3 + (n,)) for n in (3, 2)], jit_compile=jit_compile
    )
    def warp(image, flow):
        with tf.GradientTape() as tape:
            tape.watch([image, flow])
            warped = backward_warp(image, flow)
            loss = tf.reduce_sum(warped**2)
        return warped, *tape.gradient(loss, [image, flow])

    warped, of_image, of_flow = warp(image, flow)
    np.testing.assert_allclose(warped, GOLDEN["warp_y"], atol=1e-5)
    np.testing.assert_allclose(of_image, GOLDEN["warp_image_gradient"], atol=1e-4)
    np.testing.assert_allclose(of_flow, -GOLDEN["warp_flow_gradient"][..., ::-1], atol=1e-4)


def test_wrong_channels():
    with pytest.raises(ValueError, match=r"flow: expected 2 channels .*\(1, 4, 5, 3\)"):
        backward_warp(ramp(), np.zeros((1, 4, 5, 3)))
