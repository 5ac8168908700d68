"""The newest tick of a simulator that drives on while the one before is worked on.

Who is slower than the simulator misses ticks, and does not lag behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from sflowgan_tf.simulators.base import Tick


def in_real_time(
    ticks: Iterable[Tick],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Tick]:
    """Ticks that come no sooner after each other than they do in the simulator's own time.

    A simulator that was late does not hurry afterwards.

    Args:
        ticks: of one camera, in order.
        clock: gives seconds.
        sleep: waits for some seconds.
    """
    due, before = None, 0.0
    for tick in ticks:
        now = clock()
        due = now if due is None else max(due + tick.time - before, now)
        if due > now:
            sleep(due - now)
        yield tick
        before = tick.time


class Feed:
    """A queue of one between a simulator, in a thread of its own, and the caller.

    The block `with Feed(ticks) as feed` runs the simulator; `for tick, came in feed` gives its
    newest tick and the clock's seconds when it came, each once. At the block's end the simulator
    stops behind the tick that it is at. The ticks' numbers tell how many were dropped.
    """

    def __init__(self, ticks: Iterable[Tick], clock: Callable[[], float] = time.monotonic):
        """A feed that does not run yet.

        Args:
            ticks: of one camera, in order; the other thread runs through them.
            clock: gives seconds.
        """
        self._ticks, self._clock = ticks, clock
        self._changed = threading.Condition()
        self._newest: tuple[Tick, float] | None = None
        self._ended = self._stopped = False
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Feed:
        """Starts the simulator."""
        self._running: Future[None] = self._thread.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self._stopped = True
        self._thread.shutdown()

    def __iter__(self) -> Iterator[tuple[Tick, float]]:
        """The newest ticks until the simulator ends; what it raised is raised after them."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._ended)
                fetched, self._newest = self._newest, None
            if fetched is None:
                break
            yield fetched
        self._running.result()

    def _run(self) -> None:
        try:
            for tick in self._ticks:
                with self._changed:
                    if self._stopped:
                        return
                    self._newest = tick, self._clock()
                    self._changed.notify()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
