"""A pinhole camera without distortion, and its drive along the street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .faces import Faces

_HEIGHT = 1.5  # metres above the road
_FOCAL = 0.72  # of the image's width: about 70 degrees from left to right


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

    def camera(self, time: float, lane: float, size: tuple[int, int]) -> Camera:
        """The view at `time` frames from the lane with its middle at x = `lane`, metres.

        `size` is the image's width and height in pixels.
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
        focal = _FOCAL * width
        lens = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
        position = np.array([lane + self.sway * np.cos(turn), _HEIGHT, self.step * time])
        return Camera(position, lens @ np.stack([right, down, forward]))
