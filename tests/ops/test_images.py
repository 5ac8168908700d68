import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.ops import images


@given(st.integers(0, 255))
def test_uint8_survives_the_way_there_and_back(value):
    assert int(images.to_uint8(images.to_signed(np.array([value], np.uint8)))[0]) == value


def test_the_range_is_minus_one_to_one_and_clipped():
    assert images.to_signed(np.array([0, 255], np.uint8)).numpy().tolist() == [-1.0, 1.0]
    assert images.to_uint8(np.array([-3.0, 3.0])).numpy().tolist() == [0, 255]


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 1))
def test_reduced_images_are_tensorflows_antialiased_ones(height, width, scale):
    image = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype("float32")
    size = [max(int(np.round(np.float32(scale) * side)), 1) for side in (height, width)]
    expected = tf.image.resize(image, size, "bilinear", antialias=True)
    np.testing.assert_allclose(images.reduced(image, scale), expected, atol=1e-4)


def test_half_a_line_of_pixels_by_hand():
    """Triangles of a half width of 2 pixels: 1, 3, 3, 1 eighths, cut at the border."""
    line = np.arange(8, dtype="float32").reshape(1, 1, 8, 1) ** 2
    expected = [(0 * 3 + 1 * 3 + 4) / 7, (1 + 4 * 3 + 9 * 3 + 16) / 8]
    np.testing.assert_allclose(images.reduced(line, 0.5)[0, 0, :2, 0], expected, rtol=1e-6)


def test_a_scale_of_one_leaves_images_as_they_are():
    image = np.ones((1, 2, 2, 3), "float32")
    assert images.reduced(image, 1.0) is image


@pytest.mark.parametrize("size", [(7, 9), (1, 5), (2, 2)])
def test_sharpened_images_are_opencvs_unsharp_masks(size):
    draw = np.random.default_rng(0)
    image = draw.uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    border = {"borderType": cv2.BORDER_REPLICATE}
    blurred = [cv2.sepFilter2D(each, -1, kernel, kernel, **border) for each in image]
    amounts = np.array([0.0, 1.5], np.float32).reshape(2, 1, 1, 1)
    expected = np.clip(image + amounts * (image - np.stack(blurred)), -1, 1)
    np.testing.assert_allclose(images.sharpened(image, amounts), expected, atol=1e-5)


def test_an_edge_gets_steeper_by_hand():
    """Beside the edge the blur is a quarter of the way to the other side."""
    line = np.array([-0.4, -0.4, 0.4, 0.4], np.float32).reshape(1, 1, 4, 1)
    sharp = images.sharpened(line, np.ones((1, 1, 1, 1), np.float32))
    np.testing.assert_allclose(np.ravel(sharp), [-0.4, -0.6, 0.6, 0.4], atol=1e-6)


def test_a_sheet_holds_every_picture_where_it_belongs():
    red = np.full((8, 60, 3), (255, 0, 0), np.uint8)
    half = np.full((8, 60, 1), 0.5, np.float32)
    sheet = images.contact_sheet([[red, half], [half, red]], ["one", "two"])
    assert sheet.shape[1] == 60 + 4 + 60
    assert (sheet[22:30, :60] == red).all()
    assert (sheet[34:42, 64:] == red).all()
    assert (sheet[22:30, 64:] == 128).all()
    assert (sheet[:22] < 255).any(), "no title was written"


def test_a_row_with_a_picture_missing_is_an_error():
    with pytest.raises(ValueError, match="expected 2 pictures"):
        images.contact_sheet([[np.zeros((8, 8, 3), np.uint8)]], ["one", "two"])
