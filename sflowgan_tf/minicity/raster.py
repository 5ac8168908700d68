"""Faces to buffers: which face each pixel shows, where on the face, and where that point goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import masks
from .camera import Camera
from .faces import Faces

_NEAR = 0.3  # metres


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
    width, height = size
    homographies = camera.homographies(faces, time)
    index, nearest, bounds = _visible(faces, homographies, size)
    inverses = np.zeros_like(homographies)
    inverses[0] = np.linalg.inv(homographies[0])
    inverses[index] = np.linalg.inv(homographies[index])
    face = np.zeros((height, width), np.int32)
    nearness = np.zeros((height, width), np.float32)  # 1 / depth
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    cutouts = masks.table()
    for number, best, (left, top, right, bottom) in zip(
        index.tolist(), nearest.tolist(), bounds.tolist(), strict=True
    ):
        area = (slice(top, bottom), slice(left, right))
        if nearness[area].min() >= best:
            continue
        x, y = columns[area[1]], rows[area[0]]
        to_u, to_v, to_nearness = inverses[number].astype(np.float32)
        near = to_nearness[0] * x + (to_nearness[1] * y + to_nearness[2])
        u = to_u[0] * x + (to_u[1] * y + to_u[2])
        v = to_v[0] * x + (to_v[1] * y + to_v[2])
        span_u, span_v = faces.size[number].astype(np.float32)
        inside = near > nearness[area]
        inside &= near < np.float32(1 / _NEAR)
        inside &= (u >= 0) & (u <= span_u * near)
        inside &= (v >= 0) & (v <= span_v * near)
        cut = faces.mask[number]
        if cut:
            _cut(inside, cutouts[cut], near, u / span_u, v / span_v)
        np.copyto(nearness[area], near, where=inside)
        np.copyto(face[area], number, where=inside)
    return View(camera, time, homographies, inverses, face)


def _cut(inside, cutout, near, u, v) -> None:
    """Take the pixels outside a mask away from `inside`, in place."""
    spots = np.flatnonzero(inside)
    scale = masks.SIDE / near.ravel()[spots]
    last = masks.SIDE - 1
    columns = np.minimum((u.ravel()[spots] * scale).astype(np.int32), last)
    rows = np.minimum((v.ravel()[spots] * scale).astype(np.int32), last)
    inside.reshape(-1)[spots] = cutout[rows, columns]


def _visible(faces, homographies, size) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The faces that may show, the nearest first.

    Returns:
        Their indices, 1 / depth of their nearest points, and the pixel rectangles
        (left, top, right, bottom) that hold them.
    """
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
    return index[visible], nearest[visible], bounds[visible]


def surface(seen: View) -> Surface:
    """Where on its face each pixel of a view lies."""
    height, width = seen.face.shape
    x = np.arange(width, dtype=np.float32)
    y = np.arange(height, dtype=np.float32)[:, None]
    table = seen.inverses.reshape(-1, 9).astype(np.float32).T
    ux, uy, u1, vx, vy, v1, nx, ny, n1 = (np.take(entry, seen.face) for entry in table)
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
    xx, xy, x1, yx, yy, y1, zx, zy, z1 = (np.take(entry, seen.face) for entry in table)
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
