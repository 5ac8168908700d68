"""The simulator's picture: flat colours, a fixed light, clean edges."""

from __future__ import annotations

import numpy as np

from .facade import Facade
from .faces import Material
from .raster import View
from .street import Street

_LIGHT = np.array([0.35, 0.85, -0.4])  # towards the lamp that shades all CG pictures
_SKY = np.array([0.55, 0.72, 0.92], np.float32)
_GLASS = np.array([[0.25], [0.34], [0.44]], np.float32)


def render(street: Street, seen: View, walls: Facade) -> np.ndarray:
    """Paint each face in its colour.

    Args:
        street: the scene.
        seen: the view.
        walls: its façade pixels.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    _, along, up = street.faces.at(seen.time)
    light = np.abs(np.cross(along, up) @ (_LIGHT / np.linalg.norm(_LIGHT)))
    shade = (0.62 + 0.38 * light).astype(np.float32)
    shade[street.faces.material == Material.SIGNAL] = 1
    colors = street.faces.color * shade[:, None]
    colors[0] = _SKY
    # each face's colour as its pixels have it; façades have more than one
    image = np.moveaxis(seen.pixels((colors * 255 + 0.5).astype(np.uint8).T), 0, -1).copy()
    shades = seen.some_pixels(street.faces.material == Material.FACADE, shade)
    paint = _paint(walls) * shades * 255 + 0.5
    image.reshape(-1, 3)[walls.spots] = paint.astype(np.uint8).T
    return image


def _paint(walls: Facade) -> np.ndarray:
    """The façade pixels before the light, (3, pixels)."""
    color = walls.color.copy()
    for cover, paint in (
        (walls.plinth, walls.style.plinth),
        (walls.ledge, walls.style.trim),
        (walls.sign, walls.style.leaf),
        (walls.shutter, walls.style.leaf),
        (walls.window + walls.pane, _GLASS),
        (walls.door, walls.style.leaf),
        (walls.rail, walls.style.trim),
    ):
        color += np.clip(cover, 0, 1) * (paint - color)
    return color
