import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.frechet import (
    FrechetResampling,
    cautions,
    frechet_distance,
)
from tests import places

GOLDEN = np.load(places.GOLDEN)
rng = np.random.default_rng


def test_in_one_dimension_it_is_the_distance_of_means_and_deviations():
    # Means 1 and 4; standard deviations (unbiased) sqrt(2) and 2 sqrt(2).
    assert np.isclose(frechet_distance([[0], [2]], [[2], [6]]), 9 + 2)


def test_equal_sets():
    x = rng(0).normal(size=(20, 5))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-12)


def test_a_shift_costs_its_square():
    x = rng(0).normal(size=(20, 5))
    assert np.isclose(frechet_distance(x, x + 3), 5 * 9)


@pytest.mark.parametrize(("few", "rtol"), [("", 1e-9), ("few_", 1e-3)])
def test_equals_tensorflow_gan(few, rtol):
    # Where the covariances are singular, TF-GAN takes roots of rounding errors.
    distance = frechet_distance(GOLDEN[f"frechet_{few}a"], GOLDEN[f"frechet_{few}b"])
    np.testing.assert_allclose(distance, GOLDEN[f"frechet_{few}distance"], rtol=rtol)


def by_definition(a, b):
    """The formula, with roots of the covariances from decompositions of the features."""
    roots = [
        np.linalg.qr((x - x.mean(0)) / np.sqrt(len(x) - 1), mode="r").astype(np.float64)
        for x in (a, b)
    ]
    cross = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    means = np.sum((a.mean(0) - b.mean(0)) ** 2)
    return means + sum(np.sum(root**2) for root in roots) - 2 * cross


def whole(features):
    return features


def with_a_dead_channel(features):
    features[..., 3] = 7.0
    return features


def dead_in_one_set(features):
    features[:, :, 1, 3] = 7.0
    return features


def with_a_copy(features):
    features[..., 3] = 2 * features[..., 1]
    return features


def nearly_alike(features):
    features[..., 3] = features[..., 1] + 1e-7 * features[..., 3]
    return features


def of_scales_apart(features):
    return features * 10.0 ** -np.arange(features.shape[-1])


def far_from_the_origin(features):
    return features + 1000


@pytest.mark.parametrize(
    "change",
    [
        whole,
        with_a_dead_channel,
        dead_in_one_set,
        with_a_copy,
        nearly_alike,
        of_scales_apart,
        far_from_the_origin,
    ],
)
@pytest.mark.parametrize(("units", "frames", "features"), [(9, 8, 6), (5, 3, 40), (4, 5, 12)])
def test_resampled_units_have_the_distance_of_repeated_samples(change, units, frames, features):
    draw = rng(0)
    real = draw.normal(size=(units, frames, features))
    other = 0.8 * real + 0.5 * draw.normal(size=real.shape) + 0.2
    sides = change(np.stack([real, other], axis=2))
    resampling = FrechetResampling([*sides])
    for _ in range(20):
        drawn = draw.integers(units, size=units)
        both = np.concatenate(sides[drawn])
        expected = by_definition(both[:, 0], both[:, 1])
        assert resampling(drawn) == pytest.approx(expected, rel=1e-9)
        assert frechet_distance(both[:, 0], both[:, 1]) == pytest.approx(expected, rel=1e-9)


def test_resampled_sets_that_are_equal_are_no_distance_apart():
    same = rng(0).normal(size=(6, 9, 1, 5)).repeat(2, axis=2)
    assert FrechetResampling([*same])([0, 0, 3, 5]) == pytest.approx(0, abs=1e-12)


def test_equals_the_matrix_square_root():
    a, b = rng(0).normal(size=(50, 4)), rng(1).normal(1, 2, size=(60, 4))
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(
        cov_a + cov_b - 2 * scipy.linalg.sqrtm(cov_a @ cov_b).real
    )
    assert np.isclose(frechet_distance(a, b), expected)


def gaussian(seed, mean, covariance, samples=40):
    """Features whose mean and unbiased covariance are exactly these."""
    white = rng(seed).normal(size=(samples, len(mean)))
    white -= white.mean(0)
    white = np.linalg.qr(white)[0] * np.sqrt(samples - 1)
    values, vectors = np.linalg.eigh(covariance)
    return mean + white * np.sqrt(np.maximum(values, 0)) @ vectors.T


@given(st.integers(0, 99))
@settings(max_examples=25)
def test_closed_form_of_gaussians_with_common_axes(seed):
    """|difference of means|^2 + sum of squared differences of deviations along the axes.

    Some deviations are 0, so that both covariances are singular.
    """
    draw = rng(seed)
    axes = np.linalg.qr(draw.normal(size=(5, 5)))[0]
    means = draw.normal(size=(2, 5))
    deviations = draw.uniform(0, 3, size=(2, 5)) * (draw.random((2, 5)) < 0.7)
    a, b = (
        gaussian(seed + i, means[i], axes @ np.diag(deviations[i] ** 2) @ axes.T) for i in (0, 1)
    )
    expected = np.sum((means[0] - means[1]) ** 2) + np.sum((deviations[0] - deviations[1]) ** 2)
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-6)


def test_closed_form_of_gaussians_in_two_dimensions():
    """tr (C_a C_b)^(1/2) = sqrt(tr C_a C_b + 2 sqrt(det C_a C_b)) for 2 x 2 matrices."""
    cov_a, cov_b = np.array([[2, 0.7], [0.7, 1]]), np.array([[1, -0.5], [-0.5, 3]])
    a, b = gaussian(0, np.zeros(2), cov_a), gaussian(1, np.array([1, 2]), cov_b)
    product = cov_a @ cov_b
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    assert frechet_distance(a, b) == pytest.approx(5 + 3 + 4 - 2 * root, rel=1e-9)


def test_singular_covariances():
    """Two samples in 2048 dimensions, and a feature that never changes."""
    a, b = rng(0).normal(size=(2, 2048)), rng(1).normal(size=(3, 2048))
    a[:, 0] = b[:, 0] = 1
    assert np.isfinite(frechet_distance(a, b))
    assert frechet_distance(np.ones((4, 3)), np.ones((5, 3))) == 0


@pytest.mark.parametrize(
    ("samples", "dimension", "said"),
    [
        (2049, 2048, []),
        (2048, 128, []),
        (2048, 2048, ["2048 samples of 2048 features: the covariance is singular"]),
        (2047, 128, ["2047 samples, fewer than 2048: the distance is biased upwards"]),
        (300, 2048, ["300 samples of 2048 features", "300 samples, fewer than 2048"]),
    ],
)
def test_cautions(samples, dimension, said):
    sentences = cautions(samples, dimension)
    assert len(sentences) == len(said)
    assert all(text.startswith(start) for text, start in zip(sentences, said, strict=True))


def test_the_covariance_is_singular_up_to_as_many_samples_as_features():
    for samples in (4, 5, 6):
        covariance = np.cov(rng(0).normal(size=(samples, 5)).T)
        assert (np.linalg.matrix_rank(covariance) < 5) == (len(cautions(samples, 5)) == 2)


@settings(max_examples=25)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 6), st.integers(0, 99))
def test_is_symmetric_and_not_negative(n, m, features, seed):
    a, b = rng(seed).normal(size=(n, features)), rng(seed + 1).normal(size=(m, features))
    assert frechet_distance(a, b) >= 0
    assert np.isclose(frechet_distance(a, b), frechet_distance(b, a), atol=1e-9)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.zeros((1, 3)), r"activations_a: expected .*at least 2 samples, got shape \(1, 3\)"),
        (np.zeros(3), r"activations_a: expected \(samples, features\)"),
        (np.full((2, 3), np.nan), "activations_a: expected finite numbers"),
        (np.zeros((2, 4)), "as many features, got 4 and 3"),
    ],
)
def test_wrong_arguments(a, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(a, np.zeros((2, 3)))
