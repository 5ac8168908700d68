"""The kernel distance, on which KID rests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import trange

_LARGEST = 1000  # pictures in a subset
_BLOCK = 256  # samples of one set whose kernel with all of the other is in memory at a time


@dataclass(frozen=True, kw_only=True)
class KernelDistance:
    """KID over random subsets.

    Attributes:
        mean: over the subsets. Unbiased, so it may fall a little below 0.
        spread: standard deviation over the subsets, of the distance of two subsets, not of `mean`.
        subset_size: pictures in each.
    """

    mean: float
    spread: float
    subset_size: int


def kernel_distance(
    features_a: np.ndarray, features_b: np.ndarray, *, subsets: int, seed: int
) -> KernelDistance:
    """Kernel distance of two sets of features, with its spread.

    Each subset is drawn without repetition. It has 1000 pictures, or half of the smaller set where
    that is less: whole sets would all be the same, and their spread 0.

    Args:
        features_a: (samples, features), at least 4 samples.
        features_b: the same with as many features.
        subsets: how many, at least 2.
        seed: of the drawing.

    Raises:
        ValueError: fewer than 4 samples, or different numbers of features.

    Source: Binkowski et al., "Demystifying MMD GANs", ICLR 2018; their code draws subsets of 1000.
    The halves are our choice.
    """
    a, b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    smaller = min(len(a), len(b))
    if smaller < 4:
        raise ValueError(f"features_a, features_b: expected at least 4 samples, got {smaller}")
    size = min(_LARGEST, smaller // 2)
    drawn_a, drawn_b = _drawn((len(a), len(b)), size, subsets, seed)
    within = sum(
        _sums_in_subsets(features, features, drawn, drawn) - drawn @ _own(features)
        for features, drawn in ((a, drawn_a), (b, drawn_b))
    )
    across = _sums_in_subsets(a, b, drawn_a, drawn_b)
    distances = within / (size * (size - 1)) - 2 * across / size**2
    return KernelDistance(
        mean=float(np.mean(distances)), spread=float(np.std(distances, ddof=1)), subset_size=size
    )


class KernelSums:
    """Sums of the kernel between all units of two sets, of which resampled distances are made.

    They are formed once, in blocks of samples, so that neither a matrix of all samples nor the
    features are needed for a resampling. It is a figure; its unbiased estimates may fall below 0.

    Args:
        units: each (samples, 2, features), a set's samples beside the other's; at least 1 sample.
    """

    least, most = -math.inf, math.inf

    def __init__(self, units: Sequence[np.ndarray]):
        self._samples = np.array([len(unit) for unit in units])
        starts = np.concatenate([[0], self._samples.cumsum()[:-1]])
        sides = np.moveaxis(np.concatenate(units).astype(np.float64), 1, 0)
        first, second = np.ascontiguousarray(sides)
        self._within = _sums(first, first, starts) + _sums(second, second, starts)
        self._across = _sums(first, second, starts)
        self._same = np.add.reduceat(_own(first) + _own(second), starts)

    def __call__(self, units: Sequence[int]) -> float:
        """`squared_mmd` of the samples of some units, by index; one may come several times."""
        times = np.bincount(np.asarray(units, int), minlength=len(self._samples))
        count = float(times @ self._samples)
        within = times @ self._within @ times - times @ self._same
        across = times @ self._across @ times
        return float(within / (count * (count - 1)) - 2 * across / count**2)


def _sums(a: np.ndarray, b: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The kernel, summed over each pair of units: (units, units) float64, those of `a` by `b`'s.

    Both sets are (samples, features) float64, unit after unit, which begin at `starts` (units,).
    """
    rows = [
        np.add.reduceat(_kernel(a[start : start + _BLOCK], b), starts, axis=1)
        for start in range(0, len(a), _BLOCK)
    ]
    return np.add.reduceat(np.concatenate(rows), starts, axis=0)


def squared_mmd(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy under (x.y / dimension + 1)^3.

    Both sets are (samples, features), at least 2 samples. 0 in the mean over samples of one
    distribution, so it may be negative.

    Raises:
        ValueError: different numbers of features.

    Source: Gretton et al., "A Kernel Two-Sample Test", 2012, eq. 3; the kernel is Binkowski et
    al.'s.
    """
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(
            "features_a, features_b: expected as many features, "
            f"got {features_a.shape[1]} and {features_b.shape[1]}"
        )
    across = _kernel(features_a, features_b).mean()
    return float(_mean_of_pairs(features_a) + _mean_of_pairs(features_b) - 2 * across)


def _mean_of_pairs(features: np.ndarray) -> float:
    """Mean of the kernel over pairs of two different samples."""
    values, count = _kernel(features, features), len(features)
    return (values.sum() - np.trace(values)) / (count * (count - 1))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _cubed(a @ b.T, a.shape[1])


def _own(features: np.ndarray) -> np.ndarray:
    """The kernel of each sample with itself, (samples,)."""
    return _cubed(np.square(features).sum(axis=1), features.shape[1])


def _cubed(products: np.ndarray, dimension: int) -> np.ndarray:
    """The kernel of scalar products; multiplied out, which is far faster than a power."""
    base = products / dimension + 1
    return base * base * base


def _drawn(
    samples: tuple[int, int], size: int, subsets: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which samples of each set are in each subset: 1 or 0, (subsets, samples) float64."""
    rng = np.random.default_rng(seed)
    drawn = tuple(np.zeros((subsets, count)) for count in samples)
    for row_a, row_b in zip(*drawn, strict=True):
        row_a[rng.choice(samples[0], size, replace=False)] = 1
        row_b[rng.choice(samples[1], size, replace=False)] = 1
    return drawn[0], drawn[1]


def _sums_in_subsets(
    a: np.ndarray, b: np.ndarray, drawn_a: np.ndarray, drawn_b: np.ndarray
) -> np.ndarray:
    """The kernel, summed over all pairs of the samples drawn of two sets, (subsets,).

    The kernel of all samples is formed once, in blocks, however many subsets there are.
    """
    sums = np.zeros(len(drawn_a))
    for start in trange(0, len(a), _BLOCK, desc="spread of kid", delay=2.0, leave=False):
        block = slice(start, start + _BLOCK)
        sums += np.sum((drawn_a[:, block] @ _kernel(a[block], b)) * drawn_b, axis=1)
    return sums
