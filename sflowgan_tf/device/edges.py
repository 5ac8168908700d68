"""E(.), the deterministic edge map, with NumPy alone."""

import math

import numpy as np

_GREY = np.array((0.299, 0.587, 0.114), np.float32)  # as `ops.edges`


def laplacian_edges(frame: np.ndarray, threshold: float, blur: float) -> np.ndarray:
    """The edge map of `ops.edges.laplacian_edges`, of one frame.

    Args:
        frame: (height, width, 3) uint8 RGB; height and width >= 2.
        threshold: of the Laplacian's absolute value, in grey levels.
        blur: sigma of a Gaussian before it, pixels; 0 is none.

    Returns:
        (height, width, 1) float32 in {0, 1}.
    """
    grey = (frame.astype(np.float32) * _GREY).sum(axis=-1)
    padded = np.pad(_gaussian(grey, blur) if blur else grey, 1, mode="reflect")
    corners = padded[:-2, :-2] + padded[:-2, 2:] + padded[2:, :-2] + padded[2:, 2:]
    laplacian = 2 * corners - 8 * padded[1:-1, 1:-1]
    return (np.abs(laplacian) > threshold).astype(np.float32)[..., None]


def _gaussian(grey: np.ndarray, sigma: float) -> np.ndarray:
    radius = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = grey.shape
    padded = np.pad(grey, radius, mode="reflect")
    rows = np.zeros((height, padded.shape[1]), np.float32)
    for k, weight in enumerate(weights):
        rows += weight * padded[k : k + height]
    blurred = np.zeros_like(grey)
    for k, weight in enumerate(weights):
        blurred += weight * rows[:, k : k + width]
    return blurred
