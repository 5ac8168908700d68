"""What a device computes with NumPy is what the networks were trained on, bit for bit."""

import subprocess
import sys

import numpy as np
from hypothesis import given
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


@given(FRAMES, st.floats(0.01, 0.9), st.sampled_from([0.0, 0.4]))
def test_a_density_gives_the_strongest_pixels(frames, density, blur):
    edges = same(preprocessing.laplacian_edges, frames, EdgeSettings(density=density, blur=blur))
    assert edges.sum() <= density * edges.size
    limits = np.linspace(0, 2040, 40)
    by_limit = [
        preprocessing.laplacian_edges(frames, EdgeSettings(threshold=limit, blur=blur), np)
        for limit in limits
    ]
    denser = [map_ for map_ in by_limit if map_.sum() > edges.sum()]
    assert all((map_ >= edges).all() for map_ in denser)


def test_the_density_of_a_picture_without_ties_is_met():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 40, 50, 3), np.uint8)
    edges = same(preprocessing.laplacian_edges, frames, EdgeSettings(density=0.1))
    shares = edges.mean(axis=(1, 2, 3))
    assert (shares <= 0.1).all() and (shares > 0.095).all()
    darker = preprocessing.laplacian_edges(frames // 4 * 2, EdgeSettings(density=0.1), np)
    assert abs(darker - edges).mean() < 0.02, "the contrast of a frame must not matter"


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
