"""Cameras on the car: places and angles that can be derived by hand, and CARLA's own."""

import numpy as np
import pytest

from sflowgan_tf.minicity.camera import DRIVER, Drive, Mount

STRAIGHT = Drive(step=0.8, sway=0.0, yaw=0.0, pitch=0.0, period=40.0, phase=0.0)
SWAYING = Drive(step=0.8, sway=0.2, yaw=0.03, pitch=-0.04, period=40.0, phase=1.0)
SIZE = (128, 64)


@pytest.mark.parametrize(
    ("rotation", "ahead"),
    [
        ((0, 0, 0), (0, 0, 1)),
        ((90, 0, 0), (0, -1, 0)),  # up
        ((0, 90, 0), (1, 0, 0)),  # to the right
        ((0, 0, 90), (0, 0, 1)),
    ],
)
def test_the_camera_looks_where_its_angles_say(rotation, ahead):
    """In right, down, ahead of the car."""
    np.testing.assert_allclose(Mount(rotation=rotation).axes()[2], ahead, atol=1e-15)


def test_rolled_clockwise_its_right_is_down():
    np.testing.assert_allclose(Mount(rotation=(0, 0, 90)).axes()[0], (0, 1, 0), atol=1e-15)


def test_the_angles_are_carlas():
    """`carla.Transform.get_matrix` of 0.9.16 for pitch 10, yaw 20, roll 30: ahead, right, up."""
    theirs = np.array(
        [[0.9254, -0.2146, -0.3123], [0.3368, 0.8435, 0.4184], [0.1736, -0.4924, 0.8529]]
    )
    ahead, right, up = theirs[[1, 2, 0]].T * (1, -1, 1)  # in right, down, ahead of the car
    ours = Mount(rotation=(10, 20, 30)).axes()
    np.testing.assert_allclose(ours, np.stack([right, -up, ahead]), atol=1e-4)


def test_a_place_is_counted_from_the_road_below_the_driver():
    mount = Mount(position=(2.0, -0.5, 3.0))
    np.testing.assert_allclose(STRAIGHT.camera(10, 1.7, SIZE, mount).position, (1.2, 3.0, 10.0))


def test_the_drivers_own_camera_changes_no_bit():
    """Streets that were drawn before cameras could be mounted stay the same bit for bit."""
    turn = 2 * np.pi * 7 / SWAYING.period + SWAYING.phase
    place = (1.7 + SWAYING.sway * np.cos(turn), 1.5, 0.8 * 7)
    np.testing.assert_array_equal(SWAYING.camera(7, 1.7, SIZE).position, place)
    np.testing.assert_array_equal(DRIVER.axes(), np.eye(3))


def test_focal_is_of_the_width():
    lens = STRAIGHT.camera(0, 0.0, SIZE, Mount(focal=0.5)).matrix
    np.testing.assert_allclose(lens @ (1, 0, 1), (63.5 + 64, 31.5, 1))  # 45 degrees to the right
