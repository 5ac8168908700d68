import cv2
import numpy as np
import pytest

from sflowgan_tf.data import flow as data_flow
from sflowgan_tf.data.flow import consistent, estimated_motion
from sflowgan_tf.ops import warp
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.ops.warp import backward_warp

SIZE = (32, 48)
FARNEBACK = Farneback()


def noise(seed, size):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_estimated_motion_of_a_moving_texture():
    texture = cv2.GaussianBlur(noise(0, (96, 130)), (0, 0), 2)
    frame, following = texture[:, 2:], texture[:, :-2]
    flow, visible = estimated_motion(frame, following, FARNEBACK)
    assert flow.dtype == np.float32 and visible.dtype == bool
    inner = np.s_[16:-16, 16:-16]
    np.testing.assert_allclose(flow[inner], np.broadcast_to((2, 0), (64, 96, 2)), atol=0.2)
    assert visible[inner].all()
    assert not visible[:, -1].any()
    brought_back = np.asarray(backward_warp(following[None], flow[None]))[0]
    left, moved = (np.abs(one - frame)[visible].mean() for one in (brought_back, following * 1.0))
    assert left < 0.1 * moved


def test_estimated_motion_knows_what_is_covered():
    """A square of other texture moves right by 8 over a still background."""
    ground, square = (cv2.GaussianBlur(noise(seed, (128, 192)), (0, 0), 2) for seed in (0, 1))
    frame, following = ground.copy(), ground.copy()
    frame[32:96, 32:96] = following[32:96, 40:104] = square[:64, :64]
    _, visible = estimated_motion(frame, following, FARNEBACK)
    assert visible[44:84, 96:104].mean() < 0.5
    assert visible[44:84, 40:88].mean() > 0.9
    assert visible[:, 150:].mean() > 0.9


def test_estimated_motion_goes_there_and_back(monkeypatch):
    """Where only the flow back sees a motion, something covers the pixel."""
    there, back = np.zeros((2, *SIZE, 2), np.float32)
    back[8:16, 20:30] = (-10, 0)
    flows = {(0, 1): there, (1, 0): back}
    monkeypatch.setattr(data_flow, "dense_flow", lambda a, b, _: flows[a.max(), b.max()])
    black = np.zeros((*SIZE, 3), np.uint8)
    flow, visible = estimated_motion(black, black + 1, FARNEBACK)
    np.testing.assert_array_equal(flow, there)
    np.testing.assert_array_equal(visible, back[..., 0] == 0)


@pytest.mark.parametrize("size", [(24, 40), (1, 9), (2, 2)])
def test_a_films_flows_agree_where_the_graphs_do(size):
    draw = np.random.default_rng(0)
    # of which a third points beyond the frame, and about half return
    forward = draw.normal(0, 0.4, (*size, 2)).astype(np.float32)
    forward[::3] *= 40
    backward = (draw.normal(0, 0.5, (*size, 2)) - forward).astype(np.float32)
    expected = np.asarray(warp.consistent(forward[None], backward[None]))[0, ..., 0] > 0
    np.testing.assert_array_equal(consistent(forward, backward), expected)
