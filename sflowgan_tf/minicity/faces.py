"""The table of planar faces that a scene is made of, and their places in time.

World axes, everywhere in this package: x right, y up, z ahead along the street; metres. Time is
counted in frames, speeds in metres per frame. A face is a rectangle: the point with surface
coordinates (u, v) lies at `origin + u * along + v * up`, 0 <= u <= width, 0 <= v <= height, with
`along` and `up` unit vectors at right angles. A mask may cut another outline out of the rectangle.
Face 0 is the sky: the plane at infinity, whose point (u, v) is the direction (u, v, 1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np


class Label(IntEnum):
    """The class ids of SYNTHIA-SEQS."""

    VOID = 0
    SKY = 1
    BUILDING = 2
    ROAD = 3
    SIDEWALK = 4
    FENCE = 5
    VEGETATION = 6
    POLE = 7
    CAR = 8
    SIGN = 9
    PEDESTRIAN = 10
    BICYCLE = 11
    LANE = 12
    LIGHT = 15


class Signal(IntEnum):
    """What a traffic light shows."""

    NONE = 0
    RED = 1
    AMBER = 2
    GREEN = 3


class Material(IntEnum):
    """What a face is made of; `materials.TABLE` says how each looks."""

    SKY = 0
    FACADE = 1
    WALL = 2
    ROOF = 3
    ASPHALT = 4
    PAVING = 5
    GRASS = 6
    MARKING = 7
    FOLIAGE = 8
    BARK = 9
    METAL = 10
    PAINT = 11
    GLASS = 12
    CLOTH = 13
    LAMP = 14
    RUBBER = 15
    SIGNAL = 16


@dataclass(frozen=True)
class Faces:
    """The columns of the table; the first axis of each is the face.

    Attributes:
        origin: (faces, 3) float64 metres, at time 0.
        along: (faces, 3) float64 unit vector of u.
        up: (faces, 3) float64 unit vector of v.
        size: (faces, 2) float64 metres, width and height.
        label: (faces,) uint8, a `Label`.
        material: (faces,) uint8, a `Material`.
        color: (faces, 3) float32 RGB in 0 to 1, as a display shows it.
        mask: (faces,) uint8, a `masks.Mask`; 0 is the whole rectangle.
        instance: (faces,) uint16, the number of the object; 0 for what is not counted.
        light: (faces,) uint8, the `Signal` of the traffic light that the face belongs to; else 0.
        style: (faces,) int32, the row of `facade.Styles` for façades, else 0.
        velocity: (faces, 3) float64 metres per frame.
        swing: (faces, 3) float64: amplitude in radians, radians per frame, phase of a swing in the
            face's own plane about the middle of its upper edge.
        one_sided: (faces,) bool: seen from the side that `along` x `up` points to alone.
    """

    origin: np.ndarray
    along: np.ndarray
    up: np.ndarray
    size: np.ndarray
    label: np.ndarray
    material: np.ndarray
    color: np.ndarray
    mask: np.ndarray
    instance: np.ndarray
    light: np.ndarray
    style: np.ndarray
    velocity: np.ndarray
    swing: np.ndarray
    one_sided: np.ndarray

    def at(self, time: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the faces stand: `origin`, `along` and `up`, each (faces, 3), at `time` frames."""
        angle = self.swing[:, 0] * np.sin(self.swing[:, 1] * time + self.swing[:, 2])
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        along = cos * self.along + sin * self.up
        up = cos * self.up - sin * self.along
        half, height = self.size[:, :1] / 2, self.size[:, 1:]
        pivot = self.origin + half * self.along + height * self.up
        origin = pivot - half * along - height * up + self.velocity * time
        origin[0] = self.origin[0]
        return origin, along, up


_TYPES = {
    "label": np.uint8,
    "material": np.uint8,
    "color": np.float32,
    "mask": np.uint8,
    "instance": np.uint16,
    "light": np.uint8,
    "style": np.int32,
    "one_sided": np.bool_,
}


class FaceList:
    """Gathers faces one by one; the sky is there from the beginning."""

    def __init__(self) -> None:
        self._rows: list[dict] = []
        self.add((0, 0, 1), (1, 0, 0), (0, 1, 0), Label.SKY, Material.SKY, (0.55, 0.7, 0.9))

    def add(
        self,
        origin,
        along,
        up,
        label: Label,
        material: Material,
        color,
        *,
        mask: int = 0,
        instance: int = 0,
        light: int = 0,
        style: int = 0,
        velocity=(0.0, 0.0, 0.0),
        swing=(0.0, 0.0, 0.0),
        one_sided: bool = False,
    ) -> None:
        """Append one face; `along` and `up` are its edges with their lengths in metres."""
        (width, along), (height, up) = _length_and_direction(along), _length_and_direction(up)
        self._rows.append(
            {
                "origin": origin.tolist() if isinstance(origin, np.ndarray) else origin,
                "along": along,
                "up": up,
                "size": (width, height),
                "label": label,
                "material": material,
                "color": color,
                "mask": mask,
                "instance": instance,
                "light": light,
                "style": style,
                "velocity": velocity,
                "swing": swing,
                "one_sided": one_sided,
            }
        )

    def table(self) -> Faces:
        """All faces so far as arrays."""
        return Faces(
            **{
                field.name: np.array(
                    [row[field.name] for row in self._rows],
                    dtype=_TYPES.get(field.name, np.float64),
                )
                for field in fields(Faces)
            }
        )


def _length_and_direction(edge) -> tuple[float, tuple[float, ...]]:
    """An edge's length in metres, and the unit vector along it.

    Most edges are parallel to an axis: their length is their one component.
    """
    x, y, z = edge.tolist() if isinstance(edge, np.ndarray) else map(float, edge)
    if (x != 0) + (y != 0) + (z != 0) == 1:
        length = abs(x or y or z)
    else:
        length = float(np.linalg.norm((x, y, z)))
    return length, (x / length, y / length, z / length)
