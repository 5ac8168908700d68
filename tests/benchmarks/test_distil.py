"""What the small DNED learns from: crops of pictures with the teacher's maps."""

import numpy as np

from benchmarks import distil


def example(height, width):
    """A picture and maps that say where each pixel lies."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, rows], -1), np.stack([rows, columns, *[rows] * 4], -1)


def test_crops_keep_pictures_and_maps_together_and_leave_out_inner_edges():
    height, width = distil.CROP
    pairs = [example(height + 40, width + 60), example(height, width + 90)]
    mirrored = 0
    data = distil.batches(pairs, batch_size=20, seed=0)
    for picture, maps, counts in zip(*next(data), strict=True):
        np.testing.assert_array_equal(picture[..., :2], maps[..., :2])
        rows, columns = picture[:, 0, 0].astype(int), picture[0, :, 1].astype(int)
        mirrored += columns[0] > columns[-1]
        assert counts.shape == (height, width, 1) and set(np.unique(counts)) <= {0, 1}
        last = pairs[1 if rows[0] == 0 else 0][0].shape
        inner = counts[:, width // 2, 0] == 0
        assert inner[: distil.MARGIN].all() == (rows[0] > 0)
        assert not inner[distil.MARGIN : -distil.MARGIN].any()
        if rows[0] > 0:
            assert inner[-distil.MARGIN :].all() == (rows[-1] < last[0] - 1)
    assert 0 < mirrored < 20


def test_the_same_seed_gives_the_same_crops():
    pairs = [example(distil.CROP[0] + 9, distil.CROP[1] + 9)]
    one, same, other = (next(distil.batches(pairs, 4, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one[0], same[0])
    assert not np.array_equal(one[0], other[0])


def test_equal_maps_agree_and_others_do_not():
    maps = np.random.default_rng(0).random((2, 8, 9, 6))
    for row in distil.table(maps, maps):
        assert row.split(" | ")[1:4] == ["0.0000", "1.000", "1.000"]
    opposite = next(distil.table(1 - maps, maps)).split(" | ")
    assert opposite[0] == "| side 1" and opposite[2:4] == ["-1.000", "0.000"]
