import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.paired import l1, paired_scores, perceptual_distance, psnr, ssim
from sflowgan_tf.networks.vgg import VGG19Features


def noise(seed, size=(24, 32), low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (*size, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vgg():
    network = VGG19Features("random", slices=3, filters=4)
    network.build((None, None, None, 3))
    return network


def ssim_of_scipy(a, b):
    """Wang et al., eq. 13, with SciPy's Gaussian; one channel."""
    a, b = np.float64(a), np.float64(b)

    def local(x):
        return scipy.ndimage.gaussian_filter(x, 1.5, radius=5)[5:-5, 5:-5]

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    covariance = local(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (index / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean()


def test_l1_by_hand():
    a = np.zeros((1, 2, 3), np.uint8)
    b = np.array([[[255, 0, 0], [0, 51, 0]]], np.uint8)
    assert l1(a, b) == l1(b, a) == pytest.approx((1 + 0.2) / 6)


def test_psnr_by_hand():
    black = np.zeros((2, 2, 3), np.uint8)
    assert psnr(black, black + 255) == 0
    assert psnr(black, black + 1) == pytest.approx(48.1308, abs=1e-4)  # 20 log10 255
    # one of 12 values differs by 12 levels: the mean square is 12
    spot = black.copy()
    spot[0, 0, 0] = 12
    assert psnr(spot, black) == pytest.approx(10 * np.log10(255**2 / 12))


def test_psnr_of_equal_pictures_is_that_of_rounding():
    picture = noise(0)
    almost = picture.copy()
    almost[0, 0, 0] ^= 1
    limit = 10 * np.log10(255**2 * 12)
    assert psnr(picture, picture) == psnr(almost, picture) == pytest.approx(limit)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1])
@pytest.mark.parametrize("size", [(24, 32), (11, 40)])
def test_ssim_equals_scipys_gaussians(size, strength):
    a = scipy.ndimage.gaussian_filter(noise(0, size), (2, 2, 0))
    b = np.uint8((1 - strength) * a + strength * noise(1, size))
    expected = np.mean([ssim_of_scipy(a[..., c], b[..., c]) for c in range(3)])
    assert ssim(a, b) == pytest.approx(expected, abs=1e-4)


def test_perceptual_distance_by_loops(vgg):
    a, b = noise(0), noise(1, high=100)
    features = [[np.asarray(x) for x in vgg(p[None] / np.float32(127.5) - 1)] for p in (a, b)]
    slices = [np.abs(x - y).mean() / np.abs(x).mean() for x, y in zip(*features, strict=True)]
    assert len(slices) == 3
    assert perceptual_distance(b, a, vgg) == pytest.approx(np.mean(slices), rel=1e-5)


def test_perceptual_distance_grows_with_the_difference(vgg):
    real = noise(0)
    distances = [
        perceptual_distance(np.uint8((1 - s) * real + s * noise(1)), real, vgg)
        for s in (0, 0.2, 0.5, 1)
    ]
    assert distances[0] == 0
    assert distances == sorted(distances)


@given(st.integers(0, 99))
@settings(max_examples=10)
def test_equal_pictures_score_best(seed):
    network = VGG19Features("random", slices=1, filters=2)
    network.build((None, None, None, 3))
    picture, other = noise(seed), noise(seed + 1)
    best, worse = (paired_scores(x, picture, network) for x in (picture, other))
    assert best == pytest.approx(
        {"l1": 0, "psnr": 10 * np.log10(255**2 * 12), "ssim": 1, "perceptual": 0}, abs=1e-6
    )
    assert worse["l1"] > 0.2 and worse["psnr"] < 12 and worse["ssim"] < 0.2
    assert worse["perceptual"] > 0.1


def test_all_scores_are_the_single_ones(vgg):
    a, b = noise(0), noise(1)
    assert paired_scores(a, b, vgg) == {
        "l1": l1(a, b),
        "psnr": psnr(a, b),
        "ssim": ssim(a, b),
        "perceptual": perceptual_distance(a, b, vgg),
    }


@pytest.mark.parametrize("score", [l1, psnr, ssim, lambda a, b: perceptual_distance(a, b, None)])
def test_shapes_that_differ(score):
    with pytest.raises(ValueError, match=r"expected equal shapes, got \(24, 32, 3\) and \(24, 31"):
        score(noise(0), noise(0, (24, 31)))


def test_pictures_too_small_for_ssims_window():
    small = noise(0, (10, 40))
    with pytest.raises(ValueError, match=r"expected sides of 11 or more, got \(10, 40\)"):
        ssim(small, small)
