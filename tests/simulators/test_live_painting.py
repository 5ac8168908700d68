"""Painter and simulator wait for each other, never for a clock."""

import threading
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.simulators.base import Tick
from sflowgan_tf.simulators.live_painting import LivePainting, reading
from sflowgan_tf.simulators.rig import Camera
from sflowgan_tf.utils.errors import Failure, UserError
from tests.translation.echo import model_of

FPS = Fraction(10)


class Painter:
    """An engine whose picture is the frame, 40 times its number; the first one takes until `go`."""

    redraws = False

    def __init__(self, breaks=None):
        self.begun = {number: threading.Event() for number in range(6)}
        self.go, self.painted, self.breaks = threading.Event(), [], breaks

    def translate(self, labels, frame, weights, recoloring=None):
        number = int(frame[0, 0, 0]) // 40
        if not frame[0, 0, 1]:  # blank, before the drive
            return frame
        assert (labels == 0).all(), "roads"
        self.begun[number].set()
        self.go.wait()
        if number == 5 and self.breaks is not None:
            raise self.breaks
        self.painted.append(number)
        return frame


class Street:
    """A simulator whose ticks 1 to 4 come while tick 0 is painted."""

    table, frames, repeats = "cityscapes", 6, False
    cameras = (Camera(name="front", size=(32, 16)),)

    def __init__(self, painter, fails=False):
        self.painter, self.fails, self.is_left = painter, fails, False

    @contextmanager
    def drive(self, start=0):
        yield self._ticks()
        self.is_left = True

    def _ticks(self):
        if self.fails:
            raise Failure("no street")
        yield self._tick(0)
        self.painter.begun[0].wait()
        yield from map(self._tick, range(1, 5))
        self.painter.go.set()
        self.painter.begun[4].wait()
        yield self._tick(5)

    def _tick(self, number):
        frame = np.full((16, 32, 3), (40 * number, 255, 0), np.uint8)
        labels = np.full((16, 32), 7, np.uint8)
        return Tick(camera="front", number=number, time=0.0, frame=frame, labels=labels)


def painting(painter, street):
    seconds = iter(range(100))
    return LivePainting(model_of(painter), street, clock=lambda: float(next(seconds)))


def reds(file):
    with av.open(str(file)) as container:
        return [
            round(frame.to_ndarray(format="rgb24")[..., 0].mean()) for frame in container.decode()
        ]


def test_ticks_that_come_meanwhile_are_dropped_and_the_film_keeps_its_pace(tmp_path):
    painter = Painter()
    street = Street(painter)
    live = painting(painter, street)
    live.make(tmp_path / "out/film.mp4", FPS)
    assert painter.painted == [0, 4, 5] and live.dropped == 3 and street.is_left
    shown = reds(tmp_path / "out/film.mp4")
    np.testing.assert_allclose(shown, [0, 0, 0, 0, 160, 200], atol=6)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["film.mp4"]
    assert live.report.startswith("Painted: 3 of 6 ticks, 3 dropped; ")
    assert live.stopped is None


def test_rate_and_delay_are_counted_from_when_a_tick_came():
    live = painting(Painter(), Street(Painter()))
    live.delays, live.dropped, live._begun, live._ended = [0.1, 0.3, 0.2], 1, 10.0, 12.0
    assert live.report == (
        "Painted: 3 of 4 ticks, 1 dropped; 1.5 a second, delay 200 ms in the median, 300 ms at most"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Failure("the server went")])
def test_what_was_painted_before_an_interruption_is_a_film(tmp_path, error):
    painter = Painter(breaks=error)
    street = Street(painter)
    live = painting(painter, street)
    live.make(tmp_path / "film.mp4", FPS)
    assert live.stopped is error and street.is_left
    assert len(reds(tmp_path / "film.mp4")) == 5


def test_where_nothing_was_painted_there_is_no_film(tmp_path):
    painter = Painter()
    with pytest.raises(Failure, match="no street"):
        painting(painter, Street(painter, fails=True)).make(tmp_path / "film.mp4", FPS)
    assert not list(tmp_path.iterdir())


def test_a_simulators_labels_are_read_into_the_models_classes():
    cityscapes = TABLES["cityscapes"]
    assert reading(cityscapes, "carla-0.9.14").name == "carla-0.9.14-as-cityscapes"
    assert reading(TABLES["synthia"], "synthia").name == "synthia"
    with pytest.raises(UserError, match="the simulator's class table 'carla-0.9.14' does not lead"):
        reading(TABLES["synthia"], "carla-0.9.14")
