"""Faces to buffers: which face each pixel shows, where on the face, and where that point goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from . import masks
from .camera import Camera
from .faces import Faces

_NEAR = 0.3  # metres
_NEAREST = np.float32(1 / _NEAR)
_SMALL = 256  # pixels of a face that costs less beside others than by itself
_LAST = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class View:
    """What the camera sees at one time.

    Attributes:
        camera: the camera.
        time: in frames.
        homographies: (faces, 3, 3) float64, surface to pixels: `Camera.homographies`.
        inverses: (faces, 3, 3) float64, pixels to surface: `inverse @ (x, y, 1)` is (u, v, 1) / z.
            Zero for faces that the image does not show.
        face: (height, width) int32, the face seen at the pixel's centre; 0 is the sky.
    """

    camera: Camera
    time: float
    homographies: np.ndarray
    inverses: np.ndarray
    face: np.ndarray

    def pixels(self, values: np.ndarray) -> np.ndarray:
        """What each pixel's face has of `values`: (..., faces) to (..., height, width).

        A face's pixels stand in long rows, so that repeating is a few times faster than a look-up
        for each pixel.
        """
        faces, lengths = self._rows
        repeated = np.repeat(np.take(values, faces, axis=-1), lengths, axis=-1)
        return repeated.reshape(*repeated.shape[:-1], *self.face.shape)

    def some_pixels(self, chosen: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`pixels` of some faces alone: (..., faces) to (..., pixels), row after row.

        `chosen` is (faces,) bool.
        """
        faces, lengths = self._rows
        wanted = chosen[faces]
        return np.repeat(np.take(values, faces[wanted], axis=-1), lengths[wanted], axis=-1)

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The flattened image as runs of pixels of one face: (runs,) faces and (runs,) lengths."""
        flat = self.face.ravel()
        starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
        return flat[starts].astype(np.intp), np.diff(starts, append=flat.size)


@dataclass(frozen=True)
class Surface:
    """The surface points that the pixels show; each (height, width) float32.

    Attributes:
        u: surface coordinate in metres (of the sky: x / z of the direction).
        v: the other surface coordinate.
        spread_u: metres of u that the pixel spans.
        spread_v: metres of v that the pixel spans.
        depth: metres along the optical axis; infinite for the sky.
    """

    u: np.ndarray
    v: np.ndarray
    spread_u: np.ndarray
    spread_v: np.ndarray
    depth: np.ndarray


def view(faces: Faces, camera: Camera, time: float, size: tuple[int, int]) -> View:
    """Paint all faces with a depth test.

    Args:
        faces: the faces.
        camera: the camera.
        time: in frames.
        size: width and height in pixels.

    Returns:
        The view. A pixel belongs to the nearest face that holds its centre.
    """
    homographies = camera.homographies(faces, time)
    shown = _visible(faces, homographies, size)
    inverses = np.zeros_like(homographies)
    inverses[0] = np.linalg.inv(homographies[0])
    inverses[shown.index] = np.linalg.inv(homographies[shown.index])
    table = inverses[shown.index].astype(np.float32)
    left, top, right, bottom = shown.bounds.T
    is_small = (right - left) * (bottom - top) <= _SMALL
    place, nearness = _painted_singly(faces, shown, table, np.flatnonzero(~is_small), size)
    place = _paint_together(faces, shown, table, np.flatnonzero(is_small), place, nearness)
    face = np.append(shown.index, 0).astype(np.int32)[place]  # the place behind the last: sky
    return View(camera, time, homographies, inverses, face)


@dataclass(frozen=True)
class _Shown:
    """The faces that may show, the nearest first.

    Attributes:
        index: (shown,) int, their rows in the table.
        nearest: (shown,) float64, 1 / depth of their nearest points.
        bounds: (shown, 4) int, left, top, right and bottom of the pixels that hold them.
    """

    index: np.ndarray
    nearest: np.ndarray
    bounds: np.ndarray


def _painted_singly(
    faces: Faces, shown: _Shown, table: np.ndarray, places: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Paints some of the shown faces, one after the other.

    Args:
        faces: all of them.
        shown: those that may show.
        table: (shown, 3, 3) float32, their inverses.
        places: in `shown`, of those to paint, the nearest first.
        size: width and height in pixels.

    Returns:
        The place in `shown` of the face at each pixel, (height, width) int32, len(shown) for none;
        and 1 / depth there, (height, width) float32, 0 for none.
    """
    width, height = size
    place = np.full((height, width), len(shown.index), np.int32)
    nearness = np.zeros((height, width), np.float32)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    cutouts = masks.table()
    spans = faces.size[shown.index[places]].astype(np.float32)
    for number, best, (left, top, right, bottom), span, cut in zip(
        places.tolist(),
        shown.nearest[places].tolist(),
        shown.bounds[places].tolist(),
        spans,
        faces.mask[shown.index[places]].tolist(),
        strict=True,
    ):
        area = (slice(top, bottom), slice(left, right))
        before = nearness[area]
        if before.min() >= best:
            continue
        of_x, of_y, of_1 = table[number].T[..., None, None]
        planes = of_x * columns[area[1]] + (of_y * rows[area[0]] + of_1)
        points, near = planes[:2], planes[2]
        held = (points >= 0) & (points <= span[:, None, None] * near)
        inside = (near > before) & (near < _NEAREST) & held[0] & held[1]
        if cut:
            spots = np.flatnonzero(inside)
            u, v, nearness_there = (plane.ravel().take(spots) for plane in planes)
            held = _holds(cutouts, nearness_there, u / span[0], v / span[1], cut)
            inside.reshape(-1)[spots] = held
        where = inside.view(np.uint8)  # OpenCV's copy is ten times faster than NumPy's
        cv2.copyTo(near, where, before)
        cv2.copyTo(np.full(near.shape, number, np.int32), where, place[area])
    return place, nearness


def _paint_together(
    faces: Faces,
    shown: _Shown,
    table: np.ndarray,
    places: np.ndarray,
    place: np.ndarray,
    nearness: np.ndarray,
) -> np.ndarray:
    """Paints the rest of the shown faces all at once, over what `_painted_singly` painted.

    The arguments are its own, and what it returns. Each pixel goes to the nearest face, of equally
    near ones to the first in `shown`, as if all had been painted one after the other.

    Returns:
        The place in `shown` of the face at each pixel, as `_painted_singly` has it.
    """
    left, top, right, bottom = shown.bounds[places].T
    line_place, row = np.repeat(places, bottom - top), _each_from(top, bottom)
    lines = [np.repeat(side, bottom - top) for side in (left, right)]
    wide = lines[1] - lines[0]
    line, column = np.repeat(np.arange(len(row)), wide), _each_from(*lines)
    spot = np.repeat(row * place.shape[1], wide) + column

    y, x = row.astype(np.float32), column.astype(np.float32)
    (of_x, rest), *of_points = (
        (of_x, of_y * y + of_1) for of_x, of_y, of_1 in table[line_place].transpose(1, 2, 0)[::-1]
    )
    near = np.repeat(of_x, wide) * x + np.repeat(rest, wide)
    at = np.flatnonzero((near >= nearness.ravel().take(spot)) & (near > 0) & (near < _NEAREST))
    near, x, line = near[at], x[at], line[at]
    v, u = (of_x[line] * x + rest[line] for of_x, rest in of_points)
    points = np.stack([u, v])
    number = line_place[line]
    face = shown.index[number]
    span = faces.size[face].T.astype(np.float32)
    held = (points >= 0) & (points <= span * near)
    inside = held[0] & held[1]
    cut = faces.mask[face].astype(np.intp)
    spots = np.flatnonzero(inside & (cut > 0))
    u, v = points[:, spots] / span[:, spots]
    inside[spots] = _holds(masks.table(), near[spots], u, v, cut[spots])
    keys = _keys(nearness.ravel(), place.ravel())
    np.maximum.at(keys, spot[at[inside]], _keys(near[inside], number[inside]))
    return (_LAST - (keys & _LAST)).astype(np.int32).reshape(place.shape)


def _each_from(first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The whole numbers from each first one to before its end, one range after the other."""
    lengths = end - first
    return np.arange(lengths.sum()) + np.repeat(first - (lengths.cumsum() - lengths), lengths)


def _keys(near: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Numbers, uint64, the larger the nearer, and of the equally near ones the earlier a face."""
    bits = near.view(np.uint32).astype(np.uint64)  # in the order of the floats, which are >= 0
    return bits << np.uint64(32) | (_LAST - place.astype(np.uint64))


def _holds(cutouts: np.ndarray, near, u, v, mask) -> np.ndarray:
    """Whether points lie within a mask's outline; all arrays are (points,).

    Args:
        cutouts: of `masks.table`.
        near: 1 / depth.
        u: part of the face's width, divided by the depth as `near` is.
        v: part of its height, the same.
        mask: a `masks.Mask`, or each point's own.
    """
    scale = masks.SIDE / near
    last = masks.SIDE - 1
    columns = np.minimum((u * scale).astype(np.int32), last)
    rows = np.minimum((v * scale).astype(np.int32), last)
    return cutouts.ravel().take((mask * masks.SIDE + rows) * masks.SIDE + columns) > 0


def _visible(faces, homographies, size) -> _Shown:
    """The faces that may show, the nearest first."""
    width, height = size
    span_u, span_v = faces.size[:, 0], faces.size[:, 1]
    zero, one = np.zeros_like(span_u), np.ones_like(span_u)
    corners = np.stack(
        [
            np.stack([u, v, one], axis=1)
            for u, v in ((zero, zero), (span_u, zero), (span_u, span_v), (zero, span_v))
        ],
        axis=1,
    )
    points = corners @ homographies.transpose(0, 2, 1)  # (faces, 4, 3)
    ahead = points[..., 2] > _NEAR
    keep = ahead.any(axis=1)
    keep[0] = False
    toward = np.linalg.det(homographies)  # > 0: the camera is where along x up points to
    keep &= np.where(faces.one_sided, toward, np.abs(toward)) > 1e-6
    index = np.flatnonzero(keep)
    points, ahead = points[index], ahead[index]
    following = np.roll(points, -1, axis=1)
    rise = following[..., 2] - points[..., 2]
    crossing = ahead != np.roll(ahead, -1, axis=1)
    part = (_NEAR - points[..., 2]) / np.where(crossing, rise, 1)
    clipped = points + part[..., None] * (following - points)
    outline = np.concatenate([points, clipped], axis=1)
    used = np.concatenate([ahead, crossing], axis=1)[..., None]
    pixels = outline[..., :2] / np.where(used, outline[..., 2:], 1)
    limits = np.array([width, height])
    low = np.ceil(np.clip(np.where(used, pixels, np.inf).min(axis=1), 0, limits)).astype(int)
    high = np.floor(np.clip(np.where(used, pixels, -np.inf).max(axis=1), -1, limits - 1)) + 1
    bounds = np.concatenate([low, high.astype(int)], axis=1)
    nearest = 1 / np.maximum(points[..., 2].min(axis=1), _NEAR)
    visible = np.flatnonzero((bounds[:, 2:] > bounds[:, :2]).all(axis=1))
    visible = visible[np.argsort(-nearest[visible], kind="stable")]
    return _Shown(index[visible], nearest[visible], bounds[visible])


def surface(seen: View) -> Surface:
    """Where on its face each pixel of a view lies."""
    height, width = seen.face.shape
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    table = seen.inverses.reshape(-1, 9).astype(np.float32).T
    ux, uy, u1, vx, vy, v1, nx, ny, n1 = map(seen.pixels, table)
    depth = 1 / np.maximum(nx * x + ny * y + n1, np.float32(1e-9))
    u = (ux * x + uy * y + u1) * depth
    v = (vx * x + vy * y + v1) * depth
    spread_u = (np.abs(ux - u * nx) + np.abs(uy - u * ny)) * depth
    spread_v = (np.abs(vx - v * nx) + np.abs(vy - v * ny)) * depth
    depth[seen.face == 0] = np.inf
    return Surface(u, v, spread_u, spread_v, depth)


def flow(seen: View, following: View) -> tuple[np.ndarray, np.ndarray]:
    """The exact motion of what a view shows to the next view.

    Args:
        seen: the view at time t.
        following: the view of the same faces at time t + 1.

    Returns:
        (height, width, 2) float32, pixels per frame: channel 0 is dx (right), 1 is dy (down); and
        (height, width) bool: true where the pixel nearest to the point's new place lies in the
        image and shows the same face.
    """
    height, width = seen.face.shape
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    table = (following.homographies @ seen.inverses).reshape(-1, 9).astype(np.float32).T
    xx, xy, x1, yx, yy, y1, zx, zy, z1 = map(seen.pixels, table)
    scale = zx * x + zy * y + z1  # depth at t + 1 over depth at t
    ahead = scale > 1e-3
    scale = np.where(ahead, scale, 1)
    new_x = (xx * x + xy * y + x1) / scale
    new_y = (yx * x + yy * y + y1) / scale
    column, row = np.rint(new_x).astype(np.int32), np.rint(new_y).astype(np.int32)
    valid = ahead & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    spots = np.where(valid, row * width + column, 0)
    valid &= np.take(following.face, spots) == seen.face
    return np.stack([new_x - x, new_y - y], axis=-1), valid
