"""Cars and people of minicity, to be put into a scene: labels, pixels and outline."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.playing.scenes import DRIVE
from sflowgan_tf.simulators import Camera, Minicity
from sflowgan_tf.simulators.live_painting import reading
from sflowgan_tf.utils.errors import UserError

_KNOWN = (  # name, seed of the street, moment, number of the instance: each is seen whole
    ("red car", 2, 10, 38),
    ("white car", 11, 10, 5),
    ("yellow car", 12, 0, 5),
    ("blue car", 9, 30, 41),
    ("man", 9, 10, 73),
    ("woman", 2, 10, 65),
    ("cyclist", 6, 20, 40),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cutout:
    """A thing that is put into a scene.

    Attributes:
        name: for people.
        labels: (height, width) uint8 class indices.
        frame: (height, width, 3) uint8 RGB.
        inside: (height, width) bool, where the thing is.
    """

    name: str
    labels: np.ndarray
    frame: np.ndarray
    inside: np.ndarray

    def packed(self) -> str:
        """Text for the browser: the planes, one after the other, deflated, in base64."""
        planes = (self.labels, self.frame, self.inside.astype(np.uint8))
        content = b"".join(np.ascontiguousarray(plane).tobytes() for plane in planes)
        return base64.b64encode(zlib.compress(content)).decode()


def cutouts(size: tuple[int, int], classes: ClassTable) -> list[Cutout]:
    """The things that there are for scenes of a size; none for a model of other classes.

    Args:
        size: (width, height) of the scenes.
        classes: of the model.
    """
    try:
        table = reading(classes, "synthia")
    except UserError:
        return []
    return [_cutout(*known, size, table) for known in _KNOWN]


def _cutout(
    name: str, seed: int, moment: int, instance: int, size: tuple[int, int], table: ClassTable
) -> Cutout:
    cameras = (Camera(name="front", size=size),)
    street = Minicity(seed=seed, frames=DRIVE, fps=Fraction(10), cameras=cameras)
    with street.drive(moment) as ticks:
        tick = next(ticks)
    inside = tick.instances == instance
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Cutout(
        name=name,
        labels=table.encode(tick.labels[box]),
        frame=tick.frame[box],
        inside=inside[box],
    )
