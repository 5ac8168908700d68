import struct
import zlib

import cv2
import numpy as np
import png
import pytest
from PIL import Image

from sflowgan_tf.data.media.pictures import (
    read_image,
    read_instances,
    read_labels,
    read_labels_and_instances,
)
from sflowgan_tf.ops.classes import VOID, table
from sflowgan_tf.utils.errors import UserError

CARLA = table("carla-0.9.14")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_label_maps_of_every_depth_hold_their_ids(tmp_path, bits):
    ids = np.random.default_rng(bits).integers(0, min(1 << bits, 29), (6, 13))
    with (tmp_path / "ids.png").open("wb") as file:
        png.Writer(13, 6, greyscale=True, bitdepth=bits).write(file, ids.tolist())
    labels = read_labels(tmp_path / "ids.png", CARLA)
    np.testing.assert_array_equal(labels, CARLA.encode(ids.astype(np.uint16)))


def test_grey_with_alpha_is_read_by_its_grey(tmp_path):
    ids = np.random.default_rng(0).integers(1, 19, (6, 13))
    pixels = np.stack([ids, np.full_like(ids, 200)], -1).reshape(6, -1)
    with (tmp_path / "ids.png").open("wb") as file:
        png.Writer(13, 6, greyscale=True, alpha=True).write(file, pixels.tolist())
    np.testing.assert_array_equal(read_labels(tmp_path / "ids.png", CARLA), ids - 1)


@pytest.mark.parametrize("name", ["carla-0.9.14", "cityscapes"])
def test_of_a_palette_the_indices_are_the_ids_whatever_its_colors(tmp_path, name):
    ids = np.random.default_rng(0).integers(7, 9, (6, 13)).astype(np.uint8)
    image = Image.fromarray(ids, mode="P")
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768).tolist())
    image.save(tmp_path / "ids.png")
    np.testing.assert_array_equal(
        read_labels(tmp_path / "ids.png", table(name)), table(name).encode(ids)
    )


def test_void_of_one_bit(tmp_path):
    with (tmp_path / "ids.png").open("wb") as file:
        png.Writer(2, 1, greyscale=True, bitdepth=1).write(file, [[0, 1]])
    assert read_labels(tmp_path / "ids.png", CARLA).tolist() == [[VOID, 0]]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_header_that_claims_too_much_is_a_line(tmp_path):
    header = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks)
    (tmp_path / "huge.png").write_bytes(content)
    for read in (read_image, lambda file: read_labels(file, CARLA)):
        with pytest.raises(UserError, match="huge.png: its header claims more pixels"):
            read(tmp_path / "huge.png")


def test_a_palette_that_has_no_colour_for_an_index_is_refused(tmp_path):
    """Such one Pillow writes where no palette was given: one bit is left of each id."""
    Image.fromarray(np.array([[1, 14], [11, 0]], np.uint8), "P").save(tmp_path / "ids.png")
    for known in (CARLA, table("synthia")):
        with pytest.raises(UserError, match="ids.png: its palette has 1 colours, but index 1"):
            read_labels(tmp_path / "ids.png", known)


def test_a_palettes_header_that_claims_too_much_is_a_line(tmp_path):
    with (tmp_path / "huge.png").open("wb") as file:
        png.Writer(2, 1, palette=[(0, 0, 0), (1, 1, 1)]).write(file, [[0, 1]])
    content = (tmp_path / "huge.png").read_bytes()
    header = struct.pack(">II", 40000, 40000) + content[24:29]
    (tmp_path / "huge.png").write_bytes(content[:8] + chunk(b"IHDR", header) + content[33:])
    with pytest.raises(UserError, match="huge.png: its header claims more pixels"):
        read_labels(tmp_path / "huge.png", CARLA)


def test_what_is_no_png_but_for_its_name(tmp_path):
    ok, content = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))
    assert ok
    (tmp_path / "ids.png").write_bytes(content.tobytes() + b"IEND\xaeB`\x82")
    with pytest.raises(UserError, match="ids.png: no PNG, but for its name"):
        read_labels(tmp_path / "ids.png", CARLA)


@pytest.mark.parametrize("channels", [3, 4])
def test_carlas_instance_numbers_lie_in_green_and_blue(tmp_path, channels):
    file = tmp_path / "a.png"
    pixels = np.zeros((2, 3, channels), np.uint8)
    pixels[..., :3] = (14, 44, 1)  # red holds the tag
    Image.fromarray(pixels).save(file)
    assert read_instances(file).tolist() == [[300] * 3] * 2


def test_instance_numbers_of_eight_bits_in_one_channel_are_refused(tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(file)
    with pytest.raises(UserError, match="a.png: has 8 bits; expected 16 bits of instance numbers"):
        read_instances(file)


def test_a_palette_in_another_order_than_the_tables_is_refused(tmp_path):
    """Index 1 is road by the table, but the palette paints it in the colour of cars."""
    carla = table("carla-0.9.14")
    image = Image.fromarray(np.ones((2, 3), np.uint8), "P")
    image.putpalette([0, 0, 0, *carla.colors[carla.names.index("car")]])
    image.save(tmp_path / "a.png")
    with pytest.raises(UserError, match="a.png: .*say which of the two it holds"):
        read_labels(tmp_path / "a.png", carla)


@pytest.fixture
def jpeg(tmp_path):
    """A file of a smooth picture."""
    y, x = np.mgrid[0:120, 0:160]
    picture = np.stack([x, y, (x + y) // 2], axis=-1).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=95)
    return tmp_path / "a.jpg"


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_jpeg_that_is_damaged_in_the_middle_is_refused(jpeg, place):
    content = bytearray(jpeg.read_bytes())
    start = int(place * len(content))
    content[start : start + 64] = bytes(64)
    jpeg.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.jpg: damaged"):
        read_image(jpeg)


def test_bytes_behind_a_jpeg_do_not_matter(jpeg):
    expected = read_image(jpeg)
    jpeg.write_bytes(jpeg.read_bytes() + b"a camera's own" * 50)
    np.testing.assert_array_equal(read_image(jpeg), expected)


def test_jpegs_are_read_as_opencv_reads_them(jpeg):
    np.testing.assert_array_equal(read_image(jpeg), cv2.imread(str(jpeg))[..., ::-1])


def test_a_grey_jpeg_is_a_photo_too(tmp_path):
    Image.fromarray(np.full((8, 9), 100, np.uint8)).save(tmp_path / "a.jpeg")
    assert (read_image(tmp_path / "a.jpeg") == 100).all()


def test_a_jpeg_whose_header_claims_too_much_is_a_line(jpeg):
    content = bytearray(jpeg.read_bytes())
    start = content.index(b"\xff\xc0") + 5  # height and width in the frame's header
    content[start : start + 4] = struct.pack(">HH", 40000, 40000)
    jpeg.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.jpg: its header claims more pixels"):
        read_image(jpeg)


@pytest.mark.parametrize(
    ("dtype", "channels", "name"),
    [
        (np.uint16, 3, "synthia"),
        (np.uint8, 3, "carla-0.9.14"),
        (np.uint8, 4, "carla-0.9.14"),
        (np.uint16, 1, "carla-0.9.14"),
    ],
)
def test_of_one_file_both_maps_are_those_of_two_readings(tmp_path, dtype, channels, name):
    file = tmp_path / "both.png"
    draw = np.random.default_rng(channels)
    pixels = draw.integers(0, 200, (6, 13, channels), dtype)
    pixels[..., 2 if channels > 1 else 0] = draw.integers(1, 12, (6, 13))  # ids, red for OpenCV
    cv2.imwrite(str(file), pixels)
    classes = table(name)
    labels, instances = read_labels_and_instances(file, classes)
    np.testing.assert_array_equal(labels, read_labels(file, classes))
    np.testing.assert_array_equal(instances, read_instances(file))
    assert (channels == 1) == (not instances.any())


@pytest.mark.parametrize(
    ("name", "reader"),
    [("both.png", read_instances), ("both.jpg", lambda file: read_labels(file, CARLA))],
)
def test_a_file_that_can_not_hold_both_is_refused_alike(tmp_path, name, reader):
    file = tmp_path / name
    Image.fromarray(np.full((4, 6), 7, np.uint8)).save(file)
    with pytest.raises(UserError) as alone:
        reader(file)
    with pytest.raises(UserError) as together:
        read_labels_and_instances(file, CARLA)
    assert str(together.value) == str(alone.value)
