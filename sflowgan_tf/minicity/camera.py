"""A pinhole camera without distortion, and its drive along the street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .faces import Faces


@dataclass(frozen=True)
class Mount:
    """Where a camera sits on the car that drives.

    Attributes:
        position: metres ahead, to the right and up from the place on the road below the driver.
        rotation: degrees of pitch (up), yaw (to the right) and roll (clockwise); the camera is
            first turned by the yaw, then about its own axes by pitch and roll.
        focal: of the image's width; 0.72 are about 70 degrees from left to right.
    """

    position: tuple[float, float, float] = (0.0, 0.0, 1.5)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    focal: float = 0.72

    def axes(self) -> np.ndarray:
        """(3, 3): right, down and ahead of the camera, each in those of the car."""
        pitch, yaw, roll = np.radians(self.rotation)
        turned, tilted, rolled = (
            _rotation(axis, angle) for axis, angle in ((1, yaw), (0, pitch), (2, roll))
        )
        return rolled.T @ tilted.T @ turned.T


def _rotation(axis: int, angle: float) -> np.ndarray:
    """(3, 3), by an angle in radians from the axis after `axis` to the one after that."""
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[[first, second], [first, second]] = np.cos(angle)
    matrix[second, first], matrix[first, second] = np.sin(angle), -np.sin(angle)
    return matrix


DRIVER = Mount()


@dataclass(frozen=True)
class Camera:
    """One view. Pixel (0, 0) is the centre of the upper left pixel; x right, y down.

    Attributes:
        position: (3,) metres, world axes.
        matrix: (3, 3); `matrix @ (point - position)` is (x * z, y * z, z) with x and y in pixels
            and z the depth in metres along the optical axis.
    """

    position: np.ndarray
    matrix: np.ndarray

    def homographies(self, faces: Faces, time: float) -> np.ndarray:
        """The maps from surface coordinates to pixels at a time.

        Args:
            faces: the faces.
            time: in frames.

        Returns:
            (faces, 3, 3) float64: `h @ (u, v, 1)` is (x * z, y * z, z). For the sky, face 0, z
            is no depth but the direction's component along the optical axis.
        """
        origin, along, up = faces.at(time)
        origin[1:] -= self.position
        return self.matrix @ np.stack([along, up, origin], axis=2)


@dataclass(frozen=True)
class Drive:
    """The way of the camera: straight on, with a slow sway to the side and in yaw.

    Attributes:
        step: metres per frame.
        sway: metres to either side.
        yaw: radians to either side.
        pitch: radians, positive looks down.
        period: frames of one sway.
        phase: radians.
    """

    step: float
    sway: float
    yaw: float
    pitch: float
    period: float
    phase: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Drive:
        """A random drive."""
        return cls(
            step=rng.uniform(0.5, 1.0),
            sway=rng.uniform(0.05, 0.3),
            yaw=rng.uniform(0.01, 0.05),
            pitch=rng.uniform(-0.06, 0.01),
            period=rng.uniform(30, 60),
            phase=rng.uniform(0, 2 * np.pi),
        )

    def camera(
        self, time: float, lane: float, size: tuple[int, int], mount: Mount = DRIVER
    ) -> Camera:
        """The view at `time` frames from the lane with its middle at x = `lane`, metres.

        `size` is the image's width and height in pixels, `mount` the camera's place on the car.
        """
        width, height = size
        turn = 2 * np.pi * time / self.period + self.phase
        yaw = self.yaw * np.sin(turn)
        forward = np.array(
            [
                np.sin(yaw) * np.cos(self.pitch),
                -np.sin(self.pitch),
                np.cos(yaw) * np.cos(self.pitch),
            ]
        )
        right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
        down = np.cross(right, forward)
        focal = mount.focal * width
        lens = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
        ahead, aside, up = mount.position
        position = np.array([lane + self.sway * np.cos(turn), up, self.step * time])
        position += ahead * np.array([np.sin(yaw), 0, np.cos(yaw)]) + aside * right
        return Camera(position, lens @ mount.axes() @ np.stack([right, down, forward]))
