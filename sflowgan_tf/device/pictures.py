"""PNG files read and written with NumPy and pypng alone, for devices without OpenCV.

Everywhere else `data.media.pictures` reads pictures; it is faster and knows more formats.
"""

import zlib
from pathlib import Path

import numpy as np
import png

from sflowgan_tf.ops.orientation import orientation, upright
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole


def read(file: Path) -> np.ndarray:
    """The pixels of a PNG: what simulators and cameras write.

    Args:
        file: grey, RGB or RGBA of 8 or 16 bits.

    Returns:
        (height, width) for grey, else (height, width, 3 or 4); uint8 or uint16, the values as they
        stand in the file, turned as its EXIF says.

    Raises:
        UserError: it is missing, damaged, no PNG, or of another kind.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    if not content.startswith(png.signature):
        raise UserError(f"{file}: no PNG; convert it to one")
    try:
        width, height, rows, header = png.Reader(bytes=content).read()
        _check(file, header)
        dtype = np.uint16 if header["bitdepth"] == 16 else np.uint8
        pixels = np.frombuffer(b"".join(rows), dtype).reshape(height, width, header["planes"])
    except (png.Error, zlib.error, ValueError, IndexError, AttributeError):
        # AttributeError: pypng's, where the header is missing
        raise UserError(f"{file}: damaged or truncated; copy it anew") from None
    turned = upright(pixels, orientation(content))
    return turned[..., 0] if header["planes"] == 1 else turned


def write(file: Path, image: np.ndarray) -> None:
    """Writes (height, width, 3) uint8 RGB, whole or not at all.

    Raises:
        Failure: the disk refuses.
    """
    height, width, _ = image.shape
    writer = png.Writer(width, height, greyscale=False)
    with writing(file), written_whole(file) as partial, partial.open("wb") as stream:
        writer.write(stream, image.reshape(height, -1))


def _check(file: Path, header: dict) -> None:
    colors = {1: "grey" if header["greyscale"] else "a palette", 2: "grey with alpha"}
    kind = colors.get(header["planes"], "colours")
    if header["bitdepth"] not in (8, 16) or kind in ("a palette", "grey with alpha"):
        raise UserError(
            f"{file}: {kind} of {header['bitdepth']} bits; expected grey, RGB or RGBA of 8 or 16 "
            "bits"
        )
