from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Split
from sflowgan_tf.training.assembly.palettes import palette
from tests.manifests import manifest_of

LEVELS = [10, 200, 10, 90, 10, 200, 10]


@pytest.fixture
def records(monkeypatch):
    """Real frames of one class and one level each, simulator's frames five levels brighter."""
    frames = [
        {
            "labels": tf.zeros((2, 2), tf.uint8),
            "image_real": tf.fill((2, 2, 3), tf.constant(level, tf.uint8)),
            "image_cg": tf.fill((2, 2, 3), tf.constant(level + 5, tf.uint8)),
        }
        for level in LEVELS
    ]
    monkeypatch.setattr(pipeline, "evenly_spaced", lambda *_: iter(frames))
    return Split(records=len(frames), pairs=0, shards=[], sequences=["a"])


@pytest.mark.parametrize("has_cg", [True, False])
def test_colours_of_few_kinds_are_clusters_by_their_number(records, has_cg):
    """Of seven frames, four have one level and two another."""
    manifest = manifest_of(has_cg=has_cg, splits={"train": records})
    measured = palette(Path(), manifest, seed=0)
    assert measured.clusters[:, 0, 0].tolist() == [10, 200, 90, 10, 200, 90, 10, 200]
    assert np.isnan(measured.clusters[:, 1:]).all()
    assert sorted(measured.frames[:, 0, 0]) == sorted(LEVELS)
    np.testing.assert_allclose(measured.real.mean[0], np.mean(LEVELS), rtol=1e-6)
    np.testing.assert_allclose(measured.real.spread[0], np.std(LEVELS), rtol=1e-6)
    assert (measured.simulator is not None) == has_cg
    if measured.simulator is not None:
        np.testing.assert_allclose(measured.simulator.mean[0], np.mean(LEVELS) + 5, rtol=1e-6)


def test_clusters_are_kinds_of_light_that_all_classes_share(monkeypatch):
    """By day the road is bright and the sky too, at night both are dark; no frame mixes them."""
    day, night = (150, 220), (20, 40)
    frames = [
        {
            "labels": tf.constant([[0, 0], [1, 1]], tf.uint8),
            "image_real": tf.constant([[[level] * 3] * 2 for level in levels], tf.uint8),
            "image_cg": tf.zeros((2, 2, 3), tf.uint8),
        }
        for levels in (day, day, night, day, night)
    ]
    monkeypatch.setattr(pipeline, "evenly_spaced", lambda *_: iter(frames))
    split = Split(records=len(frames), pairs=0, shards=[], sequences=["a"])
    measured = palette(Path(), manifest_of(has_cg=False, splits={"train": split}), seed=0)
    assert [tuple(kind[:2, 0]) for kind in measured.clusters[:3]] == [day, night, day]
