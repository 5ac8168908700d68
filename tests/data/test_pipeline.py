from dataclasses import replace

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.data import pipeline, records
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError

SIZE = (48, 32)  # width, height
SHARDS, IN_SHARD = 3, 4
FLOW = (3.0, -2.0)
SETTINGS = {
    "seed": 0,
    "epoch": 0,
    "batch_size": 1,
    "crop": None,
    "flip": True,
    "max_scale": 1.0,
    "shuffle_buffer": 512,
}


def frame(number, shift=(0, 0)):
    """A smooth picture whose labels and edges can be derived from it; shifted by whole pixels."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    x, y = x - shift[0], y - shift[1]
    waves = [np.sin(x / 7 + number), np.cos(y / 5 - number), np.sin((x + y) / 9)]
    image = ((np.stack(waves, -1) + 1) * 127).astype(np.uint8)
    return image, (image[..., 0] // 64).astype(np.uint8), (image[..., 1:2] > 127).astype(np.uint8)


def record(number):
    coded, images = [], []
    for shift in ((0, 0), FLOW):
        image, labels, edges = frame(number, shift)
        images.append(image)
        coded.append(records.code(labels, edges, image, instances=instances(labels)))
    if number % IN_SHARD == IN_SHARD - 1:
        return records.serialize(coded[:1], None, None, sequence="s", frame=number)
    flow = np.broadcast_to(np.float32(FLOW), (SIZE[1], SIZE[0], 2))
    motion = 2 * flow, np.ones(flow.shape[:2], bool)
    return records.serialize(coded, flow, motion, sequence="s", frame=number)


def instances(labels):
    """Numbers beyond 8 bits, 0 among them."""
    return labels.astype(np.uint16) * 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("records")
    for shard in range(SHARDS):
        with tf.io.TFRecordWriter(str(path / f"train-{shard}.tfrecord")) as writer:
            for i in range(IN_SHARD):
                writer.write(record(shard * IN_SHARD + i))
    return path


@pytest.fixture(scope="module")
def manifest():
    shards = [
        {"file": f"train-{i}.tfrecord", "records": IN_SHARD, "pairs": IN_SHARD - 1}
        for i in range(SHARDS)
    ]
    count = SHARDS * IN_SHARD
    train = Split(records=count, pairs=count - SHARDS, shards=shards, sequences=["s"])
    return Manifest(
        dataset="test",
        size=SIZE,
        classes=TABLES["synthia"],
        edges=EdgeSettings(),
        flow=Farneback(),
        seed=0,
        has_cg=False,
        has_instances=True,
        has_motion=True,
        splits={"train": train, "validation": Split(records=0, pairs=0, shards=[], sequences=[])},
        skipped=[],
    )


def batches(folder, manifest, **changes):
    return list(pipeline.training(folder, manifest, **(SETTINGS | changes)).as_numpy_iterator())


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def which(batch):
    """The number of each frame, told from its picture."""
    stored = [frame(i)[1] for i in range(SHARDS * IN_SHARD)]
    return [
        next(i for i, labels in enumerate(stored) if np.array_equal(labels, seen))
        for seen in batch["labels"]
    ]


def test_an_epoch_holds_every_frame_once_in_an_order_of_its_own(folder, manifest):
    orders = []
    for epoch in (0, 1):
        read = batches(folder, manifest, epoch=epoch, flip=False)
        orders.append([number for batch in read for number in which(batch)])
        assert sorted(orders[-1]) == list(range(SHARDS * IN_SHARD))
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_seed_and_epoch_decide_every_bit(folder, manifest):
    scaled = {"max_scale": 1.5, "crop": (32, 16)}
    first, again = (batches(folder, manifest, seed=3, epoch=2, **scaled) for _ in range(2))
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    other = batches(folder, manifest, seed=4, epoch=2, **scaled)
    assert not all(same(a, b) for a, b in zip(first, other, strict=True))


@given(skip=st.integers(0, 5))
@settings(max_examples=6)
def test_a_training_taken_up_again_sees_what_was_left(folder, manifest, skip):
    whole = batches(folder, manifest, batch_size=2, max_scale=1.3)
    rest = batches(folder, manifest, batch_size=2, max_scale=1.3, skip=skip)
    assert len(rest) == len(whole) - skip
    assert all(same(a, b) for a, b in zip(whole[skip:], rest, strict=True))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_instances_stay_with_their_labels(folder, manifest, length):
    how = {"max_scale": 1.5, "crop": (32, 16), "length": length, "batch_size": 2}
    read = batches(folder, manifest, instances=True, **how)
    assert all(same({"instances": instances(b["labels"])}, b) for b in read)
    assert all(batch["instances"].dtype == np.uint16 for batch in read)
    assert all(same(a, b) for a, b in zip(batches(folder, manifest, **how), read, strict=True))


def test_types_are_small_and_shapes_known(folder, manifest):
    spec = pipeline.training(folder, manifest, **(SETTINGS | {"batch_size": 2})).element_spec
    assert {name: (s.shape.as_list(), s.dtype.name) for name, s in spec.items()} == {
        "labels": ([2, 32, 48], "uint8"),
        "edges": ([2, 32, 48, 1], "uint8"),
        "image_real": ([2, 32, 48, 3], "uint8"),
    }


def test_pairs_leave_out_frames_without_successor(folder, manifest):
    read = batches(folder, manifest, length=2, flip=False)
    assert len(read) == pipeline.steps_per_epoch(manifest.splits["train"], 1, pair=True) == 9
    assert read[0]["labels"].shape == (1, 2, 32, 48)
    assert read[0]["flow_real"].shape == (1, 32, 48, 2)
    np.testing.assert_allclose(read[0]["flow_real"][0, 0, 0], FLOW, atol=1 / 128)


def test_clips_are_consecutive_frames_of_one_sequence(folder, manifest):
    """Three records with a successor make a clip of four frames, and each shard holds one."""
    read = batches(folder, manifest, length=4, flip=False)
    assert len(read) == 9, "as many as there are pairs"
    found = set()
    for batch in read:
        assert set(batch) == {"labels", "edges", "image_real"}
        labels, image = batch["labels"][0], batch["image_real"][0]
        (first,) = (n for n in range(SHARDS * IN_SHARD) if np.array_equal(frame(n)[1], labels[0]))
        for index in range(3):
            np.testing.assert_array_equal(labels[index], frame(first + index)[1])
            assert np.abs(image[index].astype(int) - frame(first + index)[0]).max() < 20
        np.testing.assert_array_equal(labels[3], frame(first + 2, FLOW)[1], "its successor")
        found.add(first)
    assert found == {0, 4, 8}


def test_clips_taken_up_again_are_what_was_left(folder, manifest):
    whole = batches(folder, manifest, length=3, max_scale=1.3)
    rest = batches(folder, manifest, length=3, max_scale=1.3, skip=4)
    assert len(rest) == len(whole) - 4
    assert all(same(a, b) for a, b in zip(whole[4:], rest, strict=True))


def test_too_short_sequences_for_clips_are_an_error(folder, manifest):
    with pytest.raises(UserError, match="5 consecutive frames"):
        batches(folder, manifest, length=5)


@pytest.mark.parametrize("in_dataset", [False, True])
@given(key=st.integers(0, 2**40), max_scale=st.sampled_from([1.0, 1.25, 2.0]), flip=st.booleans())
@settings(max_examples=15)
def test_augmented_pairs_still_warp_onto_each_other(in_dataset, key, max_scale, flip):
    contents = {"size": SIZE, "has_cg": False, "has_instances": False, "has_motion": False}
    parsed = records.parse(tf.constant(record(0)), **contents, pair=True)
    fields = {n: parsed[n] for n in ("labels", "edges", "image_real", "flow_real")}
    seed, crop = tf.constant([7, key], tf.int64), (40, 24)

    def augment(frames):
        return pipeline.augment(frames, seed, crop=crop, flip=flip, max_scale=max_scale)

    if in_dataset:
        augmented = next(iter(tf.data.Dataset.from_tensors(fields).map(augment)))
    else:
        augmented = augment(fields)
    augmented = {name: value.numpy() for name, value in augmented.items()}
    flow, (first, second) = augmented["flow_real"], augmented["image_real"].astype(np.float32)
    y, x = np.mgrid[0 : crop[1], 0 : crop[0]].astype(np.float32)
    there = x + flow[..., 0], y + flow[..., 1]
    warped = cv2.remap(second, *there, cv2.INTER_LINEAR)
    inside = (there[0] >= 0) & (there[0] < crop[0] - 1) & (there[1] >= 0) & (there[1] < crop[1] - 1)
    assert np.abs(warped - first)[inside].mean() < 4
    assert np.abs(second - first)[inside].mean() > 8, "the test would not see a wrong flow"
    # Labels and edges are still those of the picture, but for the width of a boundary.
    assert np.mean(augmented["labels"][0] == first[..., 0] // 64) > 0.9
    assert np.mean(augmented["edges"][0][..., 0] == (first[..., 1] > 127)) > 0.9


def test_half_of_the_examples_are_mirrored(folder, manifest):
    plain = {which(b)[0]: b for b in batches(folder, manifest, flip=False)}
    mirrored = 0
    for epoch in range(6):
        for batch in batches(folder, manifest, epoch=epoch):
            back = batch["labels"][:, :, ::-1]
            is_plain = any(same(batch, other) for other in plain.values())
            mirrored += not is_plain
            assert is_plain or any(np.array_equal(back, b["labels"]) for b in plain.values())
    assert 20 < mirrored < 52  # of 72


def test_a_batch_larger_than_the_records_is_an_error(manifest):
    with pytest.raises(UserError, match=r"batch_size=13: the training records hold 12 frames"):
        pipeline.steps_per_epoch(manifest.splits["train"], 13)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"crop": (64, 32)}, "larger than the records' 48x32"), ({"max_scale": 0.5}, "max_scale=0.5")],
)
def test_a_crop_that_does_not_fit_is_an_error(folder, manifest, change, said):
    with pytest.raises(UserError, match=said):
        pipeline.training(folder, manifest, **(SETTINGS | change))


def test_frames_are_evenly_spaced_and_have_edges_of_test_time(folder, manifest):
    chosen = pipeline.frames(folder, manifest, "train", 3)
    assert [int(f["frame"]) for f in chosen] == [0, 6, 11]  # 5.5 rounds to even
    assert len(pipeline.frames(folder, manifest, "train")) == 12
    np.testing.assert_array_equal(chosen[0]["edges_cg"], chosen[0]["edges"])


def test_every_frame_comes_in_its_order(folder, manifest):
    every = list(pipeline.every_frame(folder, manifest, "train"))
    assert [int(f["frame"]) for f in every] == list(range(SHARDS * IN_SHARD))
    assert every[0].keys() == pipeline.frames(folder, manifest, "train", 1)[0].keys()


def test_sequences_are_clips_of_frames_with_the_flow_to_the_next(folder, manifest):
    flows = {"flow_real", "motion", "motion_valid"}
    clips = [list(clip) for clip in pipeline.sequences(folder, manifest, "train")]
    assert [[int(f["frame"]) for f in clip] for clip in clips] == [
        [4 * shard + i for i in range(IN_SHARD)] for shard in range(SHARDS)
    ]
    for clip in clips:
        assert all(flows <= frame.keys() for frame in clip[:-1])
        assert not flows & clip[-1].keys()
        np.testing.assert_allclose(clip[0]["motion"][0, 0], 2 * np.float32(FLOW), atol=1 / 128)
    every = [frame for clip in clips for frame in clip]
    alone = list(pipeline.every_frame(folder, manifest, "train"))
    assert all(same(a, b) for a, b in zip(alone, every, strict=True))
    assert {"labels", "image_real", "image_cg", "edges", "edges_cg"} <= alone[0].keys()
    assert {"instances", "sequence", "frame"} <= alone[0].keys()


def test_what_is_left_of_a_clip_is_skipped(folder, manifest):
    firsts = [int(next(c)["frame"]) for c in pipeline.sequences(folder, manifest, "train")]
    assert firsts == [0, 4, 8]
    assert list(pipeline.sequences(folder, manifest, "validation")) == []


def test_the_device_gets_the_same_batches(folder, manifest):
    dataset = pipeline.training(folder, manifest, **SETTINGS)
    moved = pipeline.to_device(dataset)
    assert moved.options().autotune.enabled is False, "epochs would not end on a single core"
    on_device = [{n: v.numpy() for n, v in b.items()} for b in moved]
    assert all(same(a, b) for a, b in zip(batches(folder, manifest), on_device, strict=True))


def damaged(folder, tmp_path, change):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    shard = tmp_path / "train-1.tfrecord"
    shard.write_bytes(change(bytearray(shard.read_bytes())))
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-100],
        lambda content: content[:0],
        lambda content: content[:2000] + b"\x00" * 50 + content[2050:],
    ],
    ids=["truncated", "empty", "overwritten"],
)
def test_a_damaged_shard_is_named_with_its_record(folder, manifest, tmp_path, change):
    with pytest.raises(
        UserError, match=r"train-1\.tfrecord: record \d is damaged \(.*prepare again"
    ):
        pipeline.find_damage(damaged(folder, tmp_path, change), manifest)


def test_a_record_whose_picture_is_none_is_named(folder, manifest, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with tf.io.TFRecordWriter(str(tmp_path / "train-2.tfrecord")) as writer:
        for i in (0, 1):
            content = record(8 + i)
            writer.write(content.replace(b"\x89PNG", b"oops") if i else content)
    for read in (
        lambda: pipeline.find_damage(tmp_path, manifest),
        lambda: [*pipeline.every_frame(tmp_path, manifest, "train")],
        lambda: pipeline.frames(tmp_path, manifest, "train"),
        lambda: [[*clip] for clip in pipeline.sequences(tmp_path, manifest, "train")],
    ):
        with pytest.raises(UserError, match=r"train-2\.tfrecord: record 1 .* can't be decoded"):
            read()


def test_a_missing_shard_is_named(folder, manifest, tmp_path):
    (tmp_path / "train-0.tfrecord").write_bytes((folder / "train-0.tfrecord").read_bytes())
    with pytest.raises(UserError, match=r"train-1\.tfrecord: this shard is missing; run prepare"):
        pipeline.find_damage(tmp_path, manifest)


def test_whole_records_are_not_blamed(folder, manifest):
    assert pipeline.find_damage(folder, manifest) is None


@pytest.mark.parametrize("count", [2, 12])
def test_a_drive_is_the_first_consecutive_frames(folder, manifest, count):
    drive = pipeline.drive(folder, manifest, "train", count)
    assert [int(frame["frame"]) for frame in drive] == list(range(min(count, IN_SHARD)))
    assert drive[0]["image_real"].shape == (SIZE[1], SIZE[0], 3)


def test_a_drive_begins_where_a_frame_has_a_successor(tmp_path, manifest):
    with tf.io.TFRecordWriter(str(tmp_path / "train-0.tfrecord")) as writer:
        for number in (3, 4, 5, 7):  # 3 and 7 have none
            writer.write(record(number))
    split = manifest.splits["train"]
    shards = [{"file": "train-0.tfrecord", "records": 4, "pairs": 2}]
    few = replace(manifest, splits={"train": replace(split, shards=shards)})
    drive = pipeline.drive(tmp_path, few, "train", 12)
    assert [int(frame["frame"]) for frame in drive] == [4, 5, 7]
    clips = pipeline.sequences(tmp_path, few, "train")
    assert [[int(frame["frame"]) for frame in clip] for clip in clips] == [[3], [4, 5, 7]]


def test_without_consecutive_frames_there_is_no_drive(folder, manifest):
    assert pipeline.drive(folder, manifest, "validation", 2) == []
