"""Weights of the DNED's side outputs, which make the versions of a scene."""

import numpy as np

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
        generator.dirichlet(_SPARSE + _FAVOURED * (np.arange(6) == favourites[i % 6]))
        for i in range(count - 1)
    ]
    return np.array([[1 / 6] * 6, *drawn], np.float32)
