"""A palette that was never measured."""

import numpy as np

from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette
from sflowgan_tf.ops.settings import Regions


def appearance_of(num_classes, cell=5):
    """Colours of frames in which class 3 is missing; the simulator's are darker and spread."""
    draw = np.random.default_rng(0)
    kinds = num_classes + 1
    absent = np.where(np.arange(kinds) == 3, np.nan, 0).astype(np.float32)[:, None]
    real, simulator = (
        ClassColors(
            mean=absent + draw.uniform(*levels, (kinds, 3)).astype(np.float32),
            spread=absent + draw.uniform(*spreads, (kinds, 3)).astype(np.float32),
        )
        for levels, spreads in (((90, 200), (5, 20)), ((40, 150), (20, 40)))
    )
    clusters, frames = (
        absent + draw.uniform(0, 255, (count, kinds, 3)).astype(np.float32) for count in (8, 5)
    )
    return ColorInput(
        regions=Regions(cell=cell),
        palette=Palette(real=real, simulator=simulator, clusters=clusters, frames=frames),
    )
