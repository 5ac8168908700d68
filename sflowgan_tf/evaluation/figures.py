"""The figures of an evaluation: each turns drawn units into a number and knows its range.

A unit is what the bootstrap draws (`metrics.bootstrap.units_of`): what was measured on a clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from sflowgan_tf.evaluation.metrics.appearance import color_distance
from sflowgan_tf.evaluation.metrics.segmentation import Confusion


class Figure(Protocol):
    """A function of drawn units with possible values from `least` to `most`."""

    @property
    def least(self) -> float:
        """The smallest possible value."""
        ...

    @property
    def most(self) -> float:
        """The greatest possible value."""
        ...

    def __call__(self, units: Sequence[Any]) -> float:
        """The value of some units, of which some may come several times."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mean:
    """Mean over the samples of all drawn units, each (samples,) numbers, in `least` to `most`."""

    least: float = 0.0
    most: float = math.inf

    def __call__(self, units: Sequence[np.ndarray]) -> float:
        """The mean; every sample has equal weight."""
        return float(np.concatenate(units).mean())


@dataclass(frozen=True, kw_only=True)
class Median:
    """Median over the samples of all drawn units, each (samples,) numbers.

    Attributes:
        least: the smallest possible value.
        most: the greatest possible value.
    """

    least: float = 0.0
    most: float = math.inf

    def __call__(self, units: Sequence[np.ndarray]) -> float:
        """The median; every sample has equal weight."""
        return float(np.median(np.concatenate(units)))


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Sum of a quantity over a film as a share of the real one's, of units drawn by their numbers.

    Attributes:
        film: (units,) the quantity's sum over each.
        real: (units,) that of the real frames, more than 0.
        least: the smallest possible value.
        most: the greatest possible value.
    """

    film: np.ndarray
    real: np.ndarray
    least: float = 0.0
    most: float = math.inf

    def __call__(self, units: Sequence[int]) -> float:
        """The ratio of the sums over these units."""
        drawn = [*units]
        return float(self.film[drawn].sum() / self.real[drawn].sum())


@dataclass(frozen=True, kw_only=True)
class ColorDistance:
    """Distance of a film's colours from the real one's, of units drawn by their numbers.

    Attributes:
        differences: (units, classes, 3, nodes) float32, the film's histograms minus the real one's.
        pixels: (units,) of these classes, more than 0.
        least: the smallest possible value.
        most: the greatest possible value.
    """

    differences: np.ndarray
    pixels: np.ndarray
    least: float = 0.0
    most: float = math.inf

    def __call__(self, units: Sequence[int]) -> float:
        """The distance of these units together."""
        times = np.bincount([*units], minlength=len(self.pixels)).astype(np.float32)
        difference = np.einsum("u,u...->...", times, self.differences)
        return color_distance(difference, float(times @ self.pixels))


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of a segmenter with the labels: a score of the drawn units' summed confusions.

    Attributes:
        name: of the score, a field of `SegmentationScores`.
        void_wrong: whether void pixels count as wrong; otherwise they are ignored.
    """

    name: Literal["mean_iou", "pixel_accuracy"]
    void_wrong: bool
    least: float = 0.0
    most: float = 1.0

    def __call__(self, units: Sequence[np.ndarray]) -> float:
        """The score of confusions (classes + 1, classes + 1), at least one of them defined."""
        value = self.value(np.sum(units, axis=0))
        if value is None:
            raise ValueError(f"units: expected one on which {self.name} is defined")
        return value

    def value(self, counts: np.ndarray) -> float | None:
        """The score of a confusion; None where it is not defined, as of void pixels alone."""
        if not self.void_wrong and not is_labelled(counts):
            return None
        return getattr(Confusion.of(counts).scores(void_wrong=self.void_wrong), self.name)


@dataclass(frozen=True, kw_only=True)
class AgreementRatio:
    """`agreement` on a film's pictures as a share of that on the real ones.

    Over 1 the film is easier to segment than reality.
    """

    agreement: Agreement
    least: float = 0.0
    most: float = math.inf

    def __call__(self, units: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
        """The ratio of pairs of confusions, the film's and the real pictures' of the same clip."""
        film, real = zip(*units, strict=True)
        return self.agreement(film) / self.agreement(real)


def is_labelled(counts: np.ndarray) -> bool:
    """Whether a confusion, whose last row is void's, counts a pixel of a class."""
    return bool(counts[:-1].any())
