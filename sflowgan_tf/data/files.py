"""Pictures on disk, read with errors that name the file."""
from pathlib import Path

import cv2
import numpy as np

from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import ClassTable

SUFFIXES = (".png", ".jpg", ".jpeg")
# What a whole file ends with. OpenCV fills up the missing half of a truncated one with grey.
_ENDS = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9"}


def read_image(file: Path) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a PNG or JPEG.

    Raises:
        UserError: it is missing, unreadable or truncated.
    """
    return cv2.cvtColor(_decode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_labels(file: Path, table: ClassTable) -> np.ndarray:
    """(height, width) uint8 class indices of a label map.

    Args:
        file: PNG with one channel of 8 or 16 bits, or with the channels that the table tells of.
        table: how its ids become indices.

    Raises:
        UserError: it is unreadable, has other channels or bits, or an id outside of the table.
    """
    raw = _decode(file, cv2.IMREAD_UNCHANGED)
    if raw.ndim == 3:
        raw = _red(raw, file, table)
    try:
        return table.encode(raw)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def _red(raw: np.ndarray, file: Path, table: ClassTable) -> np.ndarray:
    if table.channel is None:
        raise UserError(
            f"{file}: has {raw.shape[2]} channels; expected one with the class ids of "
            f"{table.name!r}. Is it a colour map made for people?"
        )
    if table.name.startswith("synthia") and raw.dtype != np.uint16:
        raise UserError(
            f"{file}: has {raw.shape[2]} channels of 8 bits; expected 16 bits, as SYNTHIA's "
            "GT/LABELS has (GT/COLOR is made for people)"
        )
    return raw[..., 2]  # OpenCV reads BGR


def _decode(file: Path, mode: int) -> np.ndarray:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    if not content.rstrip(b"\x00\r\n").endswith(_ENDS[file.suffix.lower()]):
        raise UserError(f"{file}: truncated or no {file.suffix[1:].upper()} file; copy it anew")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    if image is None:
        raise UserError(f"{file}: can't be decoded; expected a PNG or JPEG file")
    return image


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cuts the middle out to the aspect ratio of `size`, then resizes.

    Args:
        image: (height, width, 3) uint8 picture, or (height, width) uint8 label map, which is resized
            to the nearest pixel; a picture by area if it shrinks and bicubically if it grows.
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
