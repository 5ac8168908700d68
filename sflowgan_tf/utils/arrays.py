"""Arrays that a caller passed, in the words of a message."""

from typing import Any

import numpy as np


def kind(value: Any) -> str:
    """Shape and dtype of an array such as "(2, 3) uint8"; the type of anything else."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    return f"{type(value).__name__}, which is no NumPy array"
