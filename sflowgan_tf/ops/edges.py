"""E(.), the deterministic edge map, of the records as well as at inference; and pix2pixHD's."""

import math
from typing import Any

import numpy as np
from keras import ops

from sflowgan_tf.ops.settings import EdgeSettings

_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's RGB2GRAY


def laplacian_edges(images, settings: EdgeSettings):
    """Where the Laplacian of the grey picture is large.

    Args:
        images: (batch, height, width, 3) RGB, uint8 or floating 0..255; height and width >= 2.
        settings: threshold and blur.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}.

    Source: S-Flow GAN, sec. 3.2, "spatial Laplacian with threshold". The kernel (OpenCV's for
    ksize 3), the strict comparison of the absolute value, the grey levels unrounded, the mirrored
    border (BORDER_REFLECT_101) and the Gaussian are our choice.
    """
    image = grey(images)
    padded = _mirror(_gaussian(image, settings.blur) if settings.blur else image, 1)
    corners = sum(_window(padded, row, column, 1) for row in (0, 2) for column in (0, 2))
    laplacian: Any = 2.0 * corners - 8.0 * _window(padded, 1, 1, 1)
    return ops.cast(ops.greater(ops.abs(laplacian), settings.threshold), "float32")


def instance_boundaries(labels, instances):
    """Where a pixel belongs to another class or another instance than a neighbour.

    Args:
        labels: (batch, height, width) integer, class indices or void.
        instances: (batch, height, width) integer, 0 to 65535, 0 where there is no instance.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}: 1 on both sides of a boundary to one of the
        four neighbours.

    Source: pix2pixHD, sec. 3.3; its `get_edges` compares the ids of a map that holds the class
    where there is no instance.
    """
    ids: Any = ops.cast(labels, "int32") * (1 << 16) + ops.cast(instances, "int32")
    rows = ops.cast(ops.not_equal(ids[:, 1:], ids[:, :-1]), "float32")
    columns = ops.cast(ops.not_equal(ids[:, :, 1:], ids[:, :, :-1]), "float32")
    before, after, none = (1, 0), (0, 1), (0, 0)
    sides = [ops.pad(rows, (none, side, none)) for side in (before, after)]
    sides += [ops.pad(columns, (none, none, side)) for side in (before, after)]
    return ops.max(ops.stack(sides, axis=-1), axis=-1, keepdims=True)


def grey(images, dtype: str = "float32") -> Any:
    """The grey levels of RGB pictures, unrounded.

    Args:
        images: (batch, height, width, 3) RGB, any dtype.
        dtype: of the result.

    Returns:
        (batch, height, width, 1), in the range of `images`.
    """
    image: Any = ops.cast(images, dtype)
    return ops.sum(image * np.array(_GREY, dtype), axis=-1, keepdims=True)


def _gaussian(image: Any, sigma: float) -> Any:
    """Separable blur, cut off at three sigma."""
    radius = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = [float(weight) for weight in weights / weights.sum()]
    padded = _mirror(image, radius)
    rows = sum(w * _window(padded, k, radius, radius) for k, w in enumerate(weights))
    padded = _mirror(rows, radius)
    return sum(w * _window(padded, radius, k, radius) for k, w in enumerate(weights))


def _mirror(image: Any, radius: int) -> Any:
    """The image with `radius` more pixels on each side, mirrored without repeating the border."""
    for axis in (1, 2):
        size = _sizes(image)[axis]
        period = 2 * (size - 1)
        index = ops.mod(ops.arange(-radius, size + radius, dtype="int32"), period)
        image = ops.take(image, ops.minimum(index, ops.subtract(period, index)), axis=axis)
    return image


def _window(padded: Any, row: int, column: int, radius: int) -> Any:
    """The part of a padded image that begins at (row, column) and is as large as the original."""
    height, width = _sizes(padded)[1:3]
    bottom, right = height - 2 * radius + row, width - 2 * radius + column
    return padded[:, row:bottom, column:right]


def _sizes(image: Any) -> Any:
    """Of each axis; a scalar tensor where it is not known yet."""
    return ops.shape(image)
