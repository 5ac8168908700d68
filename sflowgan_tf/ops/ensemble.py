"""The ensemble of the DNED's side outputs, whose weights make the versions of a scene."""

import numpy as np
from keras import ops

from sflowgan_tf.ops.settings import SIDE_OUTPUTS

_FINE, _COARSE = (0, 1, 5), (2, 3, 4)  # side outputs; the last one is the fused one
_SPARSE, _FAVOURED = 0.2, 5.0  # concentrations of the Dirichlet distribution


def ensemble_weights(count: int, seed: int) -> np.ndarray:
    """Weights of the DNED's side outputs for variations of a scene.

    Args:
        count: how many; the first is equal weights, the others are drawn.
        seed: of the draws; more variations of the same seed begin with the same ones.

    Returns:
        (count, 6) float32, rows that sum to 1.

    Source: S-Flow GAN, sec. 3.2: "By changing the weights of that ensemble, we can generate the
    desired variability". The distribution is our choice: Dirichlet, each draw favouring another
    side output than the five before it, since mixtures of all six look alike; the coarse ones
    come first, since they differ most from each other and from equal weights.
    """
    generator = np.random.default_rng(seed)
    favourites = [*generator.permutation(_COARSE), *generator.permutation(_FINE)]
    drawn = [
        generator.dirichlet(
            _SPARSE + _FAVOURED * (np.arange(SIDE_OUTPUTS) == favourites[i % SIDE_OUTPUTS])
        )
        for i in range(count - 1)
    ]
    return np.array([[1 / SIDE_OUTPUTS] * SIDE_OUTPUTS, *drawn], np.float32)


def ensemble(side_outputs, weights):
    """The edge map that the generator sees: the weighted mean of the six maps.

    Args:
        side_outputs: (batch, height, width, 6) logits, as `DNED` gives them.
        weights: (batch, 6) non-negative with a positive sum; only their ratios count.

    Returns:
        (batch, height, width, 1) float32 in [0, 1].

    Raises:
        ValueError: `weights` has not 6 columns.

    Source: S-Flow GAN, sec. 3.2: other weights give other images. The mean of the sigmoids (not of
    the logits) is our choice.
    """
    if weights.shape[-1] != SIDE_OUTPUTS:
        raise ValueError(
            f"weights: expected shape (batch, {SIDE_OUTPUTS}), got {tuple(weights.shape)}"
        )
    maps = ops.sigmoid(ops.cast(side_outputs, "float32"))
    shares = ops.cast(weights, "float32")
    shares = shares / ops.sum(shares, axis=-1, keepdims=True)
    return ops.sum(maps * shares[:, None, None, :], axis=-1, keepdims=True)
