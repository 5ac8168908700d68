import pytest

from sflowgan_tf.data.manifest import Split
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.utils.errors import UserError
from tests.manifests import manifest_of


def reference(folder, records=12, pairs=9):
    files = ("validation-0.tfrecord", "validation-1.tfrecord")
    shards = [{"file": file, "records": 6, "pairs": 5} for file in files]
    split = Split(records=records, pairs=pairs, shards=shards, sequences=["a"])
    manifest = manifest_of(
        dataset="streets",
        size=(64, 32),
        classes=TABLES["cityscapes"],
        splits={"validation": split},
    )
    return Reference(folder=folder, manifest=manifest, split="validation")


def test_shards_are_read_once_for_their_hash(tmp_path):
    for number in (0, 1):
        (tmp_path / f"validation-{number}.tfrecord").write_bytes(bytes([number]) * 9)
    real = reference(tmp_path)
    first = real.sha256
    (tmp_path / "validation-0.tfrecord").write_bytes(b"others")
    assert real.sha256 == first
    assert real.description([])["sha256"] == first
    assert reference(tmp_path).sha256 != first


def test_a_clip_is_as_long_as_there_are_frames_without_a_successor(tmp_path):
    assert reference(tmp_path).clip_length == 12 // 3


def test_an_empty_split(tmp_path):
    with pytest.raises(UserError, match="its validation split is empty; choose another --split"):
        reference(tmp_path, records=0, pairs=0)
