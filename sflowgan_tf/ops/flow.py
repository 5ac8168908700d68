"""F(.), dense optical flow by Farneback's method, differentiable.

Conventions, here and wherever this project speaks of flow: a flow from frame a to frame b is given
on the pixels of a, in pixels per frame; channel 0 is dx, positive to the right, channel 1 is dy,
positive downwards. What is at (x, y) in a is at (x + dx, y + dy) in b.

The parameters, their meaning, the pyramid's sizes, the borders and the constants are those of
OpenCV's `calcOpticalFlowFarneback`; tests/ops/test_flow.py says how closely the results agree.

Source: Farneback, "Two-frame motion estimation based on polynomial expansion", SCIA 2003.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from sflowgan_tf.ops.preprocessing import GREY
from sflowgan_tf.ops.settings import Farneback

_SMALLEST = 32  # pixels; no level of the pyramid gets smaller than this
_REGULARIZER = 1e-3  # of the determinant, in grey levels to the fourth
_BORDER = (0.14, 0.14, 0.4472, 0.4472, 0.4472)  # trust in the outermost pixels
_BLOCK = 128  # rows of a banded matrix that are multiplied at once
_COEFFICIENTS = 5  # of a quadratic polynomial without its constant: y, x, yy, xx, xy


def dense_flow(image_a: Any, image_b: Any, farneback: Farneback) -> Any:
    """Farneback flow from one frame to the next.

    Every step is differentiable in both frames, through all iterations and levels; what has no
    gradient is the choice of the four pixels between which frame b is interpolated. The
    determinant's regularizer keeps gradients finite where nothing can be seen to move.

    Args:
        image_a: (batch, height, width, 3) RGB, 0 to 255, any dtype; height and width static.
        image_b: the same, one frame later.
        farneback: settings of the method.

    Returns:
        (batch, height, width, 2) pixels per frame, float32 whatever the precision policy; float64
        where `image_a` is.

    Raises:
        ValueError: the frames differ in shape, are not RGB, are smaller than 10 pixels, or their
            size is not static.
    """
    _check(image_a, image_b)
    f = farneback
    dtype = "float64" if image_a.dtype == "float64" else "float32"
    frames: Any = ops.concatenate([_grey(image_a, dtype), _grey(image_b, dtype)], axis=0)
    sizes = _pyramid(frames.shape[1], frames.shape[2], f.pyr_scale, f.levels)
    flow = ops.zeros((2, 1, 1, 1), dtype)
    for level, (height, width) in reversed(list(enumerate(sizes))):
        rows, columns = (_window(size, f.winsize, f.gaussian) for size in (height, width))
        shrunk = _shrunk(frames, f.pyr_scale**level, height, width)
        a, b = ops.split(_expansion(shrunk, f.poly_n, f.poly_sigma), 2, axis=0)
        a, b = ops.unstack(a, axis=-1), _with_right_neighbours(b)
        if level + 1 < len(sizes):
            flow = _grown(flow, 1 / f.pyr_scale, height, width)
        for _ in range(f.iterations):
            equations = _equations(a, b, flow)
            flow = _solved(*(_between(rows, part, columns) for part in equations))
    return ops.transpose(flow, (1, 2, 3, 0))


def _check(image_a: Any, image_b: Any) -> None:
    if tuple(image_a.shape) != tuple(image_b.shape) or image_a.shape[-1] != 3:
        raise ValueError(
            "image_a, image_b: expected two batches (batch, height, width, 3) of one shape, got "
            f"{tuple(image_a.shape)} and {tuple(image_b.shape)}"
        )
    if None in image_a.shape[1:3]:
        raise ValueError(
            f"image_a: expected a static height and width, got {tuple(image_a.shape)}; the number "
            "of pyramid levels depends on them"
        )
    least = 2 * len(_BORDER)
    if min(image_a.shape[1:3]) < least:
        raise ValueError(
            f"image_a: expected {least} pixels or more each way, got {tuple(image_a.shape)}"
        )


def _grey(images: Any, dtype: str) -> Any:
    """(batch, height, width) grey levels, 0 to 255, unrounded."""
    return ops.sum(ops.cast(images, dtype) * np.array(np.divide(GREY, 1000), dtype), axis=-1)


def _pyramid(height: int, width: int, scale: float, levels: int) -> list[tuple[int, int]]:
    """(height, width) of each level, the full size first."""
    factors = [scale**level for level in range(levels + 1)]
    large = [f for f in factors[1:] if min(height * f, width * f) >= _SMALLEST]
    return [(round(height * f), round(width * f)) for f in [1.0, *large]]


def _shrunk(frames: Any, scale: float, height: int, width: int) -> Any:
    """(batch, height, width) frames, smoothed so that they can be sampled at that size."""
    rows = _smooth_and_sample(frames.shape[1], height, scale)
    columns = _smooth_and_sample(frames.shape[2], width, scale)
    return _between(rows, frames, columns)


def _grown(flow: Any, factor: float, height: int, width: int) -> Any:
    """The flow of a level, (2, batch, ...), brought to the next larger one."""
    rows = factor * _bilinear(flow.shape[2], height)
    return _between(rows, flow, _bilinear(flow.shape[3], width))


def _between(rows: np.ndarray, planes: Any, columns: np.ndarray) -> Any:
    """Multiply rows x plane x columns^T, for each plane (..., height, width).

    All that is linear and separable is done so, with its border. The matrices are banded, so blocks
    of them are multiplied with the part of the planes that counts.
    """
    parts = [
        ops.matmul(planes[..., first:last], ops.convert_to_tensor(block.T, dtype=planes.dtype))
        for block, first, last in _blocks(columns)
    ]
    planes = ops.concatenate(parts, axis=-1)
    parts = [
        ops.matmul(ops.convert_to_tensor(block, dtype=planes.dtype), planes[..., first:last, :])
        for block, first, last in _blocks(rows)
    ]
    return ops.concatenate(parts, axis=-2)


def _blocks(matrix: np.ndarray) -> list[tuple[np.ndarray, int, int]]:
    """Slices of rows without the columns in which they are 0, and those columns' range."""
    blocks = []
    for start in range(0, len(matrix), _BLOCK):
        block = matrix[start : start + _BLOCK]
        used = np.flatnonzero(block.any(axis=0))
        first, last = int(used[0]), int(used[-1]) + 1
        blocks.append((block[:, first:last], first, last))
    return blocks


@lru_cache
def _smooth_and_sample(size: int, smaller: int, scale: float) -> np.ndarray:
    """(smaller, size) matrix: a Gaussian that fits the scale, its border mirrored, then linear."""
    sigma = (1 / scale - 1) / 2
    taps = max(round(5 * sigma) | 1, 3)
    radius = taps // 2
    weights = _gaussian(radius, sigma) if sigma else [0.25, 0.5, 0.25]  # as OpenCV for sigma 0
    smooth = np.zeros((size, size))
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        index = np.abs(np.arange(size) + offset)
        index = np.minimum(index, 2 * (size - 1) - index)
        np.add.at(smooth, (np.arange(size), index), weight)
    return _bilinear(size, smaller) @ smooth


@lru_cache
def _bilinear(size: int, target: int) -> np.ndarray:
    """(target, size) matrix of linear interpolation between the centres of pixels."""
    position = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    before = np.minimum(np.floor(position).astype(int), size - 2)
    share = position - before
    matrix = np.zeros((target, size))
    rows = np.arange(target)
    matrix[rows, before], matrix[rows, before + 1] = 1 - share, share
    return matrix


def _gaussian(radius: int, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def _expansion(planes: Any, radius: int, sigma: float) -> Any:
    """The quadratic polynomial around each pixel, fitted with Gaussian weights.

    Grey levels (batch, height, width) give (batch, height, width, 5) coefficients of y, x, y^2, x^2
    and xy.
    """
    vertical, horizontal = _kernels(radius, sigma)
    padded = _extended(_extended(planes[..., None], radius, 1), radius, 2)
    moments = ops.conv(padded, ops.convert_to_tensor(vertical, dtype=planes.dtype))
    return ops.conv(moments, ops.convert_to_tensor(horizontal, dtype=planes.dtype))


@lru_cache
def _kernels(radius: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Convolutions 1 -> 3 (moments 1, y, y^2 of columns) and 3 -> 5 (coefficients)."""
    x = np.arange(-radius, radius + 1)
    moments = _gaussian(radius, sigma)[:, None] * np.stack([x**0, x, x**2], axis=1)
    grid_y, grid_x = (axis.ravel() for axis in np.meshgrid(x, x, indexing="ij"))
    basis = np.stack([grid_x**0, grid_y, grid_x, grid_y**2, grid_x**2, grid_x * grid_y])
    weights = np.outer(moments[:, 0], moments[:, 0]).ravel()
    inverse = np.linalg.inv((basis * weights) @ basis.T)
    # Moments over columns and rows: 1, y, x, yy, xx, xy as (power of y, power of x)
    powers = [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1)]
    horizontal = np.zeros((1, len(x), 3, 6))
    for index, (of_y, of_x) in enumerate(powers):
        horizontal[0, :, of_y, index] = moments[:, of_x]
    return moments[:, None, None, :], horizontal @ inverse[:, 1:]


def _extended(planes: Any, radius: int, axis: int) -> Any:
    """`radius` more pixels on both sides of an axis, the border's repeated."""
    first = ops.split(planes, [1], axis=axis)[0]
    last = ops.split(planes, [planes.shape[axis] - 1], axis=axis)[1]
    before, behind = (ops.repeat(edge, radius, axis=axis) for edge in (first, last))
    return ops.concatenate([before, planes, behind], axis=axis)


def _with_right_neighbours(coefficients: Any) -> Any:
    """(batch * height * width, 10): those of each pixel and of the next one in memory."""
    flat = ops.reshape(coefficients, (-1, _COEFFICIENTS))
    return ops.concatenate([flat, ops.roll(flat, -1, axis=0)], axis=1)


def _equations(a: list[Any], b: Any, flow: Any) -> list[Any]:
    """The linear equations for the flow at each pixel, given a flow to start from.

    Args:
        a: five planes (batch, height, width), the coefficients of frame a.
        b: (batch * height * width, 10), those of frame b and their right neighbours.
        flow: (2, batch, height, width), or what broadcasts to it.

    Returns:
        Five planes (batch, height, width): the symmetric matrix g11, g12, g22 and the right side
        h1, h2, for coordinates in the order y, x.
    """
    dx, dy = (ops.broadcast_to(part, ops.shape(a[0])) for part in ops.unstack(flow, axis=0))
    (by, bx, byy, bxx, bxy), inside = _fetched(b, dx, dy)
    ay, ax, ayy, axx, axy = a
    half = ops.where(inside, 0.5, ops.cast(1, dx.dtype))
    yy, xx, xy = (ayy + byy) * half, (axx + bxx) * half, (axy + bxy) * (half / 2)
    y = (ay - by) / 2 + yy * dy + xy * dx
    x = (ax - bx) / 2 + xy * dy + xx * dx
    cross = xy * xy
    return [yy * yy + cross, (yy + xx) * xy, xx * xx + cross, yy * y + xy * x, xy * y + xx * x]


def _fetched(pairs: Any, dx: Any, dy: Any) -> tuple[list[Any], Any]:
    """Frame b's coefficients where the flow points, five planes, and whether that is inside.

    They are 0 where the flow points outside.
    """
    batch, height, width = ops.shape(dx)[0], *dx.shape[1:]
    x = ops.arange(width, dtype=dx.dtype) + dx
    y = ops.arange(height, dtype=dx.dtype)[:, None] + dy
    left, top = (ops.stop_gradient(ops.floor(p)) for p in (x, y))
    inside = (left >= 0) & (left < width - 1) & (top >= 0) & (top < height - 1)
    first = ops.arange(batch, dtype="int32")[:, None, None] * (height * width)
    index = first + ops.cast(top, "int32") * width + ops.cast(left, "int32")
    index = ops.where(inside, index, 0)
    right, down = x - left, y - top
    above, below = (ops.where(inside, share, 0) for share in (1 - down, down))

    def row(offset: int) -> Any:
        corners = ops.take(pairs, ops.reshape(index + offset, (-1,)), axis=0)
        corners = ops.reshape(ops.transpose(corners), (2, _COEFFICIENTS, *ops.shape(dx)))
        here, beside = ops.unstack(corners, axis=0)
        return here + right * (beside - here)

    return ops.unstack(above * row(0) + below * row(width), axis=0), inside


@lru_cache
def _window(size: int, winsize: int, gaussian: bool) -> np.ndarray:
    """(size, size) matrix that averages over `winsize` pixels, the border's repeated.

    It also weights each pixel by how far it is trusted, twice since the equations are quadratic.
    """
    radius = winsize // 2
    weights = _gaussian(radius, 0.3 * radius) if gaussian else np.full(2 * radius + 1, 1 / winsize)
    matrix = np.zeros((size, size))
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        np.add.at(matrix, (np.arange(size), np.clip(np.arange(size) + offset, 0, size - 1)), weight)
    trust = np.ones(size)
    trust[: len(_BORDER)] *= _BORDER
    trust[-len(_BORDER) :] *= _BORDER[::-1]
    return matrix * trust**2


def _solved(g11: Any, g12: Any, g22: Any, h1: Any, h2: Any) -> Any:
    """(2, batch, height, width): dx and dy of each pixel's two equations."""
    determinant = g11 * g22 - g12 * g12 + _REGULARIZER
    dx, dy = (g11 * h2 - g12 * h1) / determinant, (g22 * h1 - g12 * h2) / determinant
    return ops.stack([dx, dy], axis=0)
