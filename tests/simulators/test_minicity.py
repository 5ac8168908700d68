from fractions import Fraction

import numpy as np
import pytest

from sflowgan_tf.minicity import sequence
from sflowgan_tf.simulators.minicity import Minicity
from sflowgan_tf.simulators.rig import Camera, Position, Rotation
from sflowgan_tf.utils.errors import UserError

SIZE = (64, 32)
FRONT = Camera(name="front", size=SIZE)


def ticks(start=0, cameras=(FRONT,), frames=3, seed=5):
    simulator = Minicity(seed=seed, frames=frames, fps=Fraction(10), cameras=cameras)
    with simulator.drive(start) as driven:
        return [*driven]


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("frame", "labels", "instances", "depth")
    )


def test_a_drive_is_the_first_sequence_of_its_seed():
    for number, (tick, frame) in enumerate(zip(ticks(), sequence(5, 0, 3, SIZE), strict=True)):
        assert (tick.camera, tick.number, tick.time) == ("front", number, number / 10)
        np.testing.assert_array_equal(tick.frame, frame.image_cg)
        np.testing.assert_array_equal(tick.labels, frame.labels)
        np.testing.assert_array_equal(tick.instances, frame.instances)
        np.testing.assert_array_equal(tick.depth, frame.depth)
        assert (tick.motion is None) == (number == 2)
        if tick.motion is not None:
            np.testing.assert_array_equal(tick.motion, frame.flow)


def test_a_later_start_gives_the_same_moments():
    (whole,), (later,) = ticks()[2:], ticks(start=2)
    assert later.number == 2 and same(whole, later)


def test_the_cameras_of_a_rig_see_the_same_moment():
    turned = Camera(name="left", size=(32, 32), rotation=Rotation(yaw=-60), fov=100)
    placed = Camera(name="own", size=SIZE, position=Position())
    seen = ticks(cameras=(FRONT, turned, placed), frames=2)
    assert [(tick.camera, tick.number) for tick in seen] == [
        (name, number) for number in (0, 1) for name in ("front", "left", "own")
    ]
    assert seen[1].frame.shape == (32, 32, 3)
    assert same(seen[0], seen[2]), "a position's defaults are those of the camera itself"


def test_a_drive_that_takes_too_long_is_refused():
    with pytest.raises(UserError, match="--frames 10001: minicity's drives have up to 10000"):
        ticks(frames=10_001)
