import numpy as np
import pytest

from sflowgan_tf.evaluation.metrics.diversity import diversity
from sflowgan_tf.evaluation.metrics.paired import perceptual_distance
from sflowgan_tf.networks.vgg import VGG19Features


@pytest.fixture(scope="module")
def vgg():
    network = VGG19Features("random", slices=2, filters=4)
    network.build((None, None, None, 3))
    return network


def noise(count, high=256):
    return np.random.default_rng(count).integers(0, high, (count, 16, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_is_the_mean_over_ordered_pairs(count, vgg):
    pictures = noise(count)
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b]
    expected = np.mean([perceptual_distance(pictures[a], pictures[b], vgg) for a, b in pairs])
    assert diversity(pictures, vgg) == pytest.approx(expected, rel=1e-5)


def test_of_equal_variations(vgg):
    assert diversity(np.repeat(noise(1), 4, axis=0), vgg) == 0


def test_the_order_does_not_matter(vgg):
    pictures = noise(4)
    assert diversity(pictures[::-1], vgg) == pytest.approx(diversity(pictures, vgg), rel=1e-6)


def test_a_copy_lowers_it(vgg):
    pictures = noise(3)
    assert diversity(pictures[[0, 1, 1]], vgg) < diversity(pictures, vgg)


def test_a_single_variation(vgg):
    with pytest.raises(ValueError, match="variations: expected at least 2 of a scene, got 1"):
        diversity(noise(1), vgg)
