"""What stands on a façade: windows, doors, shops, ledges, as coverage of the pixel.

Both renderings ask here, so that the outlines of the one are those of the other. All functions
work on flat arrays of façade pixels; u runs along the façade and v upwards, metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from .faces import Faces, Material
from .raster import Surface, View


@dataclass(frozen=True)
class Styles:
    """The columns of the table of façade styles; each (styles,) float32, colours (3, styles).

    Attributes:
        bay: metres from window to window.
        storey: metres from floor to floor.
        ground: metres, height of the ground floor.
        left: where a window begins in its bay, metres.
        right: where it ends.
        sill: where it begins above its floor, metres.
        lintel: where it ends.
        top: metres, height of the façade.
        shop: 1 for shop windows in the ground floor, 0 for windows and a door.
        door: the bay that the door stands in, metres from the façade's beginning.
        rail: 1 for a railing before each window.
        shutter: 1 for shutters beside the windows.
        ledge: metres, height of the ledge over the ground floor; 0 for none.
        texture: a `textures.Texture`.
        seed: a random number for what differs from window to window.
        trim: colour of frames, ledges and railings.
        plinth: colour of the ground floor.
        leaf: colour of doors, shutters and shop signs.
    """

    bay: np.ndarray
    storey: np.ndarray
    ground: np.ndarray
    left: np.ndarray
    right: np.ndarray
    sill: np.ndarray
    lintel: np.ndarray
    top: np.ndarray
    shop: np.ndarray
    door: np.ndarray
    rail: np.ndarray
    shutter: np.ndarray
    ledge: np.ndarray
    texture: np.ndarray
    seed: np.ndarray
    trim: np.ndarray
    plinth: np.ndarray
    leaf: np.ndarray

    @classmethod
    def of(cls, rows: list[dict]) -> Styles:
        """The table from one dict a style."""
        columns = {f.name: np.array([row[f.name] for row in rows]) for f in fields(cls)}
        return cls(**{name: column.T.astype(np.float32) for name, column in columns.items()})

    def at(self, spread: Callable[[np.ndarray], np.ndarray]) -> Styles:
        """The styles of pixels, each column (styles,) or (3, styles) spread over these."""
        return Styles(**{f.name: spread(getattr(self, f.name)) for f in fields(self)})


def band(x, low, high, spread):
    """The part of [x - spread / 2, x + spread / 2] that lies in [low, high]."""
    half = spread / 2
    return np.clip((np.minimum(x + half, high) - np.maximum(x - half, low)) / spread, 0, 1)


def stripes(x, period, low, high, spread):
    """The part of [x - spread / 2, x + spread / 2] in the bands [low, high] of each period."""

    def below(place):
        count = np.floor(place / period)
        return count * (high - low) + np.clip(place - count * period, low, high)

    return (below(x + spread / 2) - below(x - spread / 2)) / spread


def scatter(a, b, seed):
    """A random number in 0 to 1 for each pair of whole numbers and each seed."""
    key = a.astype(np.int32).view(np.uint32) * np.uint32(0x9E3779B1)
    key ^= b.astype(np.int32).view(np.uint32) * np.uint32(0x85EBCA77)
    key += seed.astype(np.uint32) * np.uint32(0xC2B2AE3D)
    key ^= key >> np.uint32(15)
    key *= np.uint32(0x2C1B3C6D)
    key ^= key >> np.uint32(13)
    return (key & np.uint32(0xFFFF)).astype(np.float32) / np.float32(0xFFFF)


@dataclass(frozen=True)
class Facade:
    """The façade pixels of a view: (pixels,) float32 each, coverage in 0 to 1 of the pixel.

    Attributes:
        spots: (pixels,) int, their places in the flattened image.
        style: the style of each.
        color: (3, pixels) the wall's colour, RGB.
        u: metres along the façade.
        v: metres above the ground.
        spread_u: metres of u that the pixel spans.
        spread_v: metres of v that the pixel spans.
        window: glass with its frame, of the upper floors and of houses' ground floors.
        pane: shop windows.
        door: doors.
        shutter: shutters beside windows.
        rail: railings before windows.
        sign: the board over a shop.
        plinth: the ground floor's wall.
        ledge: ledges over the ground floor and under the roof.
        x: place in the bay, metres from the window's left edge.
        y: place above the window's lower edge, metres.
        chance: a random number for each window.
    """

    spots: np.ndarray
    style: Styles
    color: np.ndarray
    u: np.ndarray
    v: np.ndarray
    spread_u: np.ndarray
    spread_v: np.ndarray
    window: np.ndarray
    pane: np.ndarray
    door: np.ndarray
    shutter: np.ndarray
    rail: np.ndarray
    sign: np.ndarray
    plinth: np.ndarray
    ledge: np.ndarray
    x: np.ndarray
    y: np.ndarray
    chance: np.ndarray


def look(faces: Faces, styles: Styles, seen: View, surface: Surface) -> Facade:
    """Find the façade pixels of a view and what they show."""
    is_facade = faces.material == Material.FACADE
    spots = np.flatnonzero(seen.pixels(is_facade))
    style = styles.at(lambda column: seen.some_pixels(is_facade, column[..., faces.style]))
    place = [np.take(part, spots) for part in (surface.u, surface.v)]
    spread = [np.take(part, spots) for part in (surface.spread_u, surface.spread_v)]
    color = seen.some_pixels(is_facade, faces.color.T)
    return Facade(spots, style, color, *place, *spread, **_parts(style, *place, *spread))


def _parts(s: Styles, u, v, spread_u, spread_v) -> dict[str, np.ndarray]:
    across = stripes(u, s.bay, s.left, s.right, spread_u)
    above = v - s.ground
    upper = stripes(above, s.storey, s.sill, s.lintel, spread_v)
    upper *= band(v, s.ground, s.top, spread_v)
    at_door = band(u, s.door, s.door + s.bay, spread_u)
    low = band(v, 1.0, s.ground - 0.6, spread_v) * (1 - s.shop) * (1 - at_door)
    pane = stripes(u, s.bay * 1.5, s.bay * 0.1, s.bay * 1.4, spread_u)
    pane *= band(v, 0.45, s.ground - 1.0, spread_v) * s.shop * (1 - at_door)
    beside = stripes(u, s.bay, s.left - 0.45, s.right + 0.45, spread_u) - across
    rail = stripes(above, s.storey, s.sill - 0.05, s.sill + 0.75, spread_v)
    rail *= band(v, s.ground, s.top, spread_v) * s.rail
    door = band(u, s.door + s.bay * 0.28, s.door + s.bay * 0.72, spread_u)
    ledge = band(v, s.ground - s.ledge, s.ground, spread_v)
    cell_u, cell_v = np.floor(u / s.bay), np.floor(above / s.storey)
    sharp = np.clip(1.5 - spread_u / s.bay - spread_v / s.storey, 0, 1)
    return {
        "window": across * (upper + low),
        "pane": pane,
        "door": door * band(v, 0.0, 2.3, spread_v),
        "shutter": beside * upper * s.shutter,
        "rail": rail * stripes(u, s.bay, s.left - 0.1, s.right + 0.1, spread_u),
        "sign": band(v, s.ground - 0.85, s.ground - 0.25, spread_v) * s.shop,
        "plinth": band(v, -1.0, s.ground, spread_v),
        "ledge": ledge + band(v, s.top - 0.5, s.top + 1.0, spread_v),
        "x": u - cell_u * s.bay - s.left,
        "y": np.where(above < 0, v - 1.0, above - cell_v * s.storey - s.sill),
        "chance": 0.5 + sharp * (scatter(cell_u, cell_v, s.seed) - 0.5),
    }
