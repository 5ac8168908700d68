"""Sequences of frames: the scene, its weather and the drive, drawn from a seed and an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from . import cg, facade, lens, photo, raster
from .camera import DRIVER, Drive, Mount
from .street import Street, lay_out
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


@dataclass(frozen=True)
class Look:
    """What a camera sees at one time, of which both renderings are made.

    Attributes:
        street: the scene.
        seen: the view.
        surface: its surface points.
        walls: its façade pixels.
        flow: of a `Frame`.
        flow_valid: of a `Frame`.
    """

    street: Street
    seen: raster.View
    surface: raster.Surface
    walls: facade.Facade
    flow: np.ndarray | None
    flow_valid: np.ndarray | None

    @property
    def labels(self) -> np.ndarray:
        """(height, width) uint8, of a `Frame`."""
        return self.seen.pixels(self.street.faces.label)

    @property
    def instances(self) -> np.ndarray:
        """(height, width) uint16, of a `Frame`."""
        return self.seen.pixels(self.street.faces.instance)

    @property
    def image_cg(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB, of a `Frame`."""
        return cg.render(self.street, self.seen, self.walls)


@dataclass(frozen=True)
class Course:
    """A street and the drive along it.

    Attributes:
        street: the scene.
        way: of the car with the camera.
        frames: how many the drive has.
    """

    street: Street
    way: Drive
    frames: int

    @classmethod
    def draw(cls, seed: int, index: int, frames: int) -> Course:
        """The course of a sequence; it depends on nothing but the arguments of `sequence`."""
        rng = np.random.default_rng([seed, index, 0])
        way = Drive.draw(rng)
        return cls(lay_out(rng, way.step * frames, way.step), way, frames)

    def looks(self, size: tuple[int, int], start: int = 0, mount: Mount = DRIVER) -> Iterator[Look]:
        """What a camera on the car sees, frame by frame.

        Args:
            size: width and height in pixels.
            start: the frame to begin with.
            mount: the camera's place on the car.
        """
        seen = self._view(start, size, mount)
        for number in range(start, self.frames):
            surface = raster.surface(seen)
            walls = facade.look(self.street.faces, self.street.styles, seen, surface)
            flow = valid = following = None
            if number + 1 < self.frames:
                following = self._view(number + 1, size, mount)
                flow, valid = raster.flow(seen, following)
            yield Look(self.street, seen, surface, walls, flow, valid)
            seen = following or seen

    def _view(self, number: int, size: tuple[int, int], mount: Mount) -> raster.View:
        camera = self.way.camera(number, self.street.lane, size, mount)
        return raster.view(self.street.faces, camera, number, size)


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
    course, sky = Course.draw(seed, index, frames), weather(seed, index)
    for number, look in enumerate(course.looks(size)):
        grain = np.random.default_rng([seed, index, 2, number]) if noise else None
        photograph = photo.render(course.street, sky, look.seen, look.surface, look.walls)
        yield Frame(
            labels=look.labels,
            instances=look.instances,
            lights=look.seen.pixels(course.street.faces.light),
            image_cg=look.image_cg,
            image_real=lens.develop(photograph, sky.exposure, grain),
            depth=look.surface.depth,
            flow=look.flow,
            flow_valid=look.flow_valid,
        )
