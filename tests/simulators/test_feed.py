"""Nothing here waits for a clock: threads wait for each other."""

import threading

import numpy as np
import pytest

from sflowgan_tf.simulators.base import Tick
from sflowgan_tf.simulators.feed import Feed, in_real_time


def tick(number, seconds=1.0):
    frame = np.full((2, 2, 3), number, np.uint8)
    return Tick(
        camera="front", number=number, time=number * seconds, frame=frame, labels=frame[..., 0]
    )


class Stepwise:
    """A simulator whose ticks come when the test lets them; `given` counts those taken from it."""

    def __init__(self, last=5):
        self.allowed, self.given, self.last = threading.Semaphore(0), 0, last
        self.reached = threading.Condition()

    def __iter__(self):
        for number in range(self.last + 1):
            self.allowed.acquire()
            yield tick(number)
            with self.reached:
                self.given = number + 1
                self.reached.notify()

    def give(self, count):
        """Lets so many ticks come, and waits until the feed has taken them."""
        expected = self.given + count
        self.allowed.release(count)
        with self.reached:
            self.reached.wait_for(lambda: self.given == expected)


def test_who_is_slow_gets_the_newest_tick_and_none_twice():
    simulator = Stepwise()
    with Feed(simulator) as feed:
        ticks = iter(feed)
        simulator.give(1)
        assert next(ticks)[0].number == 0
        simulator.give(4)  # while the first one is worked on
        assert next(ticks)[0].number == 4
        simulator.allowed.release()
        assert next(ticks)[0].number == 5
        assert next(ticks, None) is None


def test_a_tick_says_when_it_came():
    simulator, seconds = Stepwise(last=1), iter([7.0, 9.0])
    with Feed(simulator, clock=lambda: next(seconds)) as feed:
        simulator.give(2)
        assert [came for _, came in feed] == [9.0]


def test_what_the_simulator_raises_comes_after_its_last_tick():
    def breaks():
        yield tick(0)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"), Feed(breaks()) as feed:
        assert [one.number for one, _ in feed] == [0]


def test_the_blocks_end_stops_a_simulator_that_would_go_on():
    def endless():
        number = 0
        while True:
            yield tick(number % 200)
            number += 1

    with pytest.raises(KeyboardInterrupt), Feed(endless()) as feed:
        next(iter(feed))
        raise KeyboardInterrupt
    assert feed._running.done()


def test_ticks_come_as_far_apart_as_in_the_simulators_time():
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(round(seconds, 6))
        now[0] += seconds

    def driving():
        for number, takes in enumerate([5.0, 0.2, 3.0, 0.5]):
            now[0] += takes
            yield tick(number)

    assert [one.number for one in in_real_time(driving(), lambda: now[0], sleep)] == [0, 1, 2, 3]
    assert slept == [0.8, 0.5], "after a tick that was late, the next ones do not hurry"
