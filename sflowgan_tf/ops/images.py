"""Between the pictures that people see and those that networks see; sheets of pictures."""

import cv2
import numpy as np
from keras import ops

from sflowgan_tf.ops import preprocessing

_GAP = 4
_TITLE = 22


def to_signed(image):
    """uint8 0..255 to float32 -1..1, any shape."""
    return preprocessing.to_signed(image, ops)


def to_levels(image):
    """Float -1..1 to float32 0..255, neither rounded nor clipped, so differentiable. Any shape."""
    return preprocessing.to_levels(image, ops)


def to_uint8(image):
    """Float -1..1 to uint8 0..255, rounded; what lies outside is clipped. Any shape."""
    return preprocessing.to_uint8(image, ops)


def contact_sheet(rows: list[list[np.ndarray]], titles: list[str]) -> np.ndarray:
    """Pictures in rows under a line of titles.

    Args:
        rows: each a list of (height, width, 3) or, for grey in [0, 1], (height, width, 1) arrays;
            all of one size.
        titles: one for each column.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValueError: a row has not as many pictures as there are titles.
    """
    if any(len(row) != len(titles) for row in rows):
        raise ValueError(f"expected {len(titles)} pictures in each row, got {[*map(len, rows)]}")
    height, width = rows[0][0].shape[:2]
    sheet = np.full(
        (
            _TITLE + len(rows) * (height + _GAP),
            len(titles) * (width + _GAP) - _GAP,
            3,
        ),
        255,
        np.uint8,
    )
    for column, title in enumerate(titles):
        left = column * (width + _GAP)
        cv2.putText(sheet, title, (left + 2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1)
        for line, row in enumerate(rows):
            top = _TITLE + line * (height + _GAP)
            sheet[top : top + height, left : left + width] = _rgb(row[column])
    return sheet


def _rgb(picture: np.ndarray) -> np.ndarray:
    if picture.shape[-1] == 1:
        return np.repeat((np.asarray(picture, np.float32) * 255).round().astype(np.uint8), 3, -1)
    return picture
