"""Buildings and the gardens between them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from . import models
from .faces import FaceList, Label, Material
from .masks import Mask
from .textures import Texture

_WALLS = (
    (0.78, 0.71, 0.58), (0.72, 0.56, 0.42), (0.62, 0.33, 0.26), (0.82, 0.8, 0.74),
    (0.66, 0.65, 0.62), (0.75, 0.64, 0.5), (0.52, 0.4, 0.34), (0.7, 0.73, 0.72),
    (0.8, 0.66, 0.5), (0.58, 0.56, 0.53),
)  # fmt: skip
_BRICKS = ((0.58, 0.32, 0.25), (0.5, 0.3, 0.25), (0.66, 0.52, 0.4), (0.45, 0.28, 0.24))
_TRIMS = ((0.85, 0.84, 0.8), (0.9, 0.89, 0.86), (0.35, 0.32, 0.3), (0.6, 0.57, 0.5))
_LEAVES = (
    (0.3, 0.18, 0.1),
    (0.15, 0.25, 0.2),
    (0.45, 0.1, 0.1),
    (0.15, 0.2, 0.35),
    (0.4, 0.4, 0.38),
)
_ROOFS = ((0.5, 0.28, 0.2), (0.36, 0.34, 0.34), (0.42, 0.27, 0.22))
_DEPTH = 11.0  # metres from the façade to the back


class _Plan(Protocol):
    rng: np.random.Generator
    faces: FaceList
    styles: list[dict]


def add_building(plan: _Plan, side: int, wall: float, z: float, width: float, floors: int) -> float:
    """One building from `z` to `z + width`; returns its height in metres.

    Args:
        plan: takes the faces and the façade's style.
        side: -1 left of the street, 1 right.
        wall: metres, distance of the building line from the street's middle.
        z: metres, its near end.
        width: metres along the street.
        floors: storeys above the ground floor.
    """
    rng, faces = plan.rng, plan.faces
    style, color = _style(rng, width, floors)
    height = float(style["top"])
    number = len(plan.styles)
    plan.styles.append(style)
    x = side * (wall + rng.uniform(0.0, 0.25))
    depth = side * _DEPTH
    attributes = {"style": number, "one_sided": False}
    kind = (Label.BUILDING, Material.FACADE, color)
    faces.add((x, 0, z), (0, 0, width), (0, height, 0), *kind, **attributes)
    flank = (Label.BUILDING, Material.WALL, tuple(np.array(color) * 0.95))
    for place in (z, z + width):
        faces.add((min(x, x + depth), 0, place), (_DEPTH, 0, 0), (0, height, 0), *flank)
    if rng.random() < 0.45:
        _pitched(faces, rng, x, depth, z, width, height, flank)
    trim = (Label.BUILDING, Material.WALL, tuple(style["trim"]))
    out = rng.uniform(0.15, 0.45)
    low, high = sorted((x - side * out, x))
    models.box(faces, (low, height - 0.35, z), (high, height, z + width), *trim)
    if rng.random() < 0.35 and not style["rail"]:
        _balconies(faces, rng, style, x, side, z, width, floors)
    return height


def _style(rng, width, floors) -> tuple[dict, tuple]:
    """A façade's style and colour; the bays divide its width."""
    bays = max(2, round(width / rng.uniform(2.3, 3.6)))
    bay = width / bays
    storey, ground = rng.uniform(2.9, 3.5), rng.uniform(3.4, 4.3)
    wide = bay * rng.uniform(0.32, 0.6)
    sill = rng.choice([0.25, 0.8, 0.95])
    brick = rng.random() < 0.35
    color = models.pick(rng, _BRICKS if brick else _WALLS)
    texture = (
        Texture.BRICK if brick else rng.choice([Texture.PLASTER, Texture.PLASTER, Texture.STONE])
    )
    plinth = np.array(color) * rng.uniform(0.6, 1.0) if rng.random() < 0.5 else np.array(color)
    style = {
        "bay": bay,
        "storey": storey,
        "ground": ground,
        "left": (bay - wide) / 2,
        "right": (bay + wide) / 2,
        "sill": sill,
        "lintel": storey - rng.uniform(0.4, 0.7),
        "top": ground + floors * storey + 0.6,
        "shop": float(rng.random() < 0.5),
        "door": bay * rng.integers(bays),
        "rail": float(sill < 0.5 or rng.random() < 0.15),
        "shutter": float(bay - wide > 1.2 and rng.random() < 0.35),
        "ledge": rng.choice([0.0, 0.2, 0.35]),
        "texture": float(texture),
        "seed": float(rng.integers(1 << 20)),
        "trim": models.pick(rng, _TRIMS, 0.03),
        "plinth": np.clip(plinth, 0.02, 1),
        "leaf": models.pick(rng, _LEAVES, 0.04),
    }
    return style, color


def _pitched(faces: FaceList, rng, x, depth, z, width, height, flank) -> None:
    """A roof whose ridge runs along the street, and its gables."""
    rise, half = rng.uniform(1.8, 3.5), depth / 2
    tiles = (Label.BUILDING, Material.ROOF, models.pick(rng, _ROOFS, 0.03))
    eaves = x - np.sign(depth) * 0.3
    faces.add((eaves, height, z - 0.1), (0, 0, width + 0.2), (half + x - eaves, rise, 0), *tiles)
    for place in (z, z + width):
        for low, mask in ((x, Mask.GABLE_RIGHT), (x + half, Mask.GABLE_LEFT)):
            low, mirror = min(low, low + half), depth < 0
            if mirror:
                mask = Mask.GABLE_LEFT if mask is Mask.GABLE_RIGHT else Mask.GABLE_RIGHT
            faces.add((low, height, place), (abs(half), 0, 0), (0, rise, 0), *flank, mask=mask)


def _balconies(faces: FaceList, rng, style, x, side, z, width, floors) -> None:
    """Balconies before some columns of windows: a slab and a railing or a parapet."""
    bay = style["bay"]
    out = side * rng.uniform(0.7, 1.1)
    solid = rng.random() < 0.5
    color = tuple(style["trim"]) if solid else (0.2, 0.2, 0.21)
    kind = (Label.BUILDING, Material.WALL if solid else Material.METAL, color)
    mask = Mask.FULL if solid else Mask.RAILING
    every, first = rng.integers(1, 4), rng.integers(2)
    slab = (Label.BUILDING, Material.WALL, tuple(style["trim"]))
    for column in range(first, round(width / bay), every):
        start = z + column * bay + style["left"] - 0.3
        long = style["right"] - style["left"] + 0.6
        for floor in range(floors):
            y = style["ground"] + floor * style["storey"] + 0.05
            low, high = sorted((x - out, x))
            faces.add((x - out, y, start), (0, 0, long), (0, 1.0, 0), *kind, mask=mask)
            faces.add((low, y, start), (high - low, 0, 0), (0, 1.0, 0), *kind, mask=mask)
            models.box(faces, (low, y - 0.15, start), (high, y, start + long), *slab)


def add_garden(faces: FaceList, rng, side, wall, z, width, blockers) -> None:
    """A gap in the row: a fence or a hedge along the pavement, trees behind."""
    x = side * (wall + 0.2)
    if rng.random() < 0.7:
        count = max(1, round(width / 2))
        color = models.pick(rng, ((0.3, 0.3, 0.3), (0.45, 0.36, 0.27), (0.75, 0.75, 0.72)))
        for place in range(count):
            faces.add(
                (x, 0.1, z + place * width / count), (0, 0, width / count), (0, 1.5, 0),
                Label.FENCE, Material.METAL, color, mask=Mask.FENCE,
            )  # fmt: skip
    else:
        low, high = sorted((x, x + side * 0.8))
        models.hedge(faces, rng, (low, 0.0, z), (high, 1.4, z + width))
    for place in np.arange(z + 2, z + width - 1, 4.0):
        away = wall + rng.uniform(2.5, 6)
        blockers += models.tree(faces, rng, side * away, place + rng.uniform(-1, 1))
    back = sorted((side * (wall + 9), side * (wall + 10)))
    models.hedge(faces, rng, (back[0], 0.0, z), (back[1], rng.uniform(2, 4), z + width))
