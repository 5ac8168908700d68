import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import minicity
from sflowgan_tf.data import records
from sflowgan_tf.data.flow import dense_flow, encode_flow
from sflowgan_tf.data.manifest import NAME, Manifest, Split
from sflowgan_tf.data.media.pictures import read_motion
from sflowgan_tf.losses import flow_loss
from sflowgan_tf.ops import flow as differentiable
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError

SIZE = (24, 16)
ALL = {"size": SIZE, "has_cg": True, "has_instances": True, "has_motion": True}
LEAST = {"size": SIZE, "has_cg": False, "has_instances": False, "has_motion": False}
FARNEBACK = Farneback()


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
        "instances": draw.choice([0, 1, 26001, 65535], shape).astype(np.uint16),
    }


def flow():
    return np.random.default_rng(3).uniform(-20, 20, (SIZE[1], SIZE[0], 2)).astype(np.float32)


def motion():
    """Its last row is not valid."""
    return 2 * flow(), np.arange(SIZE[1])[:, None].repeat(SIZE[0], 1) < SIZE[1] - 1


def pair_record(has_all=True):
    fields = [frame(seed) for seed in (0, 1)]
    if not has_all:
        always = ("labels", "edges", "image_real")
        fields = [{name: f[name] for name in always} for f in fields]
    coded = [records.code(**f) for f in fields]
    exact = motion() if has_all else None
    return records.serialize(coded, flow(), exact, sequence="drive/é", frame=7)


def single_record():
    return records.serialize([records.code(**frame(0))], None, None, sequence="drive", frame=8)


def in_map(serialized, **how):
    dataset = tf.data.Dataset.from_tensors(serialized).map(lambda s: records.parse(s, **how))
    static = {name: spec.shape for name, spec in dataset.element_spec.items()}
    (parsed,) = dataset
    assert all(parsed[name].shape == shape for name, shape in static.items()), "shapes not static"
    return parsed


@pytest.mark.parametrize("parse", [records.parse, in_map], ids=["eager", "in map"])
def test_a_pair_comes_back(parse):
    parsed = parse(pair_record(), **ALL, pair=True)
    for name in ("labels", "edges", "edges_cg", "instances"):
        expected = np.stack([frame(0)[name], frame(1)[name]])
        assert parsed[name].dtype == expected.dtype
        assert (parsed[name].numpy() == expected).all(), f"{name} is not lossless"
    for name in ("image_real", "image_cg"):
        expected = np.stack([frame(0)[name], frame(1)[name]]).astype(int)
        assert np.abs(parsed[name].numpy() - expected).mean() < 2, name
    exact, valid = motion()
    assert np.abs(parsed["flow_real"].numpy() - flow()).max() <= 1 / 128
    assert np.abs(parsed["motion"].numpy() - exact).max() <= 1 / 128
    assert (parsed["motion_valid"].numpy() == valid).all()
    assert parsed["sequence"].numpy().decode() == "drive/é"
    assert int(parsed["frame"]) == 7


@pytest.mark.parametrize("parse", [records.parse, in_map], ids=["eager", "in map"])
def test_the_first_frame_is_read_alone(parse):
    parsed = parse(pair_record(), **ALL, pair=False)
    for name in ("labels", "instances"):
        assert (parsed[name].numpy() == frame(0)[name]).all()
    assert not {"flow_real", "motion", "motion_valid"} & parsed.keys()


def test_what_is_not_asked_for_is_not_decoded():
    """The pictures in question are spoilt, and nobody notices."""
    whole = tf.train.Example.FromString(pair_record())
    for name in ("image_cg", "edges_cg", "instances", "motion"):
        whole.features.feature[name].bytes_list.value[:] = [b"spoilt", b"spoilt"]
    serialized = whole.SerializeToString()
    parsed = records.parse(serialized, **LEAST, pair=True)
    assert "instances" not in parsed and "motion" not in parsed
    for what in ("has_cg", "has_instances", "has_motion"):
        with pytest.raises(tf.errors.InvalidArgumentError):
            records.parse(serialized, **(LEAST | {what: True}), pair=True)


def test_flows_are_those_of_a_pair():
    parsed = records.parse(pair_record(), **ALL, pair=True)
    flows = records.flows(pair_record(), size=SIZE, has_motion=True)
    assert flows.keys() == {"flow_real", "motion", "motion_valid"}
    assert all((flows[name].numpy() == parsed[name].numpy()).all() for name in flows)


def test_without_cg_the_real_frame_stands_in():
    parsed = records.parse(pair_record(has_all=False), **LEAST, pair=True)
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
        records.serialize([coded, coded], None, None, sequence="drive", frame=0)


def test_another_size_is_an_error_not_a_wrong_shape():
    with pytest.raises(tf.errors.InvalidArgumentError):
        records.parse(single_record(), **(ALL | {"size": (12, 16)}), pair=False)


def test_kitti_flow_is_exact_to_a_128th_pixel_and_clipped_beyond_512(tmp_path):
    file = tmp_path / "flow.png"
    file.write_bytes(encode_flow(*motion()))
    exact, valid = read_motion(file)
    assert np.abs(exact - motion()[0]).max() <= 1 / 128
    assert (valid == motion()[1]).all()
    far = np.full((2, 3, 2), -600, np.float32)
    file.write_bytes(encode_flow(far))
    exact, valid = read_motion(file)
    assert (exact == -512).all() and valid.all()


def test_kitti_flow_has_dx_in_red_and_says_valid():
    still = np.zeros((2, 3, 2), np.float32)
    still[..., 0] = 1.5
    bgr = cv2.imdecode(np.frombuffer(encode_flow(still), np.uint8), cv2.IMREAD_UNCHANGED)
    assert bgr[0, 0].tolist() == [1, 1 << 15, (1 << 15) + 96]


def test_flow_points_to_where_things_go():
    texture = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    image = cv2.resize(texture, (96, 64), interpolation=cv2.INTER_CUBIC)
    moved = np.roll(image, (2, 3), axis=(0, 1))  # 2 down, 3 to the right
    inside = dense_flow(image, moved, FARNEBACK)[16:-16, 16:-16]
    assert np.abs(np.median(inside, axis=(0, 1)) - (3, 2)).max() < 0.2


def test_flow_of_a_pair_read_from_its_record_is_the_recorded_flow():
    """L_flow of the real pair against its record, by the other implementation of F(.)."""
    frames = [frame.image_real for frame in minicity.sequence(5, 0, 2, (128, 96))]
    coded = [
        records.code(np.zeros((96, 128), np.uint8), np.zeros((96, 128, 1), np.uint8), image)
        for image in frames
    ]
    recorded = dense_flow(*map(records.real_image, coded), FARNEBACK)
    record = records.serialize(coded, recorded, None, sequence="drive", frame=0)
    read = records.parse(tf.constant(record), **(LEAST | {"size": (128, 96)}), pair=True)
    pair = [image[None] for image in tf.unstack(read["image_real"])]
    flow_fake = differentiable.dense_flow(*pair, FARNEBACK)
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
        edges=EdgeSettings(),
        flow=FARNEBACK,
        seed=0,
        has_cg=False,
        has_instances=False,
        has_motion=False,
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
        ('{"schema_version": 3}', "damaged"),
        ('{"schema_version": 2}', "schema version 2, expected 3"),
    ],
)
def test_an_unusable_manifest_says_what_to_run(tmp_path, content, message):
    if content is not None:
        (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match=message):
        Manifest.load(tmp_path)
