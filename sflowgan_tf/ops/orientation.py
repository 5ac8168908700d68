"""Which way up a picture is, as its EXIF says. NumPy alone.

A camera that was held otherwise stores its pixels as they come and says in EXIF's orientation how
to turn them. Photos and label maps are turned so wherever files are read: `data.media.pictures`,
`device.pictures` and, in a graph, `deployment.orientation`.
"""

import re

import numpy as np

HEAD = 1 << 16  # bytes of a file in which EXIF is looked for
WINDOW = 4096  # bytes behind its beginning in which the orientation stands
MARKS = (b"Exif\0\0", b"eXIf")  # with which EXIF begins in a JPEG, and in a PNG
# The entry, tag 0x0112, one number of 16 bits, in both byte orders; the number is what follows.
BIG_ENDIAN, LITTLE_ENDIAN = b"\x01\x12\0\x03\0\0\0\x01\0", b"\x12\x01\x03\0\x01\0\0\0"
_ENTRY = re.compile(b"(?:%s|%s)(.)" % tuple(map(re.escape, (BIG_ENDIAN, LITTLE_ENDIAN))), re.S)

TRANSPOSED = (5, 6, 7, 8)  # first rows and columns change places, then
MIRRORED = (2, 3, 6, 7)  # left and right, and
UPSIDE_DOWN = (3, 4, 7, 8)  # top and bottom


def orientation(content: bytes) -> int:
    """EXIF's orientation of a PNG or JPEG file, 1 to 8; 1, upright, where it says nothing."""
    head = content[:HEAD]
    starts = [start for start in map(head.find, MARKS) if start >= 0]
    if not starts:
        return 1
    entry = _ENTRY.search(head, min(starts), min(starts) + WINDOW)
    number = entry[1][0] if entry else 1
    return number if 1 <= number <= 8 else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels (height, width, ...) as stored, turned as `orientation` says."""
    if orientation in TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in UPSIDE_DOWN else 1)
    columns = slice(None, None, -1 if orientation in MIRRORED else 1)
    return np.ascontiguousarray(pixels[rows, columns])
