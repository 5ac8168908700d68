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


def blurred(images):
    """Images under a small blur.

    Args:
        images: (batch, height, width, channels) floating.

    Returns:
        The same shape: the average under (1, 2, 1) / 4 down and across, the border repeated.
    """
    for axis in (1, 2):
        images = _averaged(images, axis)
    return images


def sharpened(images, amount):
    """Images with more of what a small blur takes away (unsharp masking).

    Args:
        images: (batch, height, width, channels) floating in [-1, 1].
        amount: (batch, 1, 1, 1) floating >= 0, by how much; 0 leaves an image as it is.

    Returns:
        images + amount * (images - blurred(images)), clipped to [-1, 1].
    """
    removed = images - blurred(images)
    return ops.clip(images + ops.cast(amount, images.dtype) * removed, -1.0, 1.0)


def _averaged(images, axis):
    """Each pixel with its two neighbours along an axis, by 1, 2 and 1 quarters."""
    last = ops.shape(images)[axis] - 1
    first, rest = (ops.take(images, index, axis=axis) for index in _neighbours_of(last))
    return (first + 2 * images + rest) / 4


def _neighbours_of(last):
    """The places before and after each one from 0 to `last`, no further than these."""
    places = ops.arange(0, last + 1, dtype="int32")
    return ops.maximum(places - 1, 0), ops.minimum(places + 1, last)


def reduced(images, scale):
    """Smaller images, averaged so that nothing aliases; differentiable.

    Args:
        images: (batch, height, width, channels) floating, any height and width.
        scale: of both sides, over 0 to 1; 1 leaves the images as they are.

    Returns:
        (batch, round(scale height), round(scale width), channels), sides of at least 1, in the
        dtype of `images`: each pixel is an average under a triangle of twice its width, as
        `tf.image.resize(..., "bilinear", antialias=True)` takes it.

    Two products with small matrices instead of that: XLA and TensorFlow's deterministic kernels
    know them.
    """
    if scale == 1:
        return images
    height, width = ops.shape(images)[1:3]
    rows, columns = (_triangles(side, scale, images.dtype) for side in (height, width))
    return ops.einsum("yh,bhwc,xw->byxc", rows, images, columns)


def _triangles(side, scale, dtype):
    """(round(scale side), side): what each pixel counts in the average behind each new one."""
    fewer = ops.maximum(ops.cast(ops.round(scale * ops.cast(side, "float32")), "int32"), 1)
    pixels = ops.cast(ops.arange(side), "float32") + 0.5
    step = ops.cast(side, "float32") / ops.cast(fewer, "float32")
    centres = (ops.cast(ops.arange(fewer), "float32") + 0.5) * step
    weights = ops.maximum(1 - ops.abs(pixels[None] - centres[:, None]) / step, 0.0)
    return ops.cast(weights / ops.sum(weights, axis=1, keepdims=True), dtype)


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
