import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.ops.flow_colors import flow_to_color

angles = st.floats(0, 2 * np.pi)


def color(dx, dy, largest):
    return flow_to_color(np.array([[[dx, dy]]]), largest)[0, 0].astype(int)


def along(angle, speed=0.999):
    """The colour of nearly the largest speed in a direction, clockwise from the right."""
    return color(speed * np.cos(angle), speed * np.sin(angle), 1.0)


def test_no_motion_is_white():
    flow = np.zeros((2, 3, 4, 2), np.float32)
    for largest in (None, 5.0):
        np.testing.assert_array_equal(flow_to_color(flow, largest), np.full((2, 3, 4, 3), 255))


# The wheel's colours by its definition, RY 15, YG 6, GC 4, CB 11, BM 13, MR 6; 54 steps are a turn.
@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (3, (255, 51, 0)),  # 3/15 of the way from red to yellow
        (15, (255, 255, 0)),
        (18, (128, 255, 0)),  # 3/6 to green
        (21, (0, 255, 0)),
        (25, (0, 255, 255)),
        (36, (0, 0, 255)),
        (49, (255, 0, 255)),
        (52, (255, 0, 128)),  # 3/6 to red
        (53.5, (255, 0, 64)),  # between 4/6 and 5/6
    ],
)
def test_the_wheel(step, expected):
    np.testing.assert_allclose(along(2 * np.pi * step / 54), expected, atol=1)


def test_the_four_directions():
    np.testing.assert_array_equal(color(8, 0, 8), (255, 0, 0))
    np.testing.assert_array_equal(color(0, 8, 8), (255, 229, 0))  # 13.5 steps: 13.5/15 to yellow
    np.testing.assert_array_equal(color(-8, 0, 8), (0, 209, 255))  # 27: 2/11 from cyan to blue
    np.testing.assert_array_equal(color(0, -8, 8), (88, 0, 255))  # 40.5: 4.5/13 to magenta


def test_slower_is_paler_and_too_fast_is_darker():
    np.testing.assert_array_equal(color(4, 0, 8), (255, 127, 127))
    np.testing.assert_array_equal(color(9, 0, 8), (191, 0, 0))
    np.testing.assert_array_equal(color(900, 0, 8), (191, 0, 0))


def test_the_largest_speed_of_all_is_the_scale():
    colors = flow_to_color(np.array([[[[4.0, 0.0]]], [[[8.0, 0.0]]]]))
    np.testing.assert_array_equal(colors[:, 0, 0], [(255, 127, 127), (255, 0, 0)])


@pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_black(unknown):
    flow = np.array([[[unknown, 1.0], [1.0, unknown], [3.0, 0.0]]])
    np.testing.assert_array_equal(flow_to_color(flow)[0], [(0, 0, 0), (0, 0, 0), (255, 0, 0)])


def test_near_directions_have_near_colors():
    """A hundredth of a step changes a channel by at most 64/100; one level more by rounding."""
    turn = np.linspace(0, 2 * np.pi, 5401)
    colors = flow_to_color(0.999 * np.stack([np.cos(turn), np.sin(turn)], -1)[None], 1.0)[0]
    assert np.abs(np.diff(colors.astype(int), axis=0)).max() == 1
    np.testing.assert_allclose(colors[-1], colors[0], atol=43)  # a step of the last arc, 255/6


@given(angles, st.floats(0, 1), st.floats(0, 1))
def test_the_faster_the_more_saturated(angle, one, other):
    slow, fast = sorted((0.999 * one, 0.999 * other))
    assert (along(angle, fast) <= along(angle, slow)).all()
    assert along(angle, fast).max() >= 254


@settings(max_examples=25)
@given(st.integers(-3, 6), st.integers(0, 99))
def test_only_the_ratio_to_the_largest_counts(power, seed):
    flow = np.random.default_rng(seed).normal(0, 4, (3, 5, 2))
    np.testing.assert_array_equal(
        flow_to_color(flow * 2.0**power, 5 * 2.0**power), flow_to_color(flow, 5)
    )


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"flow: expected 2 channels .*\(4, 5, 3\)"):
        flow_to_color(np.zeros((4, 5, 3)))
    for largest in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match="largest: expected a speed above 0, got"):
            flow_to_color(np.zeros((4, 5, 2)), largest)
