"""Weather and time of day: the light, the sky, the air and the lens of one sequence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Weather:
    """One weather. Colours are linear RGB radiance, where a white wall at noon is about 1.

    Attributes:
        name: as it stands in the folder's name.
        sun: the sun's light on a surface that faces it.
        sky: light from above where the whole sky is open.
        zenith: the sky's colour overhead.
        horizon: the sky's colour at the horizon, and of the haze.
        cloud: the clouds' colour.
        cover: how much of the sky clouds take, 0 to 1.
        haze: extinction per metre.
        wet: 0 dry to 1 wet ground.
        lamps: part of the windows that are lit.
        height: least and greatest height of the sun, degrees.
        exposure: factor on radiance.
        direction: (3,) unit vector to the sun; drawn for each sequence.
    """

    name: str
    sun: tuple[float, float, float]
    sky: tuple[float, float, float]
    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    cloud: tuple[float, float, float]
    cover: float
    haze: float
    wet: float
    lamps: float
    height: tuple[float, float]
    exposure: float
    direction: np.ndarray = field(default_factory=lambda: np.array([0.0, 1.0, 0.0]))


KINDS = (
    Weather("NOON", (1.7, 1.55, 1.3), (0.42, 0.5, 0.62), (0.16, 0.33, 0.72), (0.62, 0.74, 0.88),
            (1.15, 1.13, 1.1), 0.35, 0.0012, 0.0, 0.0, (38, 62), 1.0),
    Weather("OVERCAST", (0.0, 0.0, 0.0), (0.92, 0.94, 0.98), (0.72, 0.75, 0.8), (0.95, 0.96, 0.98),
            (0.8, 0.82, 0.85), 0.9, 0.003, 0.15, 0.06, (50, 70), 0.95),
    Weather("DUSK", (1.15, 0.62, 0.3), (0.3, 0.32, 0.44), (0.16, 0.22, 0.42), (0.95, 0.6, 0.4),
            (0.75, 0.45, 0.38), 0.5, 0.0035, 0.0, 0.3, (14, 24), 1.15),
    Weather("RAIN", (0.0, 0.0, 0.0), (0.52, 0.55, 0.6), (0.38, 0.41, 0.46), (0.6, 0.63, 0.67),
            (0.42, 0.45, 0.5), 0.95, 0.006, 1.0, 0.22, (50, 70), 1.2),
    Weather("MORNING", (1.35, 1.1, 0.75), (0.4, 0.46, 0.56), (0.3, 0.46, 0.72), (0.9, 0.84, 0.74),
            (1.05, 0.95, 0.85), 0.25, 0.005, 0.0, 0.08, (22, 34), 1.05),
)  # fmt: skip
