import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from sflowgan_tf.device import pictures
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
    read = pictures.read(tmp_path / "a.png")
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
    np.testing.assert_array_equal(pictures.read(tmp_path / "a.png"), image[..., ::-1])
    pictures.write(tmp_path / "b.png", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "b.png"))[..., ::-1], image)


def cut(content):
    return content[: len(content) // 2]


def one_bit_off(content):
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


def without(name):
    """The file without its chunks of a name, all sums still right."""

    def damage(content):
        place, rest = 8, content[:8]
        while place < len(content):
            end = place + 12 + int.from_bytes(content[place : place + 4], "big")
            if content[place + 4 : place + 8] != name:
                rest += content[place:end]
            place = end
        return rest

    return damage


def too_few_lines(content):
    """A header that tells of one line more than there are."""
    header = content[12:29]
    taller = header[:8] + (int.from_bytes(header[8:12], "big") + 1).to_bytes(4, "big") + header[12:]
    return content[:12] + taller + zlib.crc32(taller).to_bytes(4, "big") + content[33:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "damaged or truncated"),
        (one_bit_off, "damaged or truncated"),
        (without(b"IHDR"), "damaged or truncated"),
        (without(b"IDAT"), "damaged or truncated"),
        (without(b"IEND"), "damaged or truncated"),
        (too_few_lines, "damaged or truncated"),
        (lambda content: b"GIF89a" + content, "no PNG"),
        (lambda content: b"", "no PNG"),
    ],
    ids=range(8),
)
def test_a_damaged_file_is_a_line(tmp_path, damage, said):
    image = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(damage(encoded(image, 2, [0] * 8)))
    with pytest.raises(UserError, match=rf"a\.png: {said}"):
        pictures.read(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("mode", "said"),
    [("P", "a palette of 1 bits"), ("1", "grey of 1 bits"), ("LA", "grey with alpha of 8 bits")],
)
def test_another_kind_is_named(tmp_path, mode, said):
    Image.new(mode, (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=rf"a\.png: {said}; expected grey, RGB or RGBA of 8 or 16"):
        pictures.read(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"b\.png: no such file"):
        pictures.read(tmp_path / "b.png")


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(Exception, match="Expected 12 values"):
        pictures.write(tmp_path / "a.png", np.zeros((4, 4, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []
