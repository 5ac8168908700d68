from dataclasses import asdict

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.config import Flow
from sflowgan_tf.data import minicity, records
from sflowgan_tf.data.flow import decode_flow, dense_flow, encode_flow
from sflowgan_tf.data.manifest import NAME, Manifest, Split
from sflowgan_tf.errors import UserError
from sflowgan_tf.losses import flow_loss
from sflowgan_tf.ops import flow as differentiable
from sflowgan_tf.ops.labels import TABLES

SIZE = (24, 16)
FARNEBACK = asdict(Flow())


def frame(seed):
    """Smooth pictures, so that JPEG stays close, and labels and edges without any order."""
    draw = np.random.default_rng(seed)
    shape = (SIZE[1], SIZE[0])
    smooth = cv2.resize(draw.integers(0, 256, (3, 3, 3), dtype=np.uint8), SIZE)
    return {
        "labels": draw.choice([0, 5, 18, 255], shape).astype(np.uint8),
        "edges": draw.integers(0, 2, (*shape, 1), dtype=np.uint8),
        "image_real": smooth,
        "image_cg": smooth[::-1].copy(),
        "edges_cg": draw.integers(0, 2, (*shape, 1), dtype=np.uint8),
    }


def flow():
    return np.random.default_rng(3).uniform(-20, 20, (SIZE[1], SIZE[0], 2)).astype(np.float32)


def pair_record(has_cg=True):
    fields = [frame(seed) for seed in (0, 1)]
    if not has_cg:
        fields = [{k: v for k, v in f.items() if not k.endswith("cg")} for f in fields]
    return records.serialize(
        [records.code(**f) for f in fields], flow(), sequence="drive/é", frame=7
    )


def single_record():
    return records.serialize([records.code(**frame(0))], None, sequence="drive", frame=8)


def in_map(serialized, **how):
    dataset = tf.data.Dataset.from_tensors(serialized).map(lambda s: records.parse(s, **how))
    static = {name: spec.shape for name, spec in dataset.element_spec.items()}
    (parsed,) = dataset
    assert all(parsed[name].shape == shape for name, shape in static.items()), "shapes not static"
    return parsed


@pytest.mark.parametrize("parse", [records.parse, in_map], ids=["eager", "in map"])
def test_a_pair_comes_back(parse):
    parsed = parse(pair_record(), size=SIZE, has_cg=True, pair=True)
    for name in ("labels", "edges", "edges_cg"):
        expected = np.stack([frame(0)[name], frame(1)[name]])
        assert parsed[name].dtype == tf.uint8
        assert (parsed[name].numpy() == expected).all(), f"{name} is not lossless"
    for name in ("image_real", "image_cg"):
        expected = np.stack([frame(0)[name], frame(1)[name]]).astype(int)
        assert np.abs(parsed[name].numpy() - expected).mean() < 2, name
    assert np.abs(parsed["flow_real"].numpy() - flow()).max() <= 1 / 128
    assert parsed["sequence"].numpy().decode() == "drive/é"
    assert int(parsed["frame"]) == 7


@pytest.mark.parametrize("parse", [records.parse, in_map], ids=["eager", "in map"])
def test_the_first_frame_is_read_alone(parse):
    parsed = parse(pair_record(), size=SIZE, has_cg=True, pair=False)
    assert (parsed["labels"].numpy() == frame(0)["labels"]).all()
    assert "flow_real" not in parsed


def test_without_cg_the_real_frame_stands_in():
    parsed = records.parse(pair_record(has_cg=False), size=SIZE, has_cg=False, pair=True)
    assert (parsed["image_cg"].numpy() == parsed["image_real"].numpy()).all()
    assert (parsed["edges_cg"].numpy() == parsed["edges"].numpy()).all()


def test_a_dataset_is_filtered_by_successor():
    dataset = tf.data.Dataset.from_tensor_slices([pair_record(), single_record()])
    assert [bool(records.has_successor(s)) for s in dataset] == [True, False]
    assert len(list(dataset.filter(records.has_successor))) == 1


def test_the_same_frames_give_the_same_bytes():
    assert pair_record() == pair_record()


def test_two_frames_without_flow_are_no_record():
    coded = records.code(**frame(0))
    with pytest.raises(ValueError, match="got 2 frames"):
        records.serialize([coded, coded], None, sequence="drive", frame=0)


def test_another_size_is_an_error_not_a_wrong_shape():
    with pytest.raises(tf.errors.InvalidArgumentError):
        records.parse(single_record(), size=(12, 16), has_cg=True, pair=False)


def test_kitti_flow_is_exact_to_a_128th_pixel_and_clipped_beyond_512():
    assert np.abs(decode_flow(encode_flow(flow())) - flow()).max() <= 1 / 128
    far = np.full((2, 3, 2), -600, np.float32)
    assert (decode_flow(encode_flow(far)) == -512).all()


def test_kitti_flow_has_dx_in_red_and_says_valid():
    still = np.zeros((2, 3, 2), np.float32)
    still[..., 0] = 1.5
    bgr = cv2.imdecode(np.frombuffer(encode_flow(still), np.uint8), cv2.IMREAD_UNCHANGED)
    assert bgr[0, 0].tolist() == [1, 1 << 15, (1 << 15) + 96]


def test_flow_points_to_where_things_go():
    texture = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    image = cv2.resize(texture, (96, 64), interpolation=cv2.INTER_CUBIC)
    moved = np.roll(image, (2, 3), axis=(0, 1))  # 2 down, 3 to the right
    inside = dense_flow(image, moved, **FARNEBACK)[16:-16, 16:-16]
    assert np.abs(np.median(inside, axis=(0, 1)) - (3, 2)).max() < 0.2


def test_flow_of_a_pair_read_from_its_record_is_the_recorded_flow():
    """L_flow of the real pair against its record, by the other implementation of F(.)."""
    frames = [frame.image_real for frame in minicity.sequence(5, 0, 2, (128, 96))]
    coded = [
        records.code(np.zeros((96, 128), np.uint8), np.zeros((96, 128, 1), np.uint8), image)
        for image in frames
    ]
    recorded = dense_flow(*map(records.real_image, coded), **FARNEBACK)
    record = records.serialize(coded, recorded, sequence="drive", frame=0)
    read = records.parse(tf.constant(record), size=(128, 96), has_cg=False, pair=True)
    pair = [image[None] for image in tf.unstack(read["image_real"])]
    flow_fake = differentiable.dense_flow(*pair, **FARNEBACK)
    assert np.abs(read["flow_real"]).mean() > 0.5
    assert float(flow_loss(read["flow_real"][None], flow_fake)) <= 0.02


def manifest():
    split = Split(
        records=2,
        pairs=1,
        shards=[{"file": "train-00000-of-00001.tfrecord", "records": 2, "pairs": 1}],
        sequences=["drive"],
    )
    return Manifest(
        dataset="synthia",
        size=SIZE,
        classes=TABLES["synthia"],
        edges={"threshold": 60.0, "blur": 0.0},
        flow={"operator": "farneback"} | FARNEBACK,
        seed=0,
        has_cg=False,
        splits={"train": split},
        skipped=[],
    )


def test_a_manifest_comes_back(tmp_path):
    manifest().save(tmp_path / NAME)
    assert Manifest.load(tmp_path / NAME) == manifest()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_missing_shard_is_named(tmp_path):
    manifest().save(tmp_path / NAME)
    with pytest.raises(UserError, match=r"train-00000-of-00001.tfrecord: this shard is missing"):
        Manifest.load(tmp_path)
    (tmp_path / "train-00000-of-00001.tfrecord").touch()
    assert Manifest.load(tmp_path) == manifest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no finished records here; run python -m sflowgan_tf.prepare --dataset"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"schema_version": 2}', "damaged"),
        ('{"schema_version": 1}', "schema version 1, expected 2"),
    ],
)
def test_an_unusable_manifest_says_what_to_run(tmp_path, content, message):
    if content is not None:
        (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match=message):
        Manifest.load(tmp_path)


def test_a_flow_that_is_no_png_is_an_error():
    with pytest.raises(ValueError, match="expected a PNG, got 4 bytes"):
        decode_flow(b"oops")
