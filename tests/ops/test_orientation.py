"""EXIF's orientation: one rule for files, devices and graphs, with Pillow as the oracle."""

import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sflowgan_tf.data.media.pictures import read_image, read_labels
from sflowgan_tf.deployment.request_checks import image_files
from sflowgan_tf.device import pictures
from sflowgan_tf.ops.classes import table
from sflowgan_tf.ops.orientation import orientation

ORIENTATIONS = range(1, 9)


def file_of(pixels, number, kind, byte_order="big"):
    """The bytes of a picture with an orientation, and its pixels as Pillow turns them."""
    exif = Image.Exif()
    exif.endian = {"big": ">", "little": "<"}[byte_order]
    exif[0x010F] = "a camera"
    exif[0x0112] = number
    stream = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    Image.fromarray(pixels).save(stream, kind, exif=exif, **options)
    turned = ImageOps.exif_transpose(Image.open(stream))
    return stream.getvalue(), np.asarray(turned)


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("byte_order", ["big", "little"])
@pytest.mark.parametrize("number", ORIENTATIONS)
def test_photos_are_upright_wherever_they_are_read(tmp_path, photo, number, kind, byte_order):
    content, expected = file_of(photo, number, kind, byte_order)
    assert orientation(content) == number
    file = tmp_path / f"a.{'png' if kind == 'PNG' else 'jpg'}"
    file.write_bytes(content)
    apart = 4 if kind == "JPEG" else 0  # levels on average, of decoders of noise
    in_graph = tf.function(image_files)(tf.constant([content]))[0].numpy()
    read = [read_image(file), in_graph]
    read += [pictures.read(file)] if kind == "PNG" else []
    for found in read:
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).mean() <= apart


@pytest.mark.parametrize("number", ORIENTATIONS)
def test_label_maps_are_turned_as_photos_are(tmp_path, number):
    carla = table("carla-0.9.14")
    ids = np.random.default_rng(0).integers(1, 20, (5, 7), np.uint8)
    content, turned = file_of(ids, number, "PNG")
    file = tmp_path / "a.png"
    file.write_bytes(content)
    np.testing.assert_array_equal(read_labels(file, carla), carla.encode(turned))


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=60)
def test_any_bytes_have_an_orientation(content, begins):
    marked = b"Exif\0\0" + content if begins else content
    assert orientation(marked) in ORIENTATIONS


def test_an_orientation_that_is_none_leaves_a_picture_as_it_is(tmp_path, photo):
    content, _ = file_of(photo, 6, "PNG")
    wrong = content.replace(b"\x01\x12\0\x03\0\0\0\x01\0\x06", b"\x01\x12\0\x03\0\0\0\x01\0\x63")
    assert wrong != content and orientation(wrong) == 1
