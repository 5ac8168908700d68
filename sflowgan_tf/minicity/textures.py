"""Tileable textures with mip levels in one atlas, and their look-up by surface coordinates."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import cv2
import numpy as np

_SIDE = 256  # texels of a tile at the finest level
_LEVELS = 9
_KEY = 20_181_116  # the textures are the same for all seeds


class Texture(IntEnum):
    """The tiles; their values are factors on a colour, 128 stands for 1."""

    PLAIN = 0
    PLASTER = 1
    BRICK = 2
    STONE = 3
    ASPHALT = 4
    PAVING = 5
    GRASS = 6
    FOLIAGE = 7
    BARK = 8
    CLOTH = 9
    TILES = 10
    CLOUDS = 11


def _noise(rng: np.random.Generator, low: float, high: float, stretch: float = 1) -> np.ndarray:
    """Tileable noise of mean 0 and deviation 1 with waves of `low` to `high` per tile."""
    frequency = np.fft.fftfreq(_SIDE) * _SIDE
    radius = np.hypot(frequency[:, None] * stretch, frequency[None] / stretch)
    gain = np.where((radius >= low) & (radius <= high), 1 / np.maximum(radius, 1), 0)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((_SIDE, _SIDE))) * gain).real
    return field / field.std()


def _grid(rng, columns: int, rows: int, joint: float, shift: float):
    """A bond of stones: (joint 0 or 1, a random number for each stone), each (side, side)."""
    place = (np.arange(_SIDE) + 0.5) / _SIDE
    row = np.floor(place * rows).astype(int)
    x = place[None] * columns + (row[:, None] % 2) * shift
    column = np.floor(x).astype(int) % columns
    across, along = x % 1, (place * rows % 1)[:, None]
    edge = (across < joint * columns) | (along < joint * rows)
    return edge.astype(float), rng.random((rows, columns))[row[:, None], column]


def _tile(texture: Texture) -> np.ndarray:
    """One tile: (side, side, 3) float64 factors round 1."""
    rng = np.random.default_rng([_KEY, texture])
    fine, broad = _noise(rng, 16, 128), _noise(rng, 1, 8)
    gray = np.ones((_SIDE, _SIDE))
    tint = np.zeros(3)
    if texture is Texture.PLASTER:
        gray = 1 + 0.05 * fine + 0.05 * broad
    elif texture is Texture.BRICK:
        joint, stone = _grid(rng, 8, 24, 0.007, 0.5)
        gray = (0.75 + 0.5 * stone) * (1 - joint) + 1.25 * joint + 0.07 * fine
        tint = np.array([0.12, -0.02, -0.1])
    elif texture is Texture.STONE:
        joint, stone = _grid(rng, 3, 6, 0.008, 0.5)
        gray = (0.9 + 0.2 * stone) * (1 - 0.35 * joint) + 0.05 * fine + 0.05 * broad
    elif texture is Texture.ASPHALT:
        crack = np.abs(_noise(rng, 1, 12)) < 0.012
        gray = 1 + 0.13 * fine + 0.07 * broad - 0.25 * crack
    elif texture is Texture.PAVING:
        joint, stone = _grid(rng, 5, 5, 0.01, 0.5)
        gray = (0.88 + 0.22 * stone) * (1 - 0.4 * joint) + 0.06 * fine + 0.04 * broad
    elif texture is Texture.GRASS:
        gray = 1 + 0.22 * fine + 0.12 * broad
        tint = np.array([0.1, 0, -0.1])
    elif texture is Texture.FOLIAGE:
        clumps = _noise(rng, 5, 24)
        gray = 1 + 0.3 * clumps + 0.2 * fine
        tint = np.array([0.25, 0.0, -0.15])
    elif texture is Texture.BARK:
        gray = 1 + 0.25 * _noise(rng, 4, 100, 0.4)
    elif texture is Texture.CLOTH:
        gray = 1 + 0.05 * fine + 0.12 * _noise(rng, 2, 20, 0.6)
    elif texture is Texture.TILES:
        joint, stone = _grid(rng, 10, 8, 0.016, 0.5)
        gray = (0.8 + 0.4 * stone) * (1 - 0.45 * joint) + 0.05 * fine
    elif texture is Texture.CLOUDS:
        gray = 1 + 0.33 * _noise(rng, 1, 100)
    hue = _noise(rng, 2, 30)[..., None] * tint * gray.std()
    return np.clip(gray[..., None] + 2 * hue, 0, 1.99)


@cache
def _atlas() -> tuple[np.ndarray, np.ndarray]:
    """The atlas (rows, columns, 3) uint8, and where each level begins; tiles have a rim."""
    starts = np.cumsum([0] + [(_SIDE >> level) + 2 for level in range(_LEVELS)])
    atlas = np.zeros((len(Texture) * (_SIDE + 2), starts[-1], 3), np.uint8)
    for texture in Texture:
        tile = _tile(texture)
        for level in range(_LEVELS):
            side = _SIDE >> level
            top = texture * (_SIDE + 2)
            rim = np.pad(tile, ((1, 1), (1, 1), (0, 0)), mode="wrap")
            part = atlas[top : top + side + 2, starts[level] : starts[level] + side + 2]
            part[:] = np.rint(rim * 128)
            if side > 1:
                tile = tile.reshape(side // 2, 2, side // 2, 2, 3).mean(axis=(1, 3))
    return atlas, starts[:-1].astype(np.float32) + np.float32(0.5)


def sample(texture, s, t, spread) -> np.ndarray:
    """Look textures up, averaged over what a pixel spans.

    Args:
        texture: (height, width) float32, a `Texture` at each pixel.
        s: (height, width) float32, tiles along the surface's u.
        t: (height, width) float32, tiles along v.
        spread: (height, width) float32, tiles that the pixel spans.

    Returns:
        (3, height, width) float32: factors on red, green and blue, 0 to 2.
    """
    atlas, starts = _atlas()
    level = np.clip(np.log2(np.maximum(spread * _SIDE, 1)), 0, _LEVELS - 1)
    lower = level.astype(np.int32)
    blend = level - lower
    s, t = s - np.floor(s), t - np.floor(t)
    top = texture * (_SIDE + 2) + np.float32(0.5)

    def fetch(step):
        side = np.right_shift(_SIDE, step).astype(np.float32)
        x = np.take(starts, step) + s * side
        return np.stack(cv2.split(cv2.remap(atlas, x, top + t * side, cv2.INTER_LINEAR)))

    sharp = fetch(lower).astype(np.float32)
    sharp += blend * (fetch(np.minimum(lower + 1, _LEVELS - 1)) - sharp)
    sharp *= np.float32(1 / 128)
    return sharp
