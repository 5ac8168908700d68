"""The table and the sheet; what paints is tested elsewhere."""

import numpy as np
import pytest

from benchmarks import deployment


def way(name, level, seconds):
    pictures = [np.full((2, 4, 3), level, np.uint8)] * 2
    return deployment.Way(name, pictures.__getitem__, pictures, seconds)


def test_differences_have_no_sign_and_do_not_wrap_around():
    expected = [np.array([[[0, 200, 100, 7]]], np.uint8)]
    mean, largest = deployment.difference([np.array([[[4, 0, 100, 7]]], np.uint8)], expected)
    assert (mean, largest) == (51, 200)


def test_the_table_compares_with_its_first_way():
    ways = [way("run", 10, [0.3, 0.01, 0.02]), way("REST", 13, [0.03, 0.03, 0.5])]
    *_, first, other = deployment.table(ways)
    assert first == "| run |  |  | 20.0 | 1.00 |"
    assert other == "| REST | 3.0000 | 3 | 30.0 | 1.50 |"


def test_all_ways_take_turns():
    painted = []
    ways = [
        deployment.Way(name, lambda index, name=name: painted.append((name, index)))
        for name in ("a", "b")
    ]
    deployment.measure(ways, scenes=2, rounds=3)
    assert painted[:4] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert painted[4:] == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 0), ("b", 0)]
    assert [len(each.seconds) for each in ways] == [3, 3]


@pytest.mark.parametrize(("width", "times"), [(100, 3), (128, 2), (240, 1), (512, 1)])
def test_small_pictures_are_enlarged(width, times):
    picture = np.random.default_rng(0).integers(0, 256, (4, width, 3), np.uint8)
    large = deployment.enlarged(picture)
    assert large.shape == (4 * times, width * times, 3)
    assert np.array_equal(large[::times, ::times], picture)


def test_the_sheet_leaves_out_what_others_show():
    ways = [way(name, 10, []) for name in ("run", "TFLite fp32", "TFLite fp16", "PyTorch")]
    two = deployment.sheet(ways[::2])
    assert np.array_equal(deployment.sheet(ways), two)
