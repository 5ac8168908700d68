"""Outlines that are cut out of rectangular faces: foliage, wheels, bodies, railings."""

from __future__ import annotations

from enum import IntEnum, auto
from functools import cache

import cv2
import numpy as np

SIDE = 128  # texels of a mask along u and v


class Mask(IntEnum):
    """The outlines. Row 0 of a mask is v = 0, the face's lower edge."""

    FULL = 0
    CROWN_A = auto()
    CROWN_B = auto()
    CROWN_C = auto()
    HEDGE = auto()
    DISC = auto()
    TRIANGLE = auto()
    GABLE_LEFT = auto()
    GABLE_RIGHT = auto()
    RAILING = auto()
    FENCE = auto()
    RING = auto()
    FRAME = auto()
    TORSO = auto()
    LIMB = auto()
    SEDAN = auto()
    SEDAN_GLASS = auto()
    HATCH = auto()
    HATCH_GLASS = auto()
    VAN = auto()
    VAN_GLASS = auto()


# Side views of cars: (place along the length, height) as parts of the whole, rear bumper first.
# The first polygon is the body; the second its side windows.
PROFILES = {
    Mask.SEDAN: [
        (0.0, 0.2), (0.0, 0.58), (0.03, 0.65), (0.15, 0.69), (0.27, 0.97), (0.32, 1.0),
        (0.52, 1.0), (0.57, 0.98), (0.71, 0.68), (0.95, 0.56), (1.0, 0.48), (1.0, 0.2),
    ],
    Mask.HATCH: [
        (0.0, 0.2), (0.0, 0.55), (0.02, 0.66), (0.1, 0.94), (0.14, 1.0),
        (0.5, 1.0), (0.56, 0.98), (0.73, 0.66), (0.94, 0.56), (1.0, 0.46), (1.0, 0.2),
    ],
    Mask.VAN: [
        (0.0, 0.15), (0.0, 0.9), (0.02, 1.0), (0.7, 1.0), (0.76, 0.96),
        (0.87, 0.6), (0.98, 0.52), (1.0, 0.45), (1.0, 0.15),
    ],
}  # fmt: skip
_WINDOWS = {
    Mask.SEDAN_GLASS: [
        [(0.2, 0.7), (0.295, 0.94), (0.42, 0.95), (0.42, 0.7)],
        [(0.445, 0.7), (0.445, 0.95), (0.555, 0.94), (0.67, 0.7)],
    ],
    Mask.HATCH_GLASS: [
        [(0.08, 0.69), (0.15, 0.93), (0.38, 0.95), (0.38, 0.68)],
        [(0.405, 0.68), (0.405, 0.95), (0.55, 0.94), (0.69, 0.68)],
    ],
    Mask.VAN_GLASS: [[(0.6, 0.6), (0.6, 0.9), (0.735, 0.92), (0.84, 0.6)]],
}


def _blank() -> np.ndarray:
    return np.zeros((SIDE, SIDE), np.uint8)


def _polygons(*polygons) -> np.ndarray:
    image = _blank()
    for polygon in polygons:
        points = np.array(polygon, np.float64) * (SIDE * 16) - 8
        cv2.fillPoly(image, [points.astype(np.int32)], 1, shift=4)
    return image


def _crown(seed: int, flat: float) -> np.ndarray:
    """Overlapping tufts round an ellipse, with small holes and a ragged rim."""
    rng = np.random.default_rng(seed)
    image = _blank()
    for _ in range(70):
        angle, radius = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x, y = 0.5 + 0.36 * radius * np.cos(angle), 0.5 + flat * radius * np.sin(angle)
        center = (int(x * SIDE), int(y * SIDE))
        cv2.circle(image, center, int(rng.uniform(6, 14)), 1, -1)
    noise = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), 1.6)
    noise /= noise.std()
    soft = cv2.GaussianBlur(image.astype(np.float64), (0, 0), 4)
    return (soft + 0.16 * noise > 0.55).astype(np.uint8)


def _bars(count: int, fill: float, rails: list[tuple[float, float]]) -> np.ndarray:
    place = (np.arange(SIDE) + 0.5) / SIDE
    image = np.broadcast_to((place * count) % 1 < fill, (SIDE, SIDE)).astype(np.uint8)
    for low, high in rails:
        image[(place >= low) & (place < high)] = 1
    return image


def _ring() -> np.ndarray:
    image = _blank()
    cv2.circle(image, (SIDE // 2, SIDE // 2), SIDE // 2 - 6, 1, 9)
    for angle in range(0, 180, 30):
        x = int(np.cos(np.radians(angle)) * 58)
        y = int(np.sin(np.radians(angle)) * 58)
        cv2.line(image, (64 - x, 64 - y), (64 + x, 64 + y), 1, 1)
    return image


def _bicycle_frame() -> np.ndarray:
    image = _blank()
    rear, crank, saddle, head, front = (10, 30), (55, 30), (45, 100), (98, 95), (116, 30)
    for start, end in [(rear, crank), (rear, saddle), (crank, saddle), (crank, head),
                       (saddle, head), (head, front)]:  # fmt: skip
        cv2.line(image, start, end, 1, 6)
    cv2.line(image, (36, 106), (56, 106), 1, 7)
    cv2.line(image, (94, 112), (108, 120), 1, 6)
    return image


@cache
def table() -> np.ndarray:
    """All masks: (masks, SIDE, SIDE) uint8, 1 inside; axis 1 is v, axis 2 is u."""
    disc = _blank()
    cv2.circle(disc, (SIDE // 2, SIDE // 2), SIDE // 2 - 1, 1, -1)
    masks = {
        Mask.FULL: np.ones((SIDE, SIDE), np.uint8),
        Mask.CROWN_A: _crown(1, 0.36),
        Mask.CROWN_B: _crown(2, 0.32),
        Mask.CROWN_C: _crown(3, 0.38),
        Mask.HEDGE: _crown(4, 0.30),
        Mask.DISC: disc,
        Mask.TRIANGLE: _polygons([(0, 0.07), (1, 0.07), (0.5, 0.95)]),
        Mask.GABLE_LEFT: _polygons([(0, 0), (1.01, 0), (0, 1.01)]),
        Mask.GABLE_RIGHT: _polygons([(0, 0), (1.01, 0), (1.01, 1.01)]),
        Mask.RAILING: _bars(9, 0.3, [(0.0, 0.12), (0.9, 1.0)]),
        Mask.FENCE: _bars(8, 0.55, [(0.15, 0.25), (0.75, 0.85)]),
        Mask.RING: _ring(),
        Mask.FRAME: _bicycle_frame(),
        Mask.TORSO: _polygons(
            [(0.2, 0), (0.8, 0), (0.84, 0.5), (0.97, 0.82), (0.8, 0.94), (0.6, 0.97), (0.58, 1),
             (0.42, 1), (0.4, 0.97), (0.2, 0.94), (0.03, 0.82), (0.16, 0.5)]),
        Mask.LIMB: _polygons(
            [(0.22, 0.0), (0.85, 0.0), (0.8, 0.5), (0.97, 1.0), (0.03, 1.0), (0.2, 0.5)]),
    }  # fmt: skip
    masks |= {name: _polygons(outline) for name, outline in PROFILES.items()}
    masks |= {name: _polygons(*outlines) for name, outlines in _WINDOWS.items()}
    return np.stack([masks[name] for name in Mask])
