import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.bootstrap import interval, units_of
from sflowgan_tf.evaluation.metrics.frechet import frechet_distance
from sflowgan_tf.evaluation.metrics.segmentation import Confusion

rng = np.random.default_rng


def mean(units):
    return float(np.concatenate(units).mean())


def frechet(units):
    """Of frames in pairs (frames, 2, features)."""
    pairs = np.concatenate(units)
    return frechet_distance(pairs[:, 0], pairs[:, 1])


def films(seed, sequences=8, frames=10, features=16):
    """Features of real frames and of generated ones that resemble them."""
    draw = rng(seed)
    real = draw.normal(size=(sequences, 1, features)) + draw.normal(
        size=(sequences, frames, features)
    )
    return np.stack([real, 0.8 * real + 0.5 * draw.normal(size=real.shape) + 0.2], axis=2)


def test_the_mean_of_many_frames_has_scipys_interval():
    x = rng(0).lognormal(size=(400, 1))
    got = interval(mean, units_of(x.T), samples=4000, seed=1)
    expected = scipy.stats.bootstrap(
        (x[:, 0],), np.mean, method="percentile", n_resamples=4000, rng=rng(2)
    ).confidence_interval
    width = expected.high - expected.low
    assert got.estimate == pytest.approx(x.mean())
    assert got.low == pytest.approx(expected.low, abs=0.05 * width)
    assert got.high == pytest.approx(expected.high, abs=0.05 * width)


def test_a_mean_of_few_normal_units_has_students_interval():
    # units at normal quantiles, so that the distribution of the draws' means is near normal
    x = scipy.stats.norm.ppf((np.arange(12) + 0.5) / 12)
    got = interval(mean, x[:, None], samples=5000, seed=0)
    half = scipy.stats.t.ppf(0.975, 11) * x.std(ddof=1) / np.sqrt(12)
    assert got.low == pytest.approx(-half, rel=0.08)
    assert got.high == pytest.approx(half, rel=0.08)


def test_drawn_by_hand():
    # two units of 0 and 1: half of the draws is mixed, a quarter each has two of a kind
    got = interval(mean, [[0.0], [1.0]], samples=500, seed=0)
    assert got.estimate == 0.5
    assert got.high - got.low == 1
    assert got.low == pytest.approx(0, abs=0.05)


@given(st.integers(0, 99))
@settings(max_examples=10)
def test_a_frechet_distance_lies_in_its_interval_as_it_would_not_in_the_plain_one(seed):
    units = units_of(films(seed))
    got = interval(frechet, units, samples=60, seed=seed)
    assert got.low < got.estimate < got.high
    draws = rng(seed).integers(len(units), size=(60, len(units)))
    plain = [frechet([units[i] for i in draw]) for draw in draws]
    assert np.mean(plain) > got.estimate


def test_a_frechet_distances_interval_holds_what_other_films_give():
    """The mean distance of as many frames, in most of the cases; the plain percentiles in few."""
    expected = np.mean([frechet([*films(seed)]) for seed in range(1000, 1100)])
    hits = plain = 0
    for seed in range(20):
        got = interval(frechet, [*films(seed)], samples=60, seed=0)
        hits += got.low <= expected <= got.high
        draws = rng(0).integers(8, size=(60, 8))
        values = [frechet([films(seed)[i] for i in draw]) for draw in draws]
        plain += np.quantile(values, 0.025) <= expected <= np.quantile(values, 0.975)
    assert hits >= 17
    assert plain < hits


def test_mean_iou_of_summed_confusions():
    """Sequences that are all alike leave nothing to chance."""
    frame = Confusion(2)
    frame.update(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))

    def mean_iou(units):
        whole = Confusion(2)
        whole.counts = np.concatenate(units).sum(0)
        return whole.scores(void_wrong=False).mean_iou

    got = interval(mean_iou, units_of([[frame.counts] * 3, [frame.counts]]), samples=50, seed=0)
    expected = (1 / 2 + 2 / 3) / 2
    assert (got.estimate, got.low, got.high) == pytest.approx((expected,) * 3)


def test_frames_of_a_sequence_are_drawn_together():
    """Sequences differ, their frames do not: twice the frames tell nothing new."""
    levels = rng(0).normal(size=(9, 1))
    few, many = (
        interval(mean, units_of(np.repeat(levels, frames, axis=1)), samples=200, seed=0)
        for frames in (2, 40)
    )
    assert (few.low, few.high) == pytest.approx((many.low, many.high))
    apart = interval(mean, units_of([np.repeat(levels, 40)]), samples=200, seed=0)
    assert apart.high - apart.low < 0.3 * (many.high - many.low)


def test_the_seed_decides():
    x = rng(0).normal(size=(10, 1))
    a, same, other = (interval(mean, x, samples=50, seed=seed) for seed in (3, 3, 4))
    assert a == same and a != other and a.estimate == other.estimate


@given(st.floats(-100, 100), st.floats(0.01, 100), st.integers(2, 30), st.integers(0, 99))
@settings(max_examples=25)
def test_follows_offset_and_unit(offset, scale, count, seed):
    x = rng(seed).normal(size=(count, 1))
    got = interval(mean, offset + scale * x, samples=40, seed=0)
    plain = interval(mean, x, samples=40, seed=0)
    for end in ("estimate", "low", "high"):
        expected = offset + scale * getattr(plain, end)
        assert getattr(got, end) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_units_of_several_sequences_are_these():
    sequences = [[1, 2, 3], [4]]
    assert units_of(sequences) == sequences
    assert units_of([[1, 2, 3]]) == [[1], [2], [3]]
    assert [unit.shape for unit in units_of([np.zeros((3, 2, 5))])] == [(1, 2, 5)] * 3


def test_a_single_unit():
    with pytest.raises(ValueError, match="units: expected at least 2 to draw from, got 1"):
        interval(mean, units_of([[0.5]]), samples=10, seed=0)
