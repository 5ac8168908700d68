"""Which of many are looked at where a few will do."""

import numpy as np


def evenly_spaced(total: int, most: int) -> list[int]:
    """Numbers from 0 to `total` - 1, at most `most` of them, first and last included if two are."""
    return np.linspace(0, total - 1, min(most, total)).round().astype(int).tolist()
