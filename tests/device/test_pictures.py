import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from sflowgan_tf.device import png
from sflowgan_tf.utils.errors import UserError


def encoded(pixels, kind, filters):
    """A PNG whose lines have the given filters, by the specification's formulas."""
    step = pixels[0, 0].nbytes
    lines = pixels.astype(pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(len(pixels), -1)
    above, raw = np.zeros(lines.shape[1], int), b""
    for filter_type, line in zip(filters, lines.astype(int), strict=True):
        left, corner = (np.concatenate([np.zeros(step, int), x[:-step]]) for x in (line, above))
        guess = left + above - corner
        distances = np.abs(guess - np.stack([left, above, corner]))
        paeth = np.choose(distances.argmin(axis=0), [left, above, corner])
        predicted = [0 * line, left, above, (left + above) // 2, paeth][filter_type]
        raw += bytes([filter_type]) + ((line - predicted) % 256).astype(np.uint8).tobytes()
        above = line
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data
        content += struct.pack(">I", zlib.crc32(name + data))
    return content


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_every_filter_is_undone(tmp_path, kind, channels, dtype):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (10, 7, channels), dtype)
    (tmp_path / "a.png").write_bytes(encoded(pixels, kind, [0, 1, 2, 3, 4] * 2))
    read = png.read(tmp_path / "a.png")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, pixels[..., 0] if channels == 1 else pixels)
    with Image.open(tmp_path / "a.png") as image:  # the test's own encoder is right
        if dtype == np.uint8:
            np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def test_it_reads_what_opencv_writes_and_the_other_way(tmp_path):
    image = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (33, 20, 3), np.uint8), (5, 5), 2
    )
    cv2.imwrite(str(tmp_path / "a.png"), image)
    np.testing.assert_array_equal(png.read(tmp_path / "a.png"), image[..., ::-1])
    png.write(tmp_path / "b.png", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "b.png"))[..., ::-1], image)


def cut(content):
    return content[: len(content) // 2]


def one_bit_off(content):
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "damaged or truncated"),
        (one_bit_off, "damaged or truncated"),
        (lambda content: b"GIF89a" + content, "no PNG"),
    ],
)
def test_a_damaged_file_is_a_line(tmp_path, damage, said):
    image = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(damage(encoded(image, 2, [0] * 8)))
    with pytest.raises(UserError, match=rf"a\.png: {said}"):
        png.read(tmp_path / "a.png")


def test_what_is_not_read_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        png.read(tmp_path / "b.png")
    content = io.BytesIO()
    Image.new("P", (4, 4)).save(content, "png")
    (tmp_path / "p.png").write_bytes(content.getvalue())
    with pytest.raises(UserError, match="colour type 3 of 1 bits; expected grey, RGB or RGBA"):
        png.read(tmp_path / "p.png")
