"""The Frechet distance, on which FID and FVD rest."""

import math
from collections.abc import Sequence

import numpy as np

_FEW = 2048  # as many samples as the standard Inception has features
_SINGULAR = 1e-8  # share of the largest variance below which Cholesky's pivots are not trusted


def frechet_distance(activations_a, activations_b) -> float:
    """Squared Frechet distance between the Gaussians that fit two sets of features.

    |mean_a - mean_b|^2 + tr(C_a) + tr(C_b) - 2 tr((C_a C_b)^(1/2)), with unbiased covariances. The
    last trace is the sum of the singular values of R_a R_b^T for roots of the covariances
    (C = R^T R), which takes no root of a rounding error and so stands singular covariances, as
    fewer samples than features make them.

    Args:
        activations_a: (samples, features) numbers, at least 2 samples.
        activations_b: the same with as many features; the number of samples may differ.

    Returns:
        float, >= 0; 0 for equal sets. It is biased upwards, the more the fewer samples there are.

    Raises:
        ValueError: not two axes, fewer than 2 samples, not finite, or different numbers of
            features.

    Source: Heusel et al., 2017, eq. 6.
    """
    a, b = _checked("activations_a", activations_a), _checked("activations_b", activations_b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            "activations_a, activations_b: expected as many features, "
            f"got {a.shape[1]} and {b.shape[1]}"
        )
    return _distance(*_moments(a, np.ones(len(a))), *_moments(b, np.ones(len(b))))


class FrechetResampling:
    """Frechet distances of two sets of features, resampled in units: a figure.

    A drawing counts each unit a whole number of times, so it is a set of weighted samples: its
    moments are taken of the different samples alone, and the roots of its covariances by Cholesky's
    decomposition where that is exact. The values are those of `frechet_distance` on the repeated
    samples.

    Args:
        units: each (samples, 2, features), a set's samples beside the other's.

    Raises:
        ValueError: as `frechet_distance` says.
    """

    least, most = 0.0, math.inf

    def __init__(self, units: Sequence[np.ndarray]):
        self._sizes = np.array([len(unit) for unit in units])
        sides = np.moveaxis(np.concatenate(units), 1, 0)
        # The distance is one of shifted sets too; a common origin near both spares rounding errors.
        checked = [_checked("units", side) for side in sides]
        origin = np.mean([side.mean(0) for side in checked], axis=0)
        self._sides = [side - origin for side in checked]

    def __call__(self, units: Sequence[int]) -> float:
        """`frechet_distance` of the samples of some units, by index; one may come several times."""
        times = np.bincount(np.asarray(units, int), minlength=len(self._sizes))
        weights = np.repeat(times, self._sizes).astype(np.float64)
        chosen = weights > 0
        a, b = (_moments(side[chosen], weights[chosen]) for side in self._sides)
        return _distance(*a, *b)


def cautions(samples: int, dimension: int) -> list[str]:
    """Sentences, perhaps none, on a Frechet distance of sets with that many samples or more.

    Source: Heusel et al.'s code asks for 2048 samples or more.
    """
    sentences = []
    if samples <= dimension:
        sentences.append(
            f"{samples} samples of {dimension} features: the covariance is singular, so the "
            "distance is far too large; expected more samples than features."
        )
    if samples < _FEW:
        sentences.append(
            f"{samples} samples, fewer than {_FEW}: the distance is biased upwards; it compares "
            "only with distances of as many samples."
        )
    return sentences


def _checked(name, activations):
    activations = np.asarray(activations, dtype=np.float64)
    if activations.ndim != 2 or len(activations) < 2:
        raise ValueError(
            f"{name}: expected (samples, features) with at least 2 samples, "
            f"got shape {activations.shape}"
        )
    if not np.isfinite(activations).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return activations


def _moments(samples: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (features,) and root of the unbiased covariance of samples (samples, features).

    `weights` (samples,) float64 says how often each counts. The root is R (rows, features) with
    R^T R = the covariance and at most as many rows as features.
    """
    count = weights.sum()
    mean = weights @ samples / count
    centred = (samples - mean) * np.sqrt(weights / (count - 1))[:, None]
    if len(centred) <= centred.shape[1]:
        return mean, centred
    root = _cholesky(centred.T @ centred)
    return mean, np.asarray(np.linalg.qr(centred, mode="r")) if root is None else root


def _cholesky(covariance: np.ndarray) -> np.ndarray | None:
    """R with R^T R = the covariance; None where that is too near to a singular one.

    A product of matrices has squared the features, and with them the rounding errors: variances
    below 1e-8 of the largest one are left to a decomposition of the features themselves.
    """
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    pivots = np.square(np.diag(lower))
    return lower.T if pivots.min() > _SINGULAR * pivots.max() else None


def _distance(
    mean_a: np.ndarray, root_a: np.ndarray, mean_b: np.ndarray, root_b: np.ndarray
) -> float:
    means = np.sum((mean_a - mean_b) ** 2)
    traces = np.sum(root_a**2) + np.sum(root_b**2)
    cross = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    return max(float(means + traces - 2 * cross), 0.0)
