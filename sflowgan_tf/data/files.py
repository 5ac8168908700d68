"""Pictures on disk, read with errors that name the file."""

from pathlib import Path

import cv2
import numpy as np

from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import ClassTable

SUFFIXES = (".png", ".jpg", ".jpeg")
# What a whole file ends with. OpenCV fills up the missing half of a truncated one with grey.
_ENDS = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9"}
_TAIL = 4096  # bytes in which the end must be; some cameras append a few


def read_image(file: Path) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a PNG or JPEG.

    Raises:
        UserError: it is missing, unreadable or truncated.
    """
    return cv2.cvtColor(_decode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_labels(file: Path, table: ClassTable) -> np.ndarray:
    """(height, width) uint8 class indices of a label map.

    Args:
        file: PNG with one channel of ids, or with the channels and bits that the table tells of.
        table: how its ids become indices.

    Raises:
        UserError: it is unreadable, no PNG, has other channels or bits, or an id outside the table.
    """
    if file.suffix.lower() != ".png":
        raise UserError(f"{file}: label maps must be PNG; JPEG changes the class ids")
    raw = _decode(file, cv2.IMREAD_UNCHANGED)
    channels = "1 channel" if raw.ndim == 2 else f"{raw.shape[2]} channels"
    found = f"has {channels} of {8 * raw.itemsize} bits"
    if table.bits not in (None, 8 * raw.itemsize):
        raise UserError(
            f"{file}: {found}; class table {table.name!r} expects {table.bits} bits, as the raw "
            "label maps (GT/LABELS) have: was it converted, or is it a colour map (GT/COLOR)?"
        )
    if raw.ndim == 3 and table.channel is None:
        raise UserError(
            f"{file}: {found}; class table {table.name!r} expects one channel of class ids: is "
            "it a colour map made for people?"
        )
    try:
        return table.encode(raw if raw.ndim == 2 else raw[..., 2])  # red; OpenCV reads BGR
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def _decode(file: Path, mode: int) -> np.ndarray:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    if _ENDS[file.suffix.lower()] not in content[-_TAIL:]:
        raise UserError(f"{file}: truncated, or no {file.suffix[1:].upper()} at all; copy it anew")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    if image is None:
        raise UserError(f"{file}: can't be decoded; expected a PNG or JPEG file")
    return image


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cuts the middle out to the aspect ratio of `size`, then resizes.

    Args:
        image: (height, width, 3) uint8 picture, resized by area if it shrinks and bicubically if
            it grows; or (height, width) uint8 label map, resized to the nearest pixel.
        size: (width, height) of the result.
    """
    height, width = image.shape[:2]
    cut_width = min(width, round(height * size[0] / size[1]))
    cut_height = min(height, round(width * size[1] / size[0]))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    cut = image[top : top + cut_height, left : left + cut_width]
    if image.ndim == 2:
        return cv2.resize(cut, size, interpolation=cv2.INTER_NEAREST_EXACT)
    shrinks = size[0] <= cut_width
    return cv2.resize(cut, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
