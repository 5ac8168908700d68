"""Sequences of frames: the scene, its weather and the drive, drawn from a seed and an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from . import cg, facade, lens, photo, raster
from .camera import Drive
from .street import lay_out
from .weather import KINDS, Weather


@dataclass(frozen=True)
class Frame:
    """One frame with all that is known of it.

    Attributes:
        labels: (height, width) uint8, SYNTHIA-SEQS ids (`faces.Label`).
        instances: (height, width) uint16, the number of the car, pedestrian or bicycle; else 0.
        lights: (height, width) uint8, what the pixel's traffic light shows (`faces.Signal`: 1 red,
            2 amber, 3 green), on all of its head; else 0.
        image_cg: (height, width, 3) uint8 RGB, the simulator's rendering.
        image_real: (height, width, 3) uint8 RGB, the photograph of the same geometry.
        depth: (height, width) float32 metres along the optical axis; infinite for the sky.
        flow: (height, width, 2) float32 pixels to the next frame, channel 0 is dx (right), 1 is dy
            (down); None for the last frame.
        flow_valid: (height, width) bool, true where the point is seen in the next frame; None for
            the last frame.
    """

    labels: np.ndarray
    instances: np.ndarray
    lights: np.ndarray
    image_cg: np.ndarray
    image_real: np.ndarray
    depth: np.ndarray
    flow: np.ndarray | None
    flow_valid: np.ndarray | None


def weather(seed: int, index: int) -> Weather:
    """The weather of a sequence: the kinds in turn, the sun's place by chance."""
    rng = np.random.default_rng([seed, index, 1])
    kind = KINDS[(seed + index) % len(KINDS)]
    height = np.radians(rng.uniform(*kind.height))
    side = np.radians(rng.uniform(-75, 75)) + rng.integers(2) * np.pi
    x, z = np.cos(height) * np.sin(side), np.cos(height) * np.cos(side)
    return replace(kind, direction=np.array([x, np.sin(height), z]))


def sequence(
    seed: int, index: int, frames: int, size: tuple[int, int], noise: bool = True
) -> Iterator[Frame]:
    """Render one sequence; it depends on nothing but the arguments.

    Args:
        seed: of the whole dataset, >= 0.
        index: of the sequence, >= 0.
        frames: how many, >= 1.
        size: width and height in pixels.
        noise: whether the photograph has the sensor's noise.

    Yields:
        The frames in their order.
    """
    rng = np.random.default_rng([seed, index, 0])
    drive = Drive.draw(rng)
    street = lay_out(rng, drive.step * frames, drive.step)
    sky = weather(seed, index)
    seen = raster.view(street.faces, drive.camera(0, street.lane, size), 0, size)
    for number in range(frames):
        surface = raster.surface(seen)
        walls = facade.look(street.faces, street.styles, seen, surface)
        grain = np.random.default_rng([seed, index, 2, number]) if noise else None
        flow = valid = following = None
        if number + 1 < frames:
            camera = drive.camera(number + 1, street.lane, size)
            following = raster.view(street.faces, camera, number + 1, size)
            flow, valid = raster.flow(seen, following)
        yield Frame(
            labels=np.take(street.faces.label, seen.face),
            instances=np.take(street.faces.instance, seen.face),
            lights=np.take(street.faces.light, seen.face),
            image_cg=cg.render(street, seen, walls),
            image_real=lens.develop(
                photo.render(street, sky, seen, surface, walls), sky.exposure, grain
            ),
            depth=surface.depth,
            flow=flow,
            flow_valid=valid,
        )
        seen = following or seen
