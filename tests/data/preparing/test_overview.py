"""What prepare says that it understood, and what is odd about it."""

import re

import numpy as np
import pytest
from PIL import Image

from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.data.preparing import overview
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.training import assembly
from tests.manifests import manifest_of
from tests.tiny import TINY


def described(table, pixels):
    """A manifest of training frames with so many pixels of each class."""
    names = [*table.names, "void"]
    counts = [pixels.get(name, 0) for name in names]
    splits = {
        part: Split(records=1, pairs=0, shards=[], sequences=["a"], class_pixels=found)
        for part, found in (("train", counts), ("validation", [0] * len(names)))
    }
    return manifest_of(splits=splits, classes=table)


def test_shares_are_of_all_pixels_and_void_is_last():
    shares = overview.shares(described(TABLES["cityscapes"], {"road": 30, "sky": 60, "void": 10}))
    assert list(shares)[-1] == "void" and len(shares) == 20
    assert [shares[name] for name in ("road", "sky", "void")] == [
        [0.3, None],
        [0.6, None],
        [0.1, None],
    ]


@pytest.mark.parametrize(
    ("table", "pixels", "said"),
    [
        ("cityscapes", {"road": 20, "void": 80}, "80% .* void.*table is cityscapes-trainids"),
        ("carla-0.9.14", {"road": 50, "traffic light": 50}, "50% .* 'traffic light'.*0.9.14"),
        ("synthia", {"sky": 100}, "no pixel is 'road'"),
        ("cityscapes", {"road": 40, "building": 30, "pole": 5, "void": 25}, None),
    ],
)
def test_shares_of_no_street_are_noticed(table, pixels, said):
    found = overview.oddities(described(TABLES[table], pixels))
    assert len(found) == (said is not None)
    assert said is None or re.search(said, found[0]), found


def test_without_counts_there_is_nothing_to_say():
    part = Split(records=1, pairs=0, shards=[], sequences=["a"])
    manifest = manifest_of(splits={"train": part, "validation": part})
    assert overview.shares(manifest) == {} and overview.oddities(manifest) == []


def test_the_overview_shows_a_frame_of_each_of_some_shards(tmp_path):
    manifest = assembly.raw_records(TINY, None, tmp_path, workers=1, skip_bad=False)
    counted = manifest.splits["train"].class_pixels
    assert sum(counted) == manifest.splits["train"].records * 64 * 32
    assert Manifest.load(tmp_path).splits["train"].class_pixels == counted
    every = np.sum([split.class_pixels for split in manifest.splits.values()], axis=0)
    assert every[:-1].all(), "minicity has all of its classes"
    with Image.open(tmp_path / overview.NAME) as sheet:
        assert sheet.size == (5 * 68 - 4, 22 + 36)  # one shard: one row of five pictures
