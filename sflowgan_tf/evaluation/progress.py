"""A progress bar for statistics, of which most are quick and a few take minutes."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

_Step = TypeVar("_Step")

_DELAY = 2.0  # seconds


def watched(steps: Iterable[_Step], title: str, unit: str) -> Iterator[_Step]:
    """The steps, with a progress bar that appears once they have taken 2 seconds.

    Args:
        steps: what is worked through.
        title: what stands before the bar.
        unit: the name of one step.
    """
    return iter(tqdm(steps, desc=title, unit=unit, delay=_DELAY, leave=False))
