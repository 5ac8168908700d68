"""The seconds that processor cores have worked for this process."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def seconds() -> float:
    """Of all cores together, for this process and, on Linux, for those that it has started."""
    ended = os.times()
    return (
        time.process_time()
        + ended.children_user
        + ended.children_system
        + sum(seconds_of(child) for child in _children(os.getpid()))
    )


def _children(process: int) -> Iterator[int]:
    """The processes that run below one."""
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in map(int, file.read_text().split()):
                yield child
                yield from _children(child)


def seconds_of(process: int) -> float:
    """Of all cores, for a process and those that it has waited for; 0 but on Linux."""
    with suppress(OSError):  # it has ended
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        # user and system time, its own and of the ended ones that it had started
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0
