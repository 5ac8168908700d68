"""Where the sun does not reach: shadows of the rows of buildings and of things on the ground."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from .models import Blocker
from .street import BEHIND, CELL, Street

_TEXELS = 8  # per metre of the ground map
_HALF = 16.0  # metres to either side that the map spans
_ANGLES = np.arange(12) * (np.pi / 6)
_RING = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# outlines on the ground round the middle: of crowns, and of the rest
_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
_BACK, _AHEAD = 4.0, 90.0  # metres before and behind the camera


def from_rows(street: Street, sun: np.ndarray, x, y, z) -> np.ndarray:
    """The part of the sunlight that passes over the row of buildings on the sun's side.

    Args:
        street: the scene.
        sun: (3,) unit vector to the sun.
        x: world coordinate of each point, metres.
        y: the same.
        z: the same.

    Returns:
        float32 in the points' shape, 0 in the shade to 1 in the sun.
    """
    side = int(sun[0] > 0)
    away = np.maximum((street.walls[side] - x) / np.float32(sun[0]), 0)
    high = y + away * np.float32(sun[1])
    cell = (z + away * np.float32(sun[2]) + BEHIND) / CELL
    roofs = street.roofs[side]
    roof = np.take(roofs, np.clip(cell, 0, len(roofs) - 1).astype(np.int32))
    return np.clip((high - roof) / (0.08 + 0.012 * away) + 0.5, 0, 1)


def on_ground(street: Street, sun, time: float, camera_z: float, x, z) -> tuple:
    """Shadows that things throw on the ground, and the dark under them.

    Args:
        street: the scene.
        sun: (3,) unit vector to the sun.
        time: in frames.
        camera_z: metres, where the camera stands.
        x: (height, width) float32 world coordinate of each point, metres.
        z: the same.

    Returns:
        Two (height, width) float32 arrays in 0 to 1: the sunlight and the skylight that are left.
    """
    start = np.floor((camera_z - _BACK) * _TEXELS) / _TEXELS  # on the grid: nothing shimmers
    shape = (int((_BACK + _AHEAD) * _TEXELS), int(2 * _HALF * _TEXELS))
    cast, contact = np.full(shape, 255, np.uint8), np.full(shape, 255, np.uint8)
    slant = -sun[[0, 2]] / sun[1]
    blockers = sorted(street.blockers, key=lambda b: -b.low)
    crowns = [blocker for blocker in blockers if blocker.low > 1]
    for group, outline, dark in ((crowns, _RING, 70), (blockers[len(crowns) :], _CORNERS, 0)):
        if not group:
            continue
        x_z, size, low_high, velocity = _columns(group)
        middle = x_z + time * velocity
        near = (start - 15 < middle[:, 1]) & (middle[:, 1] < start + _BACK + _AHEAD + 15)
        foot = outline * (size[near] / 2)[:, None] + middle[near][:, None]
        low, high = (slant * metres[:, None, None] for metres in low_high[near].T)
        _fill(cast, np.concatenate([foot + low, foot + high], axis=1), start, dark)
        _fill(contact, foot[low_high[near][:, 0] < 1], start, 60)
    column = (x + np.float32(_HALF)) * _TEXELS - np.float32(0.5)
    row = (z - np.float32(start)) * _TEXELS - np.float32(0.5)

    def look(image, blur):
        image = cv2.GaussianBlur(image, (0, 0), blur)
        values = cv2.remap(
            image, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=255.0
        )
        return values.astype(np.float32) * np.float32(1 / 255)

    return look(cast, 0.7), look(contact, 1.8)


def _columns(blockers: list[Blocker]) -> Iterator[np.ndarray]:
    """(x, z), (width, length), (low, high), velocity along (x, z): each (blockers, 2) float64."""
    rows = [
        (b.x, b.z, b.width, b.length, b.low, b.high, b.velocity[0], b.velocity[2]) for b in blockers
    ]
    return iter(np.array(rows, np.float64).reshape(-1, 4, 2).transpose(1, 0, 2))


def _fill(image, outlines, start, value) -> None:
    """Fill the hulls of ground points, (hulls, points, 2) metres."""
    texels = (outlines - [-_HALF, start]) * (_TEXELS * 16) - 8
    for points in texels.astype(np.int32):
        cv2.fillConvexPoly(image, cv2.convexHull(points), value, shift=4)
