"""What stands before and after the networks everywhere: edge map, one-hot labels, pixels.

Written once for all array libraries. The argument `xp` of each function is the library: `numpy` on
a device, `keras.ops` in a graph and in training; both have the functions used here, by the same
names. So this module needs NumPy alone, and a device paints from what the networks were trained on.
"""

import math
from typing import Any

import numpy as np

from sflowgan_tf.ops.settings import EdgeSettings

GREY = (299, 587, 114)  # red, green, blue in thousandths: ITU-R BT.601, as OpenCV's RGB2GRAY


def laplacian_edges(images: Any, settings: EdgeSettings, xp: Any) -> Any:
    """Where the Laplacian of the grey picture is large; see `ops.edges.laplacian_edges`.

    Grey levels are counted in thousandths. Without blur, all numbers on the way are then integers
    of at most 2,040,000 for pictures of integer levels, which float32 holds exactly. So no order
    of additions, fused multiplication or compiler changes a pixel, and every backend draws the
    same edges.

    Args:
        images: (batch, height, width, 3) RGB, uint8 or floating 0..255; height and width >= 2.
        settings: threshold and blur.
        xp: `numpy` or `keras.ops`.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}, an array of `xp`.
    """
    levels = xp.array(images, dtype="float32") * np.array(GREY, np.float32)
    grey = xp.sum(levels, axis=-1, keepdims=True)
    padded = _mirrored(_blurred(grey, settings.blur, xp) if settings.blur else grey, 1, xp)
    corners = sum(_window(padded, row, column, 1, xp) for row in (0, 2) for column in (0, 2))
    laplacian = 2.0 * corners - 8.0 * _window(padded, 1, 1, 1, xp)
    limit = float(np.floor(round(1000 * settings.threshold, 6)))
    return xp.array(xp.abs(laplacian) > limit, dtype="float32")


def one_hot(labels: Any, num_classes: int, xp: Any) -> Any:
    """Class indices as one channel per class.

    Args:
        labels: integer indices, any shape.
        num_classes: C.
        xp: `numpy` or `keras.ops`.

    Returns:
        float32 in {0, 1} with one more axis, of C channels; all 0 where an index is C or more, as
        void is.
    """
    indices = xp.array(labels, dtype="int32")[..., None]
    return xp.array(xp.equal(indices, xp.arange(num_classes, dtype="int32")), dtype="float32")


def to_levels(image: Any, xp: Any) -> Any:
    """Floating -1..1 to float32 0..255, neither rounded nor clipped, so differentiable."""
    return (xp.array(image, dtype="float32") + 1.0) * 127.5


def to_uint8(image: Any, xp: Any) -> Any:
    """Floating -1..1 to uint8 0..255, rounded half to even; what lies outside is clipped."""
    return xp.array(xp.round(xp.clip(to_levels(image, xp), 0.0, 255.0)), dtype="uint8")


def _blurred(image: Any, sigma: float, xp: Any) -> Any:
    """Separable Gaussian, cut off at three sigma."""
    radius = math.ceil(3 * sigma)
    shares = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = [float(share) for share in shares / shares.sum()]
    padded = _mirrored(image, radius, xp)
    rows = sum(w * _window(padded, k, radius, radius, xp) for k, w in enumerate(weights))
    padded = _mirrored(rows, radius, xp)
    return sum(w * _window(padded, radius, k, radius, xp) for k, w in enumerate(weights))


def _mirrored(image: Any, radius: int, xp: Any) -> Any:
    """The image with `radius` more pixels on each side, mirrored without repeating the border."""
    for axis in (1, 2):
        size = xp.shape(image)[axis]
        period = 2 * (size - 1)
        index = xp.mod(xp.arange(-radius, size + radius, dtype="int32"), period)
        image = xp.take(image, xp.minimum(index, xp.subtract(period, index)), axis=axis)
    return image


def _window(padded: Any, row: int, column: int, radius: int, xp: Any) -> Any:
    """The part of a padded image that begins at (row, column) and is as large as the original."""
    height, width = xp.shape(padded)[1:3]
    bottom, right = height - 2 * radius + row, width - 2 * radius + column
    return padded[:, row:bottom, column:right]
