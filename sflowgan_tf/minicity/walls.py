"""Façades in the photograph: what the simulator's flat rectangles are in truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .facade import Facade, band, stripes
from .weather import Weather

_LAMPLIGHT = np.array([[1.6], [1.1], [0.6]], np.float32)
_CURTAIN = np.array([[0.22], [0.213], [0.2]], np.float32)


def paint(weather: Weather, walls: Facade, texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colour of the façade pixels, and the light of their windows.

    Args:
        weather: how many windows are lit and what they mirror.
        walls: the pixels.
        texture: (3, pixels) float32, factors on the wall's colour.

    Returns:
        Albedo and radiance, each (3, pixels) float32 linear RGB.
    """
    style = walls.style
    trim, leaf = np.square(style.trim), np.square(style.leaf)
    color = _masonry(walls, trim, texture)
    light = np.zeros_like(color)

    def cover(part: np.ndarray, paint: Callable[[np.ndarray], np.ndarray]) -> None:
        """Mixes what `paint` gives, for the places of pixels that a part covers, into these."""
        at = np.flatnonzero(part > 0)
        if at.size:
            for plane, mixed in zip(
                color, _mix(color.take(at, axis=1), part[at], paint(at)), strict=True
            ):
                plane[at] = mixed

    def shutter(at):
        slats = stripes(walls.v[at], np.float32(0.09), 0.0, 0.03, walls.spread_v[at])
        return leaf.take(at, axis=1) * (1 - 0.5 * slats)

    def glass(at):
        glass, lamplight = _glass(weather, walls, trim, at)
        for plane, values in zip(light, lamplight * glazed[at], strict=True):
            plane[at] = values
        return glass

    def door(at):
        part = style.bay[at] * 0.22
        place, spread = walls.u[at] - style.door[at], walls.spread_u[at]
        panel = stripes(place, part, 0.1, part - 0.05, spread)
        return leaf.take(at, axis=1) * (0.6 + 0.4 * panel) * texture.take(at, axis=1)

    cover(walls.sign, lambda at: leaf.take(at, axis=1) * (0.8 + 0.4 * texture.take(at, axis=1)))
    cover(walls.shutter, shutter)
    glazed = np.clip(walls.window + walls.pane, 0, 1)
    cover(glazed, glass)
    cover(walls.door, door)
    rail = walls.rail.copy()
    at = np.flatnonzero(rail)
    bars = stripes(walls.u[at], np.float32(0.13), 0.0, 0.03, walls.spread_u[at])
    rail[at] *= 0.15 + 0.85 * bars
    cover(rail, lambda at: np.square(trim.take(at, axis=1)) * 0.3)
    return color, light


def _mix(color, cover, over):
    return color + np.clip(cover, 0, 1) * (over - color)


def _masonry(walls: Facade, trim, texture) -> np.ndarray:
    """The wall with damp, stains under the sills, surrounds of the windows and ledges."""
    style, x, y, v = walls.style, walls.x, walls.y, walls.v
    wide, tall = style.right - style.left, style.lintel - style.sill
    trim = trim * texture
    color = _mix(np.square(walls.color), walls.plinth, np.square(style.plinth)) * texture
    stain = band(x, -0.05, wide + 0.05, walls.spread_u) * band(y, -1.2, -0.1, walls.spread_v)
    damp = np.clip(1 - v / 2.5, 0, 1) * 0.25 + stain * np.clip(1.2 + y, 0, 1) * 0.18
    color *= 1 - damp
    border = band(x, -0.14, wide + 0.14, walls.spread_u)
    border *= band(y, -0.18, tall + 0.16, walls.spread_v)
    color = _mix(color, border * (v > style.ground) * (style.seed % 3 < 2), trim)
    color = _mix(color, walls.ledge, trim)
    low = style.ground - style.ledge
    under = band(v, low - 0.25, low, walls.spread_v) * (style.ledge > 0)
    color *= 1 - 0.4 * under
    return color


def _glass(weather: Weather, walls: Facade, trim, at) -> tuple[np.ndarray, np.ndarray]:
    """Windows seen close: frame, curtain, shadow of the reveal, mirrored sky, lamplight.

    Of the pixels with the places `at` alone.
    """
    style, trim = walls.style, trim.take(at, axis=1)
    x, y, chance, v = walls.x[at], walls.y[at], walls.chance[at], walls.v[at]
    spread_u, spread_v = walls.spread_u[at], walls.spread_v[at]
    wide, tall = style.right[at] - style.left[at], style.lintel[at] - style.sill[at]
    house = (walls.window[at] > 0).astype(np.float32)
    inner = band(x, 0.07, wide - 0.07, spread_u) * band(y, 0.07, tall - 0.07, spread_v)
    mullion = np.maximum(
        band(x, wide / 2 - 0.035, wide / 2 + 0.035, spread_u),
        band(y, tall * 0.68, tall * 0.68 + 0.05, spread_v),
    )
    pane = np.where(walls.pane[at] > 0, 1, inner * (1 - mullion))
    drape = (chance * 7 % 1 < 0.55) & (y > tall * (chance * 13 % 1) * 0.8)
    fold = 0.75 + 0.25 * np.sin(x * 25) * np.clip(1 - spread_u * 8, 0, 1)
    cloth = _CURTAIN * (drape * fold * house)
    mirror = np.square(np.clip(0.1 + v / 20 + 0.5 * (chance - 0.5), 0.03, 0.7))
    glass = 0.03 + np.array(weather.horizon, np.float32)[:, None] * (0.35 * mirror) + cloth
    frame = trim * 0.9
    color = frame + pane * (glass - frame)
    color *= 1 - 0.55 * house * band(y, tall - 0.22, tall, spread_v)
    lit = (chance * 29 % 1 < weather.lamps) * (0.4 + 0.6 * (chance * 41 % 1)) * pane
    return color, _LAMPLIGHT * lit * (0.35 + cloth)
