"""Confidence intervals of any score: its set is drawn again and again out of itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy import stats
from tqdm import tqdm

Unit = TypeVar("Unit")

_OUTSIDE = 0.05  # share of the cases in which a score lies outside of its interval


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A score and its 95 % confidence interval.

    Attributes:
        estimate: the score of the whole set.
        low: lower end.
        high: upper end.
    """

    estimate: float
    low: float
    high: float


def interval(
    statistic: Callable[[list[Unit]], float],
    units: Sequence[Unit],
    *,
    samples: int,
    seed: int,
    name: str = "statistic",
) -> Interval:
    """95 % bootstrap interval of a statistic.

    Args:
        statistic: computes the score of some units. It is called `samples` times with as many
            units as there are, of which some come several times and some not at all.
        units: what is drawn, at least 2, independent of each other (`units_of`). What is compared
            in pairs stands in pairs in one unit and so is drawn together, real and generated frames
            for a Frechet distance too, say as (frames, 2, features): an interval that draws one
            side alone is two to three times too wide. Where nothing is paired, the generated ones
            are drawn alone; the interval then holds for that reference and no other.
        samples: how often to draw; 200 or more, 1000 where there are fewer than 10 units.
        seed: of the drawing.
        name: of the statistic, for the progress bar that appears where the draws take long.

    Returns:
        The statistic of `units` and percentiles of its values on the draws, shifted by the
        bootstrap's estimate of bias (their mean minus the estimate), and further outside than 2.5
        and 97.5 % the fewer units there are.

    Raises:
        ValueError: there are fewer than 2 units.

    Why shifted: a draw holds fewer different frames than the set, and a Frechet distance grows as
    they get fewer. So the plain percentiles often lie above the estimate altogether, and the basic
    interval, which mirrors them, below it. On simulated features (32, of 6 and 20 sequences of
    about 10 frames) they held the expected distance of as many frames in 27 to 48 % of the cases,
    the shifted ones in 98 %; a mean is not shifted. So the interval speaks of scores measured on as
    many frames, and leaves the bias that N itself brings in.

    Sources: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 10 (bias) and
    13 (percentiles); Hesterberg, "What Teachers Should Know About the Bootstrap", 2015 (percentiles
    expanded to the width of Student's t: for a normal mean of 6 units they held in 93 instead of
    86 %, of 4 in 88 instead of 79 %; with 3 nothing helps).
    """
    if len(units) < 2:
        raise ValueError(f"units: expected at least 2 to draw from, got {len(units)}")
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(units), size=(samples, len(units)))
    bar = tqdm(draws, desc=f"interval of {name}", unit="draw", delay=2.0, leave=False)
    values = np.array([statistic([units[i] for i in draw]) for draw in bar])
    estimate, tail = float(statistic([*units])), _tail(len(units))
    low, high = estimate - values.mean() + np.quantile(values, [tail, 1 - tail])
    return Interval(estimate=estimate, low=float(low), high=float(high))


def units_of(sequences: Sequence[Any]) -> list[Any]:
    """The units to draw: whole sequences, as their frames are alike; of a single one its frames.

    Each is a list or an array of measurements whose first axis are the frames, or the clips. Frames
    of one drive are no independent draws: their interval holds for that drive alone, and is too
    narrow.
    """
    if len(sequences) > 1:
        return [*sequences]
    return [sequences[0][i : i + 1] for i in range(len(sequences[0]))]


def _tail(units: int) -> float:
    """Share of the draws below the interval, and above it.

    Percentiles are as wide as a normal interval with a variance that is divided by n; the
    interval wanted has Student's t with n - 1 degrees of freedom and a variance divided by n - 1.
    """
    return float(
        stats.norm.cdf(stats.t.ppf(_OUTSIDE / 2, units - 1) * (units / (units - 1)) ** 0.5)
    )
