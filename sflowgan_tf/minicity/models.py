"""The things that stand and move in the street, each as a handful of faces.

A model adds its faces to a `FaceList` and returns what throws its shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .faces import FaceList, Label, Material, Signal
from .masks import PROFILES, Mask

_PAINTS = (
    (0.75, 0.76, 0.78), (0.08, 0.08, 0.09), (0.9, 0.9, 0.9), (0.35, 0.37, 0.4), (0.6, 0.08, 0.08),
    (0.1, 0.2, 0.45), (0.2, 0.3, 0.25), (0.5, 0.45, 0.36), (0.75, 0.6, 0.1), (0.15, 0.4, 0.6),
)  # fmt: skip
_CLOTHES = (
    (0.15, 0.17, 0.25), (0.6, 0.15, 0.15), (0.7, 0.7, 0.68), (0.2, 0.35, 0.25), (0.75, 0.55, 0.2),
    (0.3, 0.3, 0.32), (0.2, 0.3, 0.6), (0.5, 0.35, 0.45), (0.1, 0.1, 0.1),
)  # fmt: skip
_SKIN = ((0.85, 0.65, 0.52), (0.7, 0.5, 0.38), (0.45, 0.3, 0.22), (0.9, 0.74, 0.62))
_LEAVES = ((0.27, 0.4, 0.15), (0.33, 0.43, 0.18), (0.22, 0.36, 0.17), (0.42, 0.44, 0.16))
_STEEL = (0.42, 0.44, 0.45)
_BLACK = (0.07, 0.07, 0.08)
_GLAZING = (0.12, 0.15, 0.18)
_CARS = {  # outline: (side windows, length, width, height in metres)
    Mask.SEDAN: (Mask.SEDAN_GLASS, 4.5, 1.8, 1.45),
    Mask.HATCH: (Mask.HATCH_GLASS, 4.0, 1.75, 1.5),
    Mask.VAN: (Mask.VAN_GLASS, 5.2, 1.95, 2.2),
}
_LENSES = {  # from below
    Signal.GREEN: (0.0, 0.9, 0.5),
    Signal.AMBER: (1.0, 0.62, 0.0),
    Signal.RED: (0.95, 0.1, 0.06),
}


@dataclass(frozen=True)
class Blocker:
    """What throws a shadow: an upright box.

    Attributes:
        x: metres, the middle.
        z: metres, the middle at time 0.
        width: metres along x.
        length: metres along z.
        low: metres, its lower end above the ground.
        high: metres, its upper end.
        velocity: (x, y, z) metres per frame.
    """

    x: float
    z: float
    width: float
    length: float
    low: float
    high: float
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)


def pick(rng: np.random.Generator, colors, spread: float = 0.04) -> tuple[float, ...]:
    """One of the colours, a little changed."""
    color = np.array(colors[rng.integers(len(colors))]) + rng.uniform(-spread, spread, 3)
    return tuple(np.clip(color, 0.02, 1).tolist())


def box(faces: FaceList, low, high, label, material, color, **attributes) -> None:
    """The four sides, the top and the bottom of an upright box between two corners."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    w, h, d = x1 - x0, y1 - y0, z1 - z0
    for origin, along, up in (  # along x up points outwards
        ((x1, y0, z0), (-w, 0, 0), (0, h, 0)),
        ((x0, y0, z1), (w, 0, 0), (0, h, 0)),
        ((x0, y0, z0), (0, 0, d), (0, h, 0)),
        ((x1, y0, z1), (0, 0, -d), (0, h, 0)),
        ((x0, y1, z0), (0, 0, d), (w, 0, 0)),
        ((x0, y0, z0), (w, 0, 0), (0, 0, d)),
    ):
        faces.add(origin, along, up, label, material, color, one_sided=True, **attributes)


def post(faces: FaceList, x, z, thick, high, label, material, color) -> None:
    """An upright post as two crossed strips."""
    faces.add((x - thick / 2, 0, z), (thick, 0, 0), (0, high, 0), label, material, color)
    faces.add((x, 0, z - thick / 2), (0, 0, thick), (0, high, 0), label, material, color)


def car(
    faces: FaceList, rng, x, z, heading: int, instance: int, velocity=(0.0, 0.0, 0.0)
) -> list[Blocker]:
    """A car whose middle is at (x, z); `heading` is 1 along the street and -1 against it."""
    kinds = list(_CARS)
    outline = kinds[rng.choice(3, p=[0.45, 0.4, 0.15])]
    windows, length, width, height = _CARS[outline]
    paint = pick(rng, _PAINTS)
    attributes = {"instance": instance, "velocity": velocity}
    rear = z - heading * length / 2

    def place(point, side: float) -> np.ndarray:
        part, high = point
        return np.array([x + side * width / 2, high * height, rear + heading * part * length])

    def strip(start, end, material, color, inset, lift):
        """A face across the car over the part from `start` to `end` of its outline."""
        low, up = place(start, heading), place(end, heading) - place(start, heading)
        along = np.array([-heading * (1 - 2 * inset) * width, 0, 0])
        out = np.array([0, -along[0] * up[2], along[0] * up[1]])  # along x up
        origin = low - [heading * inset * width, 0, 0] + lift * out / np.linalg.norm(out)
        kind = (Label.CAR, material, color)
        faces.add(origin, along, up, *kind, one_sided=True, **attributes)

    points = PROFILES[outline]
    for start, end in zip(points, points[1:], strict=False):
        strip(start, end, Material.PAINT, paint, 0.0, 0.0)
        glazed = end[1] - start[1] if start[0] < 0.4 else start[1] - end[1]
        if glazed > 0.2 and min(start[1], end[1]) > 0.45:
            a, b = np.array(start), np.array(end)
            strip(0.9 * a + 0.1 * b, 0.08 * a + 0.92 * b, Material.GLASS, _GLAZING, 0.1, 0.012)
    along, up = np.array([0, 0, heading * length]), np.array([0, height, 0])
    for side in (-1, 1):
        body = place((0, 0), side)
        faces.add(body, along, up, Label.CAR, Material.PAINT, paint, mask=outline, **attributes)
        out = np.array([side * 0.012, 0, 0])
        faces.add(
            body + out, along, up, Label.CAR, Material.GLASS, _GLAZING, mask=windows, **attributes
        )
        for part in (0.19, 0.81):
            for radius, depth, color in ((0.33, 2, _BLACK), (0.2, 3, (0.5, 0.5, 0.52))):
                corner = (
                    place((part, 0), side) + depth * out + [0, 0.33 - radius, -heading * radius]
                )
                faces.add(
                    corner, (0, 0, heading * 2 * radius), (0, 2 * radius, 0),
                    Label.CAR, Material.RUBBER, color, mask=Mask.DISC, **attributes,
                )  # fmt: skip
    for part, colors in (
        (0.0, ((0.6, 0.03, 0.03), (0.8, 0.8, 0.7))),
        (1.0, ((0.9, 0.9, 0.85),) * 2),
    ):
        out = heading * (0.015 if part else -0.015)
        for left, wide, low, tall, color in (
            (-0.48, 0.17, 0.42, 0.08, colors[0]),
            (0.31, 0.17, 0.42, 0.08, colors[0]),
            (-0.14, 0.28, 0.3, 0.07, colors[1]),
            (-0.46, 0.12, -0.001, 0.23, _BLACK),
            (0.34, 0.12, -0.001, 0.23, _BLACK),
        ):
            faces.add(
                place((part, low), 2 * left) + [0, 0, out], (wide * width, 0, 0),
                (0, tall * height, 0), Label.CAR, Material.LAMP if low > 0.3 else Material.RUBBER,
                color, **attributes,
            )  # fmt: skip
    return [Blocker(x, z, width, length, 0.0, height * 0.8, velocity)]


def tree(faces: FaceList, rng, x, z) -> list[Blocker]:
    """A tree: a trunk and layers of leaves, the lower the darker."""
    high, radius = rng.uniform(4.2, 6.0), rng.uniform(1.4, 2.4)
    bark = pick(rng, ((0.33, 0.27, 0.21), (0.4, 0.36, 0.3)))
    post(
        faces,
        x,
        z,
        rng.uniform(0.22, 0.4),
        high - 0.4 * radius,
        Label.VEGETATION,
        Material.BARK,
        bark,
    )
    leaves = pick(rng, _LEAVES, 0.03)
    for _ in range(5):
        shift = rng.uniform(-0.45, 0.45, 3) * radius
        part = radius * rng.uniform(0.7, 1.0)
        mask = Mask(rng.integers(Mask.CROWN_A, Mask.CROWN_C + 1))
        turn = rng.uniform(-0.5, 0.5)
        along = np.array([np.cos(turn), 0, np.sin(turn)]) * 2 * part
        corner = np.array([x, high - part, z]) + shift - along / 2
        color = tuple(np.array(leaves) * rng.uniform(0.85, 1.15))
        faces.add(
            corner, along, (0, 2 * part, 0),
            Label.VEGETATION, Material.FOLIAGE, color, mask=mask,
        )  # fmt: skip
    low = high - 0.8 * radius
    return [
        Blocker(x, z, 0.3, 0.3, 0.0, low),
        Blocker(x, z, 1.6 * radius, 1.6 * radius, low, high + 0.6 * radius),
    ]


def hedge(faces: FaceList, rng, low, high) -> None:
    """A clipped hedge between two corners."""
    box(faces, low, high, Label.VEGETATION, Material.FOLIAGE, pick(rng, _LEAVES, 0.03))


def lamp(faces: FaceList, x, z, side) -> list[Blocker]:
    """A street lamp whose arm reaches over the road from `side` (-1 left, 1 right)."""
    kind = (Label.POLE, Material.METAL, _STEEL)
    post(faces, x, z, 0.15, 6.5, *kind)
    end = x - side * 1.6
    low, high = min(x, end), max(x, end)
    faces.add((low, 6.4, z), (high - low, 0, 0), (0, 0.1, 0), *kind)
    faces.add((low, 6.45, z - 0.05), (high - low, 0, 0), (0, 0, 0.1), *kind)
    box(faces, (end - 0.35, 6.3, z - 0.12), (end + 0.35, 6.45, z + 0.12), *kind)
    return [Blocker(x, z, 0.15, 0.15, 0.0, 6.5)]


def litter_bin(faces: FaceList, rng, x, z) -> list[Blocker]:
    """A litter bin: no class of SYNTHIA-SEQS, so void."""
    color = pick(rng, ((0.15, 0.3, 0.2), (0.3, 0.3, 0.32), (0.65, 0.35, 0.1)))
    low, high = (x - 0.24, 0.25, z - 0.2), (x + 0.24, 1.0, z + 0.2)
    box(faces, low, high, Label.VOID, Material.METAL, color)
    box(
        faces,
        (x - 0.05, 0.0, z - 0.05),
        (x + 0.05, 0.25, z + 0.05),
        Label.VOID,
        Material.METAL,
        color,
    )
    return [Blocker(x, z, 0.48, 0.4, 0.0, 1.0)]


def sign(faces: FaceList, rng, x, z) -> list[Blocker]:
    """A traffic sign on its post."""
    post(faces, x, z, 0.07, 2.4, Label.POLE, Material.METAL, _STEEL)
    outer, inner, mask = (
        ((0.75, 0.08, 0.08), (0.92, 0.92, 0.9), Mask.DISC),
        ((0.75, 0.08, 0.08), (0.92, 0.92, 0.9), Mask.TRIANGLE),
        ((0.08, 0.25, 0.65), (0.08, 0.25, 0.65), Mask.DISC),
        ((0.1, 0.3, 0.7), (0.92, 0.92, 0.9), Mask.FULL),
    )[rng.integers(4)]
    for side, depth, color in ((0.75, 0.05, outer), (0.5, 0.06, inner)):
        low = 2.55 - side / 2 - (0.05 if mask is Mask.TRIANGLE and side < 0.7 else 0)
        faces.add(
            (x - side / 2, low, z - depth), (side, 0, 0), (0, side, 0),
            Label.SIGN, Material.LAMP, color, mask=mask,
        )  # fmt: skip
    return [Blocker(x, z, 0.1, 0.1, 0.0, 2.4), Blocker(x, z, 0.6, 0.05, 2.2, 2.9)]


def traffic_light(faces: FaceList, x, z, signal: Signal) -> list[Blocker]:
    """A traffic light that looks towards the drive: lenses of 30 cm, one of which shines."""
    post(faces, x, z, 0.13, 3.2, Label.POLE, Material.METAL, (0.2, 0.22, 0.22))
    low, high = (x - 0.2, 2.55, z - 0.3), (x + 0.2, 3.61, z - 0.08)
    box(faces, low, high, Label.LIGHT, Material.METAL, _BLACK, light=signal)
    for place, (lens, color) in enumerate(_LENSES.items()):
        lit = lens is signal
        faces.add(
            (x - 0.15, 2.6 + 0.33 * place, z - 0.31), (0.3, 0, 0), (0, 0.3, 0),
            Label.LIGHT, Material.SIGNAL if lit else Material.RUBBER,
            color if lit else tuple(0.15 * part for part in color), mask=Mask.DISC, light=signal,
        )  # fmt: skip
    return [Blocker(x, z, 0.13, 0.13, 0.0, 3.6)]


def pedestrian(faces: FaceList, rng, x, z, velocity, instance: int) -> list[Blocker]:
    """Somebody who walks, arms and legs swinging."""
    high = rng.uniform(1.55, 1.88)
    across = abs(velocity[0]) > abs(velocity[2])
    turn = rng.uniform(-0.3, 0.3) + (0 if across else 0.4)
    along = np.array([np.cos(turn), 0, np.sin(turn)])
    front = np.array([np.sin(turn), 0, -np.cos(turn)])
    top, legs, skin = pick(rng, _CLOTHES), pick(rng, _CLOTHES), pick(rng, _SKIN, 0.02)
    hair = pick(rng, ((0.12, 0.09, 0.07), (0.35, 0.24, 0.14), (0.55, 0.5, 0.42)), 0.03)
    stride, phase = (0.45 if across else 0.2), rng.uniform(0, 6)

    def part(shift, low, tall, wide, color, mask, depth, swing=0.0, material=Material.CLOTH):
        faces.add(
            np.array([x, low * high, z]) + along * (shift - wide / 2) + front * depth,
            along * wide, (0, tall * high, 0), Label.PEDESTRIAN, material, color, mask=mask,
            instance=instance, velocity=velocity, swing=(swing, 1.1, phase),
        )  # fmt: skip

    apart, broad = (0.0, 0.32) if across else (0.09, 0.44)
    part(-apart, 0.0, 0.5, 0.19, legs, Mask.LIMB, 0.0, stride)
    part(apart, 0.0, 0.5, 0.19, legs, Mask.LIMB, 0.01, -stride)
    part(0.0, 0.46, 0.42, broad, top, Mask.TORSO, 0.02)
    part(-apart * 2.4, 0.42, 0.4, 0.12, top, Mask.LIMB, 0.015, -stride)
    part(apart * 2.4, 0.42, 0.4, 0.12, top, Mask.LIMB, 0.03, stride)
    part(0.0, 0.865, 0.135, 0.2, hair, Mask.DISC, 0.025)
    part(0.03, 0.86, 0.1, 0.15, skin, Mask.DISC, 0.035)
    return [Blocker(x, z, 0.4, 0.25, 0.0, high, velocity)]


def bicycle(
    faces: FaceList, rng, x, z, turn: float, instance: int, velocity=(0.0, 0.0, 0.0)
) -> list[Blocker]:
    """A bicycle; `turn` is the angle from x to its length. It has a rider where it moves."""
    along = np.array([np.cos(turn), 0, np.sin(turn)])
    aside = np.array([np.sin(turn), 0, -np.cos(turn)])
    paint = pick(rng, _PAINTS)
    middle = np.array([x, 0, z])
    attributes = {"instance": instance, "velocity": velocity}

    def part(direction, shift, low, tall, wide, color, mask, depth=0.0, material=Material.RUBBER):
        faces.add(
            middle + along * shift + aside * depth - direction * wide / 2 + [0, low, 0],
            direction * wide, (0, tall, 0), Label.BICYCLE, material, color, mask=mask, **attributes,
        )  # fmt: skip

    for shift in (-0.52, 0.52):
        part(along, shift, 0.0, 0.68, 0.68, _BLACK, Mask.RING)
        part(aside, shift, 0.0, 0.68, 0.06, _BLACK, Mask.FULL)
    part(along, 0.0, 0.12, 0.9, 1.25, paint, Mask.FRAME, 0.01, Material.PAINT)
    part(aside, 0.45, 1.0, 0.05, 0.5, _STEEL, Mask.FULL, 0.0, Material.METAL)
    if any(velocity):
        top, legs, skin = pick(rng, _CLOTHES), pick(rng, _CLOTHES), pick(rng, _SKIN, 0.02)
        for direction, wide in ((along, 0.42), (aside, 0.46)):
            part(direction, -0.1, 0.9, 0.65, wide, top, Mask.TORSO, 0.0, Material.CLOTH)
            part(direction, -0.02, 1.5, 0.26, 0.2, skin, Mask.DISC, 0.0, Material.CLOTH)
        for depth in (-0.13, 0.13):
            part(aside, 0.05, 0.25, 0.75, 0.16, legs, Mask.LIMB, depth, Material.CLOTH)
            part(along, 0.05, 0.25, 0.75, 0.2, legs, Mask.LIMB, depth / 2, Material.CLOTH)
    return [Blocker(x, z, 0.4, 0.6, 0.0, 1.5 if any(velocity) else 0.9, velocity)]
