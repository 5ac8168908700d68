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
    manifest = manifest_of(has_cg=has_cg, splits={"train": records})
    measured = palette(Path(), manifest, seed=0)
    assert measured.clusters[:, 0, 0].tolist() == [10, 200, 90, 10, 200, 90, 10, 200]
    assert np.isnan(measured.clusters[:, 1:]).all()
    np.testing.assert_allclose(measured.real.mean[0], np.mean(LEVELS), rtol=1e-6)
    np.testing.assert_allclose(measured.real.spread[0], np.std(LEVELS), rtol=1e-6)
    assert (measured.simulator is not None) == has_cg
    if measured.simulator is not None:
        np.testing.assert_allclose(measured.simulator.mean[0], np.mean(LEVELS) + 5, rtol=1e-6)
