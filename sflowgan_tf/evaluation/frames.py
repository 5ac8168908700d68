"""Frames of the records, as an evaluation passes them from module to module."""

from collections.abc import Callable
from typing import Any

import numpy as np

Frame = dict[str, Any]  # of `data.pipeline.sequences`: tensors by the names of `data.records`
Place = tuple[str, int]  # a frame's sequence and its number there
PaintFunction = Callable[[Frame], np.ndarray]  # a frame's picture (height, width, 3) uint8 RGB


def place(frame: Frame) -> Place:
    """Where a frame stands in the records."""
    return frame["sequence"].numpy().decode(), int(frame["frame"])
