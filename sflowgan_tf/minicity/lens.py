"""From radiance to the camera's picture: blur, colour fringes, vignette, tone curve, noise."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

_STEPS = 4096
_WHITE = 2.5  # radiance that the last step of the tone curve stands for
_FRINGE = 0.0012  # by how much red is larger and blue is smaller than green


@cache
def _curve() -> np.ndarray:
    """(steps,) float32: display values 0 to 255 for radiance 0 to `_WHITE`."""
    light = np.arange(_STEPS) / (_STEPS - 1) * _WHITE
    film = light * (2.0 * light + 0.12) / (light * (1.75 * light + 0.75) + 0.14)
    return (255 * np.clip(film, 0, 1) ** (1 / 2.0)).astype(np.float32)


def develop(radiance: np.ndarray, exposure: float, rng: np.random.Generator | None) -> np.ndarray:
    """Take the picture.

    Args:
        radiance: (3, height, width) float32 linear RGB, >= 0.
        exposure: factor on it.
        rng: where the sensor's noise comes from; None for a sensor without noise.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    height, width = radiance.shape[1:]
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / width
    y = (np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2) / width
    gain = (1 - 0.35 * (x * x + y * y)) * (exposure * (_STEPS - 1) / _WHITE)
    scales = (1 + _FRINGE, 1.0, 1 - _FRINGE)
    planes = [_focus(*plane) * gain for plane in zip(radiance, scales, strict=True)]
    picture = np.take(_curve(), np.minimum(planes, _STEPS - 1).astype(np.int32))
    if rng is not None:
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        picture += noise * (1.2 + 0.09 * np.sqrt(picture))
    return cv2.merge(list(np.clip(picture + 0.5, 0, 255).astype(np.uint8)))


def _focus(plane: np.ndarray, scale: float) -> np.ndarray:
    """One colour as the lens draws it: a little soft, `scale` times as large."""
    plane = cv2.GaussianBlur(plane, (3, 3), 0.45)
    if scale == 1:
        return plane
    height, width = plane.shape
    shift = [[scale, 0, (1 - scale) * (width - 1) / 2], [0, scale, (1 - scale) * (height - 1) / 2]]
    return cv2.warpAffine(
        plane, np.array(shift), (width, height),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
