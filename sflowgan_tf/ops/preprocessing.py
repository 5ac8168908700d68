"""What stands before and after the networks everywhere: edges, one-hot labels, colours, pixels.

Written once for all array libraries. The argument `xp` of each function is the library: `numpy` on
a device, `keras.ops` in a graph and in training; both have the functions used here, by the same
names. So this module needs NumPy alone, and a device paints from what the networks were trained on.
"""

import math
from typing import Any

import numpy as np

from sflowgan_tf.ops.settings import EdgeSettings, Regions

GREY = (299, 587, 114)  # red, green, blue in thousandths: ITU-R BT.601, as OpenCV's RGB2GRAY


def laplacian_edges(images: Any, settings: EdgeSettings, xp: Any) -> Any:
    """Where the Laplacian of the grey picture is large; see `ops.edges.laplacian_edges`.

    Grey levels are counted in thousandths. Without blur, all numbers on the way are then integers
    of at most 2,040,000 for pictures of integer levels, which float32 holds exactly. So no order
    of additions, fused multiplication or compiler changes a pixel, and every backend draws the
    same edges.

    Args:
        images: (batch, height, width, 3) RGB, uint8 or floating 0..255; height and width >= 2.
        settings: threshold or density, and blur.
        xp: `numpy` or `keras.ops`.

    Returns:
        (batch, height, width, 1) float32 in {0, 1}, an array of `xp`.
    """
    levels = xp.array(images, dtype="float32") * np.array(GREY, np.float32)
    grey = xp.sum(levels, axis=-1, keepdims=True)
    padded = _mirrored(_blurred(grey, settings.blur, xp) if settings.blur else grey, 1, xp)
    corners = sum(_window(padded, row, column, 1, xp) for row in (0, 2) for column in (0, 2))
    laplacian = 2.0 * corners - 8.0 * _window(padded, 1, 1, 1, xp)
    strength = xp.abs(laplacian)
    if settings.density:
        limit = _strongest(strength, settings.density, xp)
    else:
        limit = float(np.floor(round(1000 * settings.threshold, 6)))
    return xp.array(strength > limit, dtype="float32")


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


def region_colors(labels: Any, images: Any, num_classes: int, regions: Regions, xp: Any) -> Any:
    """Colours without detail: around each pixel, the mean colour of the pixels of its class.

    The picture is divided into square cells. In each of them every class has its sums of colours
    and of pixels, void being one more class; both are interpolated bilinearly between the centres
    of the cells and then divided. So no colour crosses the boundary of a class, and a small thing
    keeps its own. The pixels of `regions.fine` are not averaged at all.

    Args:
        labels: (batch, height, width) integer indices; C or more is void.
        images: (batch, height, width, 3) RGB, uint8 or floating 0..255.
        num_classes: C.
        regions: how wide the cells are, and which classes have none.
        xp: `numpy` or `keras.ops`.

    Returns:
        (batch, height, width, 3) float32 0..255, an array of `xp`.
    """
    indices = xp.minimum(xp.array(labels, dtype="int32"), num_classes)
    colors = _means_in_cells(indices, images, num_classes + 1, regions.cell, xp)
    for index in regions.fine:
        own = xp.equal(indices, index)[..., None]
        colors = xp.where(own, xp.array(images, dtype="float32"), colors)
    return colors


def _means_in_cells(indices: Any, images: Any, kinds: int, cell: int, xp: Any) -> Any:
    """The mean colour of each pixel's kind around it, (batch, height, width, 3) float32."""
    batch, height, width = xp.shape(indices)
    rows, columns = (height + cell - 1) // cell, (width + cell - 1) // cell
    sums = _sums_in_cells(indices, images, kinds, (rows, columns), cell, xp)
    sums = sum(
        share[:, None] * xp.take(sums, column, axis=2)
        for column, share in _neighbours(width, columns, cell, xp)
    )
    sums = xp.reshape(sums, (-1, 4))
    inside = xp.arange(width, dtype="int32") * kinds + indices  # a line of cells
    line = xp.reshape(xp.arange(batch, dtype="int32"), (-1, 1)) * rows
    total: Any = sum(
        share[:, None, None]
        * xp.take(sums, (line + row)[..., None] * (width * kinds) + inside, axis=0)
        for row, share in _neighbours(height, rows, cell, xp)
    )
    return (total / total[..., 3:])[..., :3]


def recolored(colors: Any, labels: Any, scale: Any, shift: Any, xp: Any) -> Any:
    """Colours, each class' scaled and shifted.

    Args:
        colors: (batch, height, width, 3) float32 0..255, of `region_colors`.
        labels: (batch, height, width) integer indices; C or more is void.
        scale: (batch, C + 1, 3) float32, of the classes and void.
        shift: (batch, C + 1, 3) float32, grey levels.
        xp: `numpy` or `keras.ops`.

    Returns:
        The shape of `colors`, float32, clipped to 0..255.
    """
    batch, kinds, _ = xp.shape(scale)
    indices = xp.minimum(xp.array(labels, dtype="int32"), kinds - 1)
    places = indices + xp.reshape(xp.arange(batch, dtype="int32"), (-1, 1, 1)) * kinds
    scale, shift = (xp.take(xp.reshape(x, (-1, 3)), places, axis=0) for x in (scale, shift))
    return xp.clip(colors * scale + shift, 0.0, 255.0)


def to_signed(levels: Any, xp: Any) -> Any:
    """Levels 0..255 to float32 -1..1, any shape."""
    return xp.array(levels, dtype="float32") / 127.5 - 1.0


def to_levels(image: Any, xp: Any) -> Any:
    """Floating -1..1 to float32 0..255, neither rounded nor clipped, so differentiable."""
    return (xp.array(image, dtype="float32") + 1.0) * 127.5


def to_uint8(image: Any, xp: Any) -> Any:
    """Floating -1..1 to uint8 0..255, rounded half to even; what lies outside is clipped."""
    return xp.array(xp.round(xp.clip(to_levels(image, xp), 0.0, 255.0)), dtype="uint8")


def _strongest(strength: Any, share: float, xp: Any) -> Any:
    """The limit, (batch, 1, 1, 1), that at most that share of each map's pixels is above."""
    batch, height, width, _ = xp.shape(strength)
    count = height * width
    above = xp.array(xp.floor(xp.array(count, dtype="float32") * share), dtype="int32")
    ordered = xp.sort(xp.reshape(strength, (batch, count)), axis=-1)
    return xp.reshape(xp.take(ordered, count - 1 - above, axis=-1), (-1, 1, 1, 1))


def _sums_in_cells(
    indices: Any, images: Any, kinds: int, cells: tuple[Any, Any], cell: int, xp: Any
) -> Any:
    """Red, green, blue and number of the pixels of each class in each cell.

    Returns:
        (batch, rows, columns, kinds * 4) float32. Of integer levels it is exact, in any order of
        the additions, in cells of at most 256 pixels a side.
    """
    levels = xp.array(images, dtype="float32")
    values = xp.concatenate([levels, xp.ones_like(levels[..., :1])], axis=-1)
    indices = indices[..., None]
    for axis, count in enumerate(cells, 1):
        size = xp.shape(indices)[axis]
        place = xp.arange(count * cell, dtype="int32")
        inside = xp.reshape(xp.less(place, size), (-1, 1, 1) if axis == 1 else (-1, 1))
        place = xp.minimum(place, size - 1)
        values, indices = xp.take(values, place, axis=axis), xp.take(indices, place, axis=axis)
        indices = xp.where(inside, indices, kinds)  # no class beyond the border
    values, indices = (_by_cells(x, cells, cell, xp) for x in (values, indices))
    indices = xp.transpose(indices, (0, 1, 2, 4, 3))
    shares = xp.equal(indices, xp.arange(kinds, dtype="int32")[:, None])
    sums = xp.matmul(xp.array(shares, dtype="float32"), values)
    return xp.reshape(sums, (xp.shape(sums)[0], *cells, kinds * 4))


def _by_cells(values: Any, cells: tuple[Any, Any], cell: int, xp: Any) -> Any:
    """(batch, rows * cell, columns * cell, c) as (batch, rows, columns, cell * cell, c)."""
    batch, channels = xp.shape(values)[0], values.shape[-1]
    values = xp.reshape(values, (batch, cells[0], cell, cells[1], cell, channels))
    values = xp.transpose(values, (0, 1, 3, 2, 4, 5))
    return xp.reshape(values, (batch, *cells, cell * cell, channels))


def _neighbours(size: Any, cells: Any, cell: int, xp: Any) -> list[tuple[Any, Any]]:
    """For each pixel of an axis the two cells whose centres it lies between, and their shares."""
    place = (xp.arange(size, dtype="float32") + 0.5) / cell - 0.5
    lower = xp.floor(place)
    share = place - lower
    first = xp.array(lower, dtype="int32")
    return [
        (xp.maximum(first, 0), 1.0 - share),
        (xp.minimum(first + 1, cells - 1), share),
    ]


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
