"""How each material looks in the photograph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .faces import Material
from .textures import Texture


class Look(NamedTuple):
    """One material.

    Attributes:
        texture: its tile.
        tile: metres that the tile spans.
        round: 0 flat to 1: shaded like an upright cylinder.
        gloss: part of the sky's light that it mirrors.
        glow: radiance of its own, as a factor on its colour.
    """

    texture: Texture
    tile: float
    round: float = 0.0
    gloss: float = 0.0
    glow: float = 0.0


_LOOKS = {
    Material.SKY: Look(Texture.CLOUDS, 1.0),
    Material.FACADE: Look(Texture.PLASTER, 3.0),
    Material.WALL: Look(Texture.PLASTER, 3.0),
    Material.ROOF: Look(Texture.TILES, 3.0),
    Material.ASPHALT: Look(Texture.ASPHALT, 3.5),
    Material.PAVING: Look(Texture.PAVING, 2.0),
    Material.GRASS: Look(Texture.GRASS, 4.0),
    Material.MARKING: Look(Texture.ASPHALT, 1.5),
    Material.FOLIAGE: Look(Texture.FOLIAGE, 2.2, round=0.45),
    Material.BARK: Look(Texture.BARK, 0.8, round=0.8),
    Material.METAL: Look(Texture.PLASTER, 1.0, round=0.6, gloss=0.05),
    Material.PAINT: Look(Texture.PLAIN, 1.0, gloss=0.06),
    Material.GLASS: Look(Texture.PLASTER, 2.0, gloss=0.16),
    Material.CLOTH: Look(Texture.CLOTH, 0.9, round=0.7),
    Material.LAMP: Look(Texture.PLAIN, 1.0, glow=0.25),
    Material.RUBBER: Look(Texture.PLASTER, 0.5),
    Material.SIGNAL: Look(Texture.PLAIN, 1.0, glow=1.8),
}


def column(name: str) -> np.ndarray:
    """One attribute of all materials, (materials,) float32, by `Material`."""
    return np.array([getattr(_LOOKS[material], name) for material in Material], np.float32)
