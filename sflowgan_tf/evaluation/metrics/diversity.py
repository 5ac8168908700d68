"""How different the variations of one scene are."""

from itertools import permutations

import keras
import numpy as np

from sflowgan_tf.losses import perceptual_loss
from sflowgan_tf.ops.images import to_signed


def diversity(variations: np.ndarray, vgg: keras.Model) -> float:
    """Mean perceptual distance between two variations of a scene; 0 where all are equal.

    The distance is that of `paired.perceptual_distance`, of which one picture gives the unit; here
    each of a pair does in turn. Variations are (count, height, width, 3) uint8 RGB; `vgg` is built.

    Raises:
        ValueError: there are fewer than 2.
    """
    if len(variations) < 2:
        raise ValueError(f"variations: expected at least 2 of a scene, got {len(variations)}")
    features = vgg(to_signed(variations))
    each = [[slices[i : i + 1] for slices in features] for i in range(len(variations))]
    return float(np.mean([float(perceptual_loss(a, b)) for a, b in permutations(each, 2)]))
