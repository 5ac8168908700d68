"""The process that measures: does a piece of work when it is told to; see `contender`.

The standard library and errors alone, for PyTorch's environment too.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from sflowgan_tf.benchmarking import memory, processor
from sflowgan_tf.benchmarking.task import line
from sflowgan_tf.utils.errors import Failure, UserError


class Work(Protocol):
    """What can be done again and again."""

    def run(self) -> None:
        """Does it once, to its end."""
        ...

    def figures(self) -> dict[str, Any]:
        """What there is to say of it beside seconds and memory, for JSON."""
        ...

    def profile(self) -> list[dict[str, Any]]:
        """The operations that it spends its time on, of `profiling.profile`."""
        ...


def serve(begin: Callable[[dict[str, Any]], Work]) -> None:
    """Answers until nothing comes any more; `begin` makes the work of what the parent orders."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what is printed goes to the user

        def answer(**values: Any) -> None:
            answers.write(line(values))
            answers.flush()

        try:
            _serve(begin, answer)
        except (UserError, Failure) as error:
            answer(error=str(error), mistake=isinstance(error, UserError))


def _serve(begin: Callable[[dict[str, Any]], Work], answer: Callable[..., None]) -> None:
    order = json.loads(sys.stdin.readline())
    started = order.pop("started")
    work = begin(order)
    work.run()
    answer(first_s=time.monotonic() - started)
    for asked in map(json.loads, sys.stdin):
        if asked == "run":
            begun = time.perf_counter(), processor.seconds()
            work.run()
            ended = time.perf_counter(), processor.seconds()
            answer(seconds=ended[0] - begun[0], cpu_seconds=ended[1] - begun[1])
        elif asked == "figures":
            peak = memory.peak()  # before the figures take memory of their own
            answer(peak_bytes=peak, **work.figures())
        else:
            answer(profile=work.profile())
