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
        radiance: (height, width, 3) float32 linear RGB, >= 0.
        exposure: factor on it.
        rng: where the sensor's noise comes from; None for a sensor without noise.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    height, width = radiance.shape[:2]
    image = cv2.GaussianBlur(radiance, (3, 3), 0.45)
    for channel, scale in ((0, 1 + _FRINGE), (2, 1 - _FRINGE)):
        shift = np.array([[scale, 0, (1 - scale) * (width - 1) / 2],
                          [0, scale, (1 - scale) * (height - 1) / 2]])  # fmt: skip
        image[..., channel] = cv2.warpAffine(
            np.ascontiguousarray(image[..., channel]), shift, (width, height),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / width
    y = (np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2) / width
    image *= ((1 - 0.35 * (x * x + y * y)) * (exposure * (_STEPS - 1) / _WHITE))[..., None]
    picture = np.take(_curve(), np.minimum(image, _STEPS - 1).astype(np.int32))
    if rng is not None:
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        picture += noise * (1.2 + 0.09 * np.sqrt(picture))
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
