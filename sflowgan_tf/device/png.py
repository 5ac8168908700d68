"""PNG files read and written with NumPy and the standard library alone, for devices without OpenCV.

It takes what simulators and cameras write: grey, RGB and RGBA of 8 or 16 bits, not interlaced.
Everywhere else `data.media.pictures` reads pictures; it is faster and knows more formats.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 6: 4}  # of the colour types grey, RGB, RGBA


def read(file: Path) -> np.ndarray:
    """The pixels of a PNG.

    Returns:
        (height, width) or (height, width, 3 or 4), uint8 or uint16.

    Raises:
        UserError: it is missing, damaged, no PNG, or of a kind that is not read here.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    if not content.startswith(_SIGNATURE):
        raise UserError(f"{file}: no PNG; convert it to one")
    try:
        chunks = list(_chunks(content))
        width, height, bits, kind = _header(chunks, file)
        raw = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
        channels = _CHANNELS[kind]
        lines = np.frombuffer(raw, np.uint8).reshape(height, -1)
        pixels = _unfiltered(lines, channels * bits // 8)
        pixels = pixels.view(">u2").astype(np.uint16) if bits == 16 else pixels
        shape = (height, width) if channels == 1 else (height, width, channels)
        return pixels.reshape(shape)
    except (zlib.error, struct.error, ValueError, IndexError):
        raise UserError(f"{file}: damaged or truncated; copy it anew") from None


def write(file: Path, image: np.ndarray) -> None:
    """Writes (height, width, 3) uint8 RGB, whole or not at all."""
    height, width, _ = image.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    lines[:, 0] = 1  # each line begins with its filter: the difference to the pixel on the left
    lines[:, 1:] = np.diff(image, axis=1, prepend=np.uint8(0)).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    with written_whole(file) as partial, partial.open("wb") as stream:
        stream.write(_SIGNATURE)
        for name, data in chunks:
            check = zlib.crc32(name + data)
            stream.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", check))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each chunk; ValueError where the end is missing or a sum is wrong."""
    place, name = len(_SIGNATURE), b""
    while name != b"IEND":
        (length,) = struct.unpack_from(">I", content, place)
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", content, place + 8 + length)
        if check != zlib.crc32(name + data):
            raise ValueError
        yield name, data
        place += 12 + length


def _header(chunks: list[tuple[bytes, bytes]], file: Path) -> tuple[int, int, int, int]:
    """Width, height, bits and colour type; UserError where not read here."""
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if kind not in _CHANNELS or bits not in (8, 16) or interlaced:
        raise UserError(
            f"{file}: colour type {kind} of {bits} bits{', interlaced' if interlaced else ''}; "
            "expected grey, RGB or RGBA of 8 or 16 bits, not interlaced"
        )
    return width, height, bits, kind


def _unfiltered(lines: np.ndarray, step: int) -> np.ndarray:
    """(height, bytes of a line) uint8 of lines that begin with their filter.

    Args:
        lines: (height, 1 + bytes of a line) uint8.
        step: bytes of a pixel.
    """
    result = np.zeros((len(lines), lines.shape[1] - 1), np.uint8)
    above = np.zeros(lines.shape[1] - 1, np.uint8)
    for index, (kind, line) in enumerate(zip(lines[:, 0], lines[:, 1:], strict=True)):
        if kind == 0:
            above = line
        elif kind == 1:
            above = np.cumsum(line.reshape(-1, step), axis=0, dtype=np.uint8).ravel()
        elif kind == 2:
            above = line + above
        elif kind in (3, 4):
            above = _by_neighbours(line, above, step, is_paeth=kind == 4)
        else:
            raise ValueError
        result[index] = above
    return result


def _by_neighbours(line: np.ndarray, above: np.ndarray, step: int, *, is_paeth: bool) -> np.ndarray:
    """A line that was predicted from its left and its upper neighbours, byte by byte."""
    up, found = above.tolist(), [0] * step
    corners = [0] * step + up
    for value, top, corner in zip(line.tolist(), up, corners, strict=False):
        left = found[-step]
        if is_paeth:
            guess = left + top - corner
            near = min((left, top, corner), key=lambda one: abs(guess - one))  # noqa: B023
        else:
            near = (left + top) // 2
        found.append((value + near) & 255)
    return np.array(found[step:], np.uint8)
