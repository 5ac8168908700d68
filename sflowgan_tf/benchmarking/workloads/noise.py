"""Batches of noise: what networks cost does not depend on what they see."""

from typing import Any

import numpy as np
import tensorflow as tf


def batch(
    sides: tuple[int, int], shape: tuple[int, ...], num_classes: int, seed: int
) -> dict[str, Any]:
    """A batch as `data.pipeline.training` gives it.

    Args:
        sides: width and height, pixels.
        shape: of the batch: (batch,), or (batch, frames) of consecutive ones.
        num_classes: of the label map.
        seed: of the noise.

    Returns:
        labels (*shape, height, width) uint8, edges (*shape, height, width, 1) uint8 in {0, 1},
        image_real (*shape, height, width, 3) uint8, instances (*shape, height, width) uint16, and
        flow_real (batch, height, width, 2) float32, pixels.
    """
    draw = np.random.default_rng(seed)
    width, height = sides
    plane = (*shape, height, width)
    return {
        "labels": tf.constant(draw.integers(0, num_classes, plane, np.uint8)),
        "edges": tf.constant(draw.integers(0, 2, (*plane, 1), np.uint8)),
        "image_real": tf.constant(draw.integers(0, 256, (*plane, 3), np.uint8)),
        "instances": tf.constant(draw.integers(0, 50, plane, np.uint16)),
        "flow_real": tf.constant(draw.normal(0, 2, (shape[0], *plane[-2:], 2)).astype(np.float32)),
    }
