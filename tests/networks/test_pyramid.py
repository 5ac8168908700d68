import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.networks import blocks, pyramid


def test_what_is_far_away_joins_every_feature():
    layer = pyramid.PyramidPooling(16)
    x = np.random.default_rng(0).random((1, 12, 12, 3)).astype("float32")
    layer.build(x.shape)
    dotted = x.copy()
    dotted[0, 0, 0] += 5
    moved = np.abs(layer(dotted) - layer(x))[0].max(-1)
    assert moved.shape == (12, 12) and moved.min() > 0


@given(length=st.integers(1, 20), bins=st.sampled_from(pyramid.BINS))
@settings(max_examples=40)
def test_pooling_is_the_mean_of_regions(length, bins):
    x = np.random.default_rng(length).random((1, length, 7, 2)).astype("float32")
    pooled = np.asarray(pyramid.pool(x, bins))
    edges = [[(i * n // bins, -(-(i + 1) * n // bins)) for i in range(bins)] for n in (length, 7)]
    for i, (top, bottom) in enumerate(edges[0]):
        for j, (left, right) in enumerate(edges[1]):
            region = x[0, top:bottom, left:right].mean((0, 1))
            np.testing.assert_allclose(pooled[0, i, j], region, atol=1e-5)


def test_interpolation_is_numpys_along_each_axis():
    x = np.random.default_rng(0).random((1, 5, 4, 1)).astype("float32")
    rows, columns = np.array([-2.0, 0.0, 0.75, 3.5, 9.0]), np.array([0.25, 2.0, 3.0])
    got = np.asarray(pyramid.resize(x, [rows.astype("float32"), columns.astype("float32")]))
    tall = np.stack([np.interp(rows, range(5), x[0, :, j, 0]) for j in range(4)], axis=1)
    expected = np.stack([np.interp(columns, range(4), line) for line in tall])
    np.testing.assert_allclose(got[0, ..., 0], expected, atol=1e-6)


def test_the_pyramids_levels_are_enlarged_as_tensorflow_resizes():
    layer = pyramid.PyramidPooling(16)
    x = np.random.default_rng(0).random((1, 9, 14, 2)).astype("float32")
    layer.build(x.shape)
    pooled = [pyramid.pool(x, bins) for bins in pyramid.BINS]
    levels = [blocks.call_stack(*each) for each in zip(layer.branches, pooled, strict=True)]
    joined = tf.concat([x, *(tf.image.resize(level, (9, 14)) for level in levels)], axis=-1)
    np.testing.assert_allclose(layer(x), blocks.call_stack(layer.join, joined), atol=1e-5)
