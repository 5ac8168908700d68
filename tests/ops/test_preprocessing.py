"""What a device computes with NumPy is what the networks were trained on, bit for bit."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import ops

from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.settings import EdgeSettings
from tests import places

FRAMES = arrays.arrays(
    np.uint8, st.tuples(st.just(1), st.integers(2, 9), st.integers(2, 9), st.just(3))
)


def same(function, *arguments):
    by_numpy, by_keras = function(*arguments, np), np.asarray(function(*arguments, ops))
    assert isinstance(by_numpy, np.ndarray) and by_numpy.dtype == by_keras.dtype
    np.testing.assert_array_equal(by_numpy, by_keras)
    return by_numpy


@given(FRAMES, st.floats(0, 2040), st.sampled_from([0.0, 0.4, 1.7]))
def test_edges(frames, threshold, blur):
    same(preprocessing.laplacian_edges, frames, EdgeSettings(threshold=threshold, blur=blur))


def test_labels():
    label_map = np.arange(256, dtype=np.uint8).reshape(8, 32)
    channels = same(preprocessing.one_hot, label_map, 5)
    assert channels.shape == (8, 32, 5) and channels.sum() == 5
    assert channels[0, :5].tolist() == np.eye(5).tolist()


def test_pixels_are_rounded_half_to_even_and_clipped():
    image = np.linspace(-1.1, 1.1, 2001, dtype=np.float32).reshape(1, 667, 3)
    pixels = same(preprocessing.to_uint8, image)
    assert pixels.dtype == np.uint8 and (pixels.min(), pixels.max()) == (0, 255)
    levels = np.array([0.5, 1.5, 2.5], np.float32) / np.float32(127.5) - 1
    assert (
        preprocessing.to_uint8(levels, np).tolist() == same(preprocessing.to_uint8, levels).tolist()
    )


def mean_colors(labels, image, num_classes, cell):
    """`region_colors` of one frame, pixel by pixel, from all pixels of its class."""
    height, width = labels.shape
    centres = [(np.arange(-(-size // cell)) + 0.5) * cell for size in labels.shape]
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    shares = [
        np.maximum(0, 1 - np.abs(np.clip(p[:, None], c[0], c[-1]) - c) / cell)  # flat outside
        for p, c in zip((y, x), centres, strict=True)
    ]
    kinds, colors = np.minimum(labels, num_classes), np.zeros((height, width, 3))
    rows, columns = np.arange(height) // cell, np.arange(width) // cell
    for row, column in np.ndindex(height, width):
        weights = np.outer(shares[0][row][rows], shares[1][column][columns])
        weights = weights * (kinds == kinds[row, column])
        colors[row, column] = np.tensordot(weights, image.astype(float), 2) / weights.sum()
    return colors


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(2, 7), st.integers(1, 11), st.integers(1, 11))
def test_region_colors_are_means_of_a_class_around_a_pixel(data, cell, height, width):
    labels = data.draw(arrays.arrays(np.uint8, (1, height, width), elements=st.integers(0, 4)))
    images = data.draw(arrays.arrays(np.uint8, (1, height, width, 3)))
    colors = same(preprocessing.region_colors, labels, images, 3, cell)
    assert colors.dtype == np.float32 and colors.shape == images.shape
    expected = mean_colors(labels[0], images[0], 3, cell)
    np.testing.assert_allclose(colors[0], expected, atol=1e-3)


def test_no_color_crosses_the_boundary_of_a_class_or_of_a_frame():
    labels = np.zeros((2, 9, 20), np.uint8)
    labels[:, 2:4, 5:7] = 1  # a lamp of four pixels
    labels[:, 7:] = 255
    paints = np.array([[40, 50, 60], [250, 0, 0], [7, 8, 9]], np.uint8)
    images = paints[np.minimum(labels, 2)]
    images[1] += 3
    colors = same(preprocessing.region_colors, labels, images, 2, 16)
    np.testing.assert_allclose(colors, images, atol=1e-4)


def test_colors_are_scaled_and_shifted_by_class_and_scene():
    labels = np.array([[[0, 1, 255]], [[0, 1, 2]]], np.uint8)
    colors = np.full((2, 1, 3, 3), 100, np.float32)
    scale = np.ones((2, 3, 3), np.float32) * np.array([0.5, 1, 2], np.float32)[:, None]
    shift = np.zeros((2, 3, 3), np.float32)
    shift[1, :, 2] = -150  # blue of the second scene
    changed = same(preprocessing.recolored, colors, labels, scale, shift)
    np.testing.assert_array_equal(changed[0, 0], [[50] * 3, [100] * 3, [200] * 3])
    np.testing.assert_array_equal(changed[1, 0], [[50, 50, 0], [100, 100, 0], [200, 200, 50]])


def test_neither_keras_nor_tensorflow_is_needed():
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras'):\n"
        "    sys.modules[name] = None\n"
        "import numpy as np\n"
        "from sflowgan_tf.ops import preprocessing, settings\n"
        "frame = np.zeros((1, 4, 4, 3), np.uint8)\n"
        "preprocessing.laplacian_edges(frame, settings.EdgeSettings(), np)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=places.ROOT)
