import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.ops.warp import backward_warp, consistent
from tests import places

GOLDEN = np.load(places.GOLDEN)


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


@settings(max_examples=25)
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


def seen(forward, backward):
    mask = np.array(consistent(forward, backward))
    assert mask.shape == (*forward.shape[:3], 1) and mask.dtype == np.float32
    return mask[0, ..., 0]


@given(st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=25)
def test_without_motion_all_is_seen(height, width):
    still = np.zeros((2, height, width, 2))
    np.testing.assert_array_equal(consistent(still, still), np.ones((2, height, width, 1)))


def test_what_leaves_the_frame_is_not_seen():
    mask = seen(constant_flow(3, -1), constant_flow(-3, 1))
    expected = np.zeros((4, 5))
    expected[1:, :2] = 1  # x + 3 <= 4 and y - 1 >= 0
    np.testing.assert_array_equal(mask, expected)
    mask = seen(constant_flow(-3, 1), constant_flow(3, -1))
    np.testing.assert_array_equal(mask, expected[::-1, ::-1])


def test_what_a_moving_square_covers_is_not_seen():
    """A square at columns 2 to 5 moves by 4 over a still background."""
    forward, backward = constant_flow(0, 0, 8, 14), constant_flow(0, 0, 8, 14)
    forward[0, 2:6, 2:6] = (4, 0)
    backward[0, 2:6, 6:10] = (-4, 0)
    expected = np.ones((8, 14))
    expected[2:6, 6:10] = 0
    np.testing.assert_array_equal(seen(forward, backward), expected)


@pytest.mark.parametrize(
    ("dx", "back", "visible"),
    [
        (0.70, 0.0, 1),  # 0.4900 < 0.0049 + 0.5
        (0.72, 0.0, 0),  # 0.5184 > 0.0052 + 0.5
        (10, -8.6, 1),  # 1.96 < 1.7396 + 0.5
        (10, -8.4, 0),  # 2.56 > 1.7056 + 0.5
        (10, 10, 0),
    ],
)
def test_the_way_back_may_err_a_little(dx, back, visible):
    mask = seen(constant_flow(dx, 0, width=20), constant_flow(back, 0, width=20))
    np.testing.assert_array_equal(mask[:, : 20 - 10], visible)


def test_the_way_back_is_fetched_from_where_the_way_there_leads():
    """The two flows differ from place to place: a shear, whose inverse is known."""
    forward = constant_flow(0, 0, 9, 30)
    forward[0, ..., 0] = 2 * np.arange(9)[:, None]
    backward = -forward
    expected = np.arange(30)[None] + 2 * np.arange(9)[:, None] <= 29
    np.testing.assert_array_equal(seen(forward, backward), expected)


def test_sizes_unknown_to_the_graph():
    masks = tf.function(consistent, input_signature=[tf.TensorSpec((None, None, None, 2))] * 2)
    forward, backward = GOLDEN["warp_flow"], -GOLDEN["warp_flow"][..., ::-1]
    np.testing.assert_array_equal(masks(forward, backward), consistent(forward, backward))


def test_no_gradient_passes_through_the_mask():
    forward, backward = tf.constant(constant_flow(1, 0)), tf.constant(constant_flow(-1, 0))
    with tf.GradientTape() as tape:
        tape.watch([forward, backward])
        mask = consistent(forward, backward)
    assert tape.gradient(mask, [forward, backward]) == [None, None]


@pytest.mark.parametrize("wrong", ["flow_forward", "flow_backward"])
def test_wrong_channels_of_either_flow(wrong):
    flows = {"flow_forward": constant_flow(0, 0), "flow_backward": constant_flow(0, 0)}
    flows[wrong] = np.zeros((1, 4, 5, 1))
    with pytest.raises(ValueError, match=rf"{wrong}: expected 2 channels .*\(1, 4, 5, 1\)"):
        consistent(**flows)
