import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.kernel import KernelSums, kernel_distance, squared_mmd

rng = np.random.default_rng


def by_loops(a, b):
    """Binkowski et al.'s estimator, pair by pair."""

    def kernel(x, y):
        return (sum(p * q for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(x):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if i != j]
        return sum(kernel(x[i], x[j]) for i, j in pairs) / len(pairs)

    across = sum(kernel(x, y) for x in a for y in b) / (len(a) * len(b))
    return within(a) + within(b) - 2 * across


@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=30)
def test_equals_a_double_loop(n, m, features, seed):
    a, b = rng(seed).normal(size=(n, features)), rng(seed + 1).normal(1, 2, size=(m, features))
    assert squared_mmd(a, b) == pytest.approx(by_loops(a.tolist(), b.tolist()), rel=1e-9, abs=1e-9)


def test_by_hand():
    # k(1, 2) = 27, k(0, 3) = 1; across: k(1, 0), k(2, 0) = 1, k(1, 3) = 64, k(2, 3) = 343
    a, b = np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])
    assert squared_mmd(a, b) == 27 + 1 - 2 * (1 + 1 + 64 + 343) / 4


@given(st.lists(st.integers(0, 2), min_size=1, max_size=5), st.integers(0, 99))
@settings(max_examples=30)
def test_sums_of_units_give_the_distance_of_any_drawing(drawn, seed):
    units = [rng(seed + n).normal(size=(n + 2, 2, 3)) for n in range(3)]
    both = np.concatenate([units[i] for i in drawn])
    expected = squared_mmd(both[:, 0], both[:, 1])
    assert KernelSums(units)(drawn) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_sums_of_many_samples_are_those_of_few():
    """More samples than are multiplied at a time, in units that a block's end cuts."""
    units = [rng(n).normal(size=(count, 2, 3)) for n, count in enumerate((200, 1, 400, 77))]
    both = np.concatenate([units[i] for i in (0, 2, 2, 3)])
    expected = squared_mmd(both[:, 0], both[:, 1])
    assert KernelSums(units)((0, 2, 2, 3)) == pytest.approx(expected, rel=1e-9)


def test_is_unbiased():
    """0 in the mean over pairs of sets of one distribution, at any number of samples."""
    values = [
        squared_mmd(rng(seed).normal(size=(6, 3)), rng(seed + 1000).normal(size=(6, 3)))
        for seed in range(1000)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(1000)
    assert min(values) < 0


def test_subsets_average_to_the_whole_sets_distance():
    a, b = rng(0).normal(size=(60, 4)), rng(1).normal(0.5, 1, size=(50, 4))
    got = kernel_distance(a, b, subsets=400, seed=0)
    assert got.subset_size == 25
    assert abs(got.mean - squared_mmd(a, b)) < 4 * got.spread / np.sqrt(400)


def test_each_subset_holds_a_sample_once():
    """Of four samples the halves are pairs; all six distances between pairs are met."""
    a = np.array([[0.0], [1.0], [2.0], [3.0]])
    pairs = [a[[i, j]] for i in range(4) for j in range(i)]
    distances = {round(squared_mmd(x, y), 6) for x in pairs for y in pairs}
    for seed in range(60):
        got = kernel_distance(a, a, subsets=2, seed=seed)
        both = {round(got.mean + sign * got.spread / np.sqrt(2), 6) for sign in (1, -1)}
        assert both <= distances


def test_large_sets_are_compared_by_a_thousand():
    a, b = rng(0).normal(size=(2100, 2)), rng(1).normal(size=(2500, 2))
    got = kernel_distance(a, b, subsets=3, seed=0)
    assert got.subset_size == 1000
    assert abs(got.mean) < 0.02 and 0 < got.spread < 0.05


def test_the_seed_decides():
    a, b = rng(0).normal(size=(20, 4)), rng(1).normal(size=(20, 4))
    one, same, other = (kernel_distance(a, b, subsets=5, seed=seed) for seed in (3, 3, 4))
    assert one == same != other


def test_wrong_arguments():
    with pytest.raises(ValueError, match="expected at least 4 samples, got 3"):
        kernel_distance(np.zeros((3, 2)), np.zeros((9, 2)), subsets=2, seed=0)
    with pytest.raises(ValueError, match="expected as many features, got 2 and 3"):
        squared_mmd(np.zeros((4, 2)), np.zeros((4, 3)))


def test_a_subset_is_drawn_of_each_set_in_turn():
    """Of sets that are larger than what is multiplied at a time."""
    a, b = rng(0).normal(size=(601, 3)), rng(1).normal(0.3, 1, size=(300, 3))
    draw = rng(7)
    distances = [
        squared_mmd(*(x[draw.choice(len(x), 150, replace=False)] for x in (a, b))) for _ in range(5)
    ]
    found = kernel_distance(a, b, subsets=5, seed=7)
    assert found.mean == pytest.approx(np.mean(distances), rel=1e-9)
    assert found.spread == pytest.approx(np.std(distances, ddof=1), rel=1e-9)
