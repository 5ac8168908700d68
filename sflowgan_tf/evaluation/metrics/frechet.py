"""The Frechet distance, on which FID and FVD rest."""

import numpy as np

_FEW = 2048  # as many samples as the standard Inception has features


def frechet_distance(activations_a, activations_b):
    """Squared Frechet distance between the Gaussians that fit two sets of features.

    |mean_a - mean_b|^2 + tr(C_a) + tr(C_b) - 2 tr((C_a C_b)^(1/2)), with unbiased covariances. The
    last trace is the sum of the singular values of X_a X_b^T for centred, scaled X (C = X^T X),
    which takes no root of a rounding error and so stands singular covariances, as fewer samples
    than features make them.

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
    root_a, root_b = _root(a), _root(b)
    means = np.sum((a.mean(0) - b.mean(0)) ** 2)
    traces = np.sum(root_a**2) + np.sum(root_b**2)
    cross = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    return max(float(means + traces - 2 * cross), 0.0)


def cautions(samples: int, dimension: int) -> list[str]:
    """What to bear in mind about a distance that was measured on few samples.

    Args:
        samples: in the smaller set.
        dimension: of the features.

    Returns:
        A sentence for each reason, of which there may be none.

    Source: Heusel et al.'s code asks for 2048 samples or more.
    """
    found = []
    if samples <= dimension:
        found.append(
            f"{samples} samples of {dimension} features: the covariance is singular, so the "
            "distance is far too large; expected more samples than features."
        )
    if samples < _FEW:
        found.append(
            f"{samples} samples, fewer than {_FEW}: the distance is biased upwards; it compares "
            "only with distances of as many samples."
        )
    return found


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


def _root(activations):
    """R with R^T R = the unbiased covariance and at most as many rows as features."""
    centred = (activations - activations.mean(0)) / np.sqrt(len(activations) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    return np.asarray(np.linalg.qr(centred, mode="r"))
