import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from sflowgan_tf import prepare as command
from sflowgan_tf.data import records
from sflowgan_tf.data.flow import dense_flow, encode_flow
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.data.media.pictures import (
    read_image,
    read_instances,
    read_labels,
    read_motion,
    resize,
    resize_motion,
)
from sflowgan_tf.data.preparing import shards, workers
from sflowgan_tf.data.preparing.preparation import prepare, split_frames
from sflowgan_tf.data.record_settings import RecordSettings
from sflowgan_tf.data.sources import RawFrame, find
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import Failure, UserError
from tests import processes
from tests.disks import disk_with_room_for

SIZE = (16, 8)
SETTINGS = RecordSettings(
    size=SIZE,
    classes=TABLES["synthia"],
    edges=EdgeSettings(),
    flow=Farneback(levels=1, winsize=5, iterations=1),
    validation_fraction=0.5,
    validation_sequences=(),
    frames_per_shard=2,
    seed=0,
)


def photo(seed):
    return np.random.default_rng(seed).integers(0, 256, (20, 32, 3), dtype=np.uint8)


def label_map(seed):
    """As SYNTHIA's: 16 bits, the class in red, which is OpenCV's last, the instance in green."""
    ids = np.random.default_rng(seed).choice(sorted(TABLES["synthia"].ids), (20, 32))
    return np.stack([np.zeros_like(ids), ids * 7, ids], -1).astype(np.uint16)


def motion(seed):
    """Exact flow of 16ths of a pixel, and where it is valid."""
    draw = np.random.default_rng(seed)
    return draw.integers(-64, 64, (20, 32, 2)).astype(np.float32) / 16, draw.random((20, 32)) < 0.9


def add_motion(root, drive="A", frames=2):
    """All but the last frame have it."""
    folder = view(root, drive, "GT/FLOW")
    folder.mkdir(parents=True)
    for number in range(frames):
        (folder / f"{number:06d}.png").write_bytes(encode_flow(*motion(number)))


def raw(root, drives=("A", "B"), frames=3, real=False):
    for drive_index, drive in enumerate(drives):
        for number in range(frames):
            seed = 10 * drive_index + number
            for tree, picture in {
                "RGB": photo(seed),
                "GT/LABELS": label_map(seed),
                **({"REAL": photo(seed + 500)} if real else {}),
            }.items():
                file = view(root, drive, tree) / f"{number:06d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), picture)
    return root


def view(root, drive, tree):
    return root / drive / tree / "Stereo_Left" / "Omni_F"


def run(root, output, *, workers=1, skip_bad=False, **changed):
    settings = replace(SETTINGS, **changed)
    how = {"dataset": "synthia", "workers": workers, "skip_bad": skip_bad}
    return prepare(find("synthia", root), output, settings, **how)


def parsed(output, split, pair=False, **how):
    manifest = Manifest.load(output)
    files = [str(output / shard["file"]) for shard in manifest.splits[split].shards]
    fields = {name: getattr(manifest, name) for name in ("size", "has_cg")}
    fields |= {name: getattr(manifest, name) for name in ("has_instances", "has_motion")}
    return [
        records.parse(s, **fields, pair=pair)
        for s in tf.data.TFRecordDataset(files)
        if not pair or records.has_successor(s)
    ]


def times(folder):
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("*.tfrecord")}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def place(parsed_record):
    return parsed_record["sequence"].numpy().decode()[0], int(parsed_record["frame"])


def test_every_frame_becomes_a_record_with_its_successor(tmp_path):
    manifest = run(raw(tmp_path / "raw"), tmp_path / "out")
    train, validation = manifest.splits["train"], manifest.splits["validation"]
    assert (train.records, train.pairs) == (validation.records, validation.pairs) == (3, 2)
    assert [shard["file"] for shard in train.shards] == [
        "train-00000-of-00002.tfrecord",
        "train-00001-of-00002.tfrecord",
    ]
    drive = train.sequences[0][0]
    assert [place(p) for p in parsed(tmp_path / "out", "train")] == [(drive, n) for n in range(3)]
    assert Manifest.load(tmp_path / "out") == manifest
    assert manifest.skipped == []


def test_a_record_holds_what_the_files_hold(tmp_path):
    root = raw(tmp_path / "raw", real=True)
    manifest = run(root, tmp_path / "out")
    assert manifest.has_cg
    drive = manifest.splits["train"].sequences[0][0]
    for record in parsed(tmp_path / "out", "train", pair=True):
        for index in (0, 1):
            name = f"{int(record['frame']) + index:06d}.png"
            labels = read_labels(view(root, drive, "GT/LABELS") / name, TABLES["synthia"])
            assert (record["labels"][index].numpy() == resize(labels, SIZE)).all()
            instances = cv2.imread(str(view(root, drive, "GT/LABELS") / name), -1)[..., 1]
            assert (record["instances"][index].numpy() == resize(instances, SIZE)).all()
            for tree, edges, image in (
                ("REAL", "edges", "image_real"),
                ("RGB", "edges_cg", "image_cg"),
            ):
                picture = resize(read_image(view(root, drive, tree) / name), SIZE)
                expected = np.asarray(laplacian_edges(picture[None], EdgeSettings()))[0]
                assert (record[edges][index].numpy() == expected).all()
                assert np.abs(record[image][index].numpy() - picture.astype(int)).mean() < 6


def test_recorded_flow_is_that_of_the_recorded_images(tmp_path):
    manifest = run(raw(tmp_path / "raw"), tmp_path / "out")
    for record in parsed(tmp_path / "out", "train", pair=True):
        expected = dense_flow(*record["image_real"].numpy(), manifest.flow)
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(record["flow_real"], expected, atol=1 / 127)


def test_exact_flow_goes_into_the_records_of_pairs(tmp_path):
    root = raw(tmp_path / "raw", drives=("A",))
    assert not run(root, tmp_path / "without", validation_fraction=0).has_motion
    add_motion(root)
    assert run(root, tmp_path / "out", validation_fraction=0).has_motion
    for number, record in enumerate(parsed(tmp_path / "out", "train", pair=True)):
        flow, valid = resize_motion(*motion(number), SIZE)
        np.testing.assert_allclose(record["motion"], flow, atol=1 / 128)
        assert (record["motion_valid"].numpy() == valid).all()
    assert len(parsed(tmp_path / "out", "train")) == 3


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.write_bytes(encode_flow(motion(0)[0][:10])), "is 32x10, but its label"),
        (lambda file: file.unlink(), "RGB.*000001.png: has no exact flow beside it, .*000000.png"),
    ],
)
def test_exact_flow_that_does_not_fit_is_an_error(tmp_path, damage, message):
    root = raw(tmp_path / "raw", drives=("A",))
    add_motion(root)
    damage(view(root, "A", "GT/FLOW") / "000001.png")
    with pytest.raises(UserError, match=message):
        run(root, tmp_path / "out", validation_fraction=0)


def test_motion_is_cut_and_scaled_with_its_frames():
    """12x6 to 4x4: cut to the 6x6 in the middle, columns 3 to 8, then 1.5 times smaller."""
    flow = np.zeros((6, 12, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1.5, -3
    valid = np.ones((6, 12), bool)
    valid[:, :3] = False  # outside the cut
    valid[3] = False
    scaled, seen = resize_motion(flow, valid, (4, 4))
    assert scaled.shape == (4, 4, 2) and (scaled == (1, -2)).all()
    # The middles of the four rows lie in rows 0, 2, 3 and 5. A pixel leaves over the top from
    # rows 0 and 1, over the right from column 3.
    expected = np.zeros((4, 4), bool)
    expected[3, :3] = True
    assert (seen == expected).all()


@given(st.integers(4, 30), st.integers(4, 30), st.sampled_from([(8, 4), (16, 16), (40, 8)]))
def test_motion_is_taken_where_labels_are(width, height, size):
    """A flow whose dx is the pixel's number, valid where that is even."""
    numbers = np.arange(width * height).reshape(height, width)
    flow = np.stack([numbers, np.zeros_like(numbers)], -1).astype(np.float32)
    scaled, seen = resize_motion(flow, numbers % 2 == 0, size)
    picked = resize(numbers.astype(np.uint16), size)
    growth = size[0] / min(width, round(height * size[0] / size[1]))
    np.testing.assert_allclose(scaled[..., 0], picked * np.float32(growth), rtol=1e-6)
    assert not seen[picked % 2 == 1].any()


def test_instances_are_read_from_green_or_as_cityscapes_has_them(tmp_path):
    file = tmp_path / "a.png"
    cv2.imwrite(str(file), np.uint16([[[1, 2, 3], [4, 500, 6]]]))
    assert read_instances(file).tolist() == [[2, 500]]
    cv2.imwrite(str(file), np.uint16([[7, 999, 1000, 26012]]))
    numbers = read_instances(file)
    assert numbers.tolist() == [[0, 0, 1000, 26012]] and numbers.dtype == np.uint16


@pytest.mark.parametrize(
    ("reader", "picture", "message"),
    [
        (read_instances, np.zeros((2, 2), np.uint8), "has 8 bits; expected 16 bits of instance"),
        (read_motion, np.zeros((2, 2, 3), np.uint8), "has 3 channels of 8 bits; expected flow"),
        (read_motion, np.zeros((2, 2), np.uint16), "has 1 channels of 16 bits; expected flow"),
    ],
)
def test_another_picture_is_no_instance_map_and_no_flow(tmp_path, reader, picture, message):
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    with pytest.raises(UserError, match=f"a.png: {message}"):
        reader(tmp_path / "a.png")


def test_a_gap_ends_the_pair_also_between_shards(tmp_path):
    root = raw(tmp_path / "raw", frames=5)
    for drive in "AB":
        for tree in ("RGB", "GT/LABELS"):
            (view(root, drive, tree) / "000002.png").unlink()
    manifest = run(root, tmp_path / "out")
    assert (manifest.splits["train"].records, manifest.splits["train"].pairs) == (4, 2)
    assert [place(p)[1] for p in parsed(tmp_path / "out", "train", pair=True)] == [0, 3]


def test_a_users_mistake_arrives_from_a_worker_as_such(tmp_path):
    root = raw(tmp_path / "raw")
    (view(root, "A", "RGB") / "000001.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"A/RGB.*000001.png: truncated, or no PNG at all"):
        run(root, tmp_path / "out", workers=2)


def die(job, tick):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_dead_worker_is_a_failure():
    with (
        pytest.raises(Failure, match="fewer --workers"),
        tqdm(total=2, disable=True) as bar,
    ):
        workers.run(die, [1, 2], 2, bar)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_an_interrupted_run_ends_with_the_same_bytes(tmp_path, monkeypatch, after):
    root = raw(tmp_path / "raw")
    run(root, tmp_path / "whole")
    left = [after]
    read = shards.read_image

    def interrupted(file):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return read(file)

    monkeypatch.setattr(shards, "read_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(root, tmp_path / "out")
    assert not (tmp_path / "out/manifest.json").exists()
    with pytest.raises(UserError, match="no finished records here"):
        Manifest.load(tmp_path / "out")
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tfrecord")}
    monkeypatch.setattr(shards, "read_image", read)
    run(root, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert all((tmp_path / "out" / n).stat().st_mtime_ns == t for n, t in done.items())


OPTIONS = [
    "records.size=16x8",
    "records.frames_per_shard=2",
    "records.validation_fraction=0.5",
    "records.flow.levels=1",
    "records.flow.winsize=5",
    "records.flow.iterations=1",
]


def flags(root, output, *options):
    where = ["--dataset", "synthia", "--source", str(root), "--output", str(output)]
    return [*where, *OPTIONS, *options]


@pytest.fixture
def start():
    """`prepare` as a process."""
    with contextlib.ExitStack() as living:

        def start(*prepared, **how):
            command = ("-m", "sflowgan_tf.prepare", *flags(*prepared))
            return living.enter_context(processes.started(*command, **how))

        yield start


def test_ctrl_c_stops_the_workers_at_once_and_one_process_goes_on_with_the_same_bytes(
    tmp_path, start
):
    root = raw(tmp_path / "raw", frames=60)
    run(root, tmp_path / "whole")
    process = start(root, tmp_path / "out", "--workers", "2")
    processes.wait_until(lambda: list((tmp_path / "out").glob("*.tfrecord")), process)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130 and "Traceback" not in error, error
    by_workers = times(tmp_path / "out")
    run(root, tmp_path / "out")
    assert by_workers and by_workers.items() <= times(tmp_path / "out").items(), "made again"
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def living_children(parent):
    """Process ids, read as ps does: pid (name) state parent ..."""
    children = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has just ended
            continue
        if int(its_parent) == parent and state != "Z":
            children.append(file.parent)
    return children


def is_alive(process):
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_after_a_kill_no_worker_lives_and_a_second_run_goes_on(tmp_path, start):
    root = raw(tmp_path / "raw", frames=300)
    out = tmp_path / "out"
    assert command.main(flags(root, tmp_path / "whole", "--workers", "1")) == 0
    process = start(root, out, "--workers", "2")
    processes.wait_until(
        lambda: list(out.glob("*.tfrecord")) and list(out.glob("*.partial")), process
    )
    children = living_children(process.pid)
    assert len(children) >= 2
    process.kill()
    process.communicate()  # to the end of what the workers write too
    while any(map(is_alive, children)):
        time.sleep(0.01)
    assert not (out / "manifest.json").exists(), "it ended before it was killed"
    (out / "train-00000-of-00150.tfrecord.1.partial").touch()  # of an earlier version
    assert command.main(flags(root, out, "--workers", "1")) == 0
    assert contents(out) == contents(tmp_path / "whole")


def test_two_at_once_into_one_folder_are_one_and_a_refusal(tmp_path, monkeypatch):
    root, out = raw(tmp_path / "raw"), tmp_path / "out"
    run(root, tmp_path / "whole")
    read, refused = shards.read_image, []

    def beside_another(file):
        if not refused:
            before = sorted(out.rglob("*"))
            with pytest.raises(UserError, match=f"{out}: another command is at work there; wait"):
                run(root, out)
            assert sorted(out.rglob("*")) == before
            refused.append(file)
        return read(file)

    monkeypatch.setattr(shards, "read_image", beside_another)
    run(root, out)
    assert refused
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        (5_000, "train-00000-of-00001.tfrecord: can't be written: File too large; raise the limit"),
        (100, "plan.json: can't be written: File too large; raise the limit"),
    ],
)
def test_a_full_disk_is_a_line_that_names_the_file(tmp_path, capsys, limit, line):
    root, out = raw(tmp_path / "raw", frames=20), tmp_path / "out"
    options = ["--workers", "1", "records.frames_per_shard=20"]
    with disk_with_room_for(limit):
        assert command.main(flags(root, out, *options)) == 1
    assert line in capsys.readouterr().err.splitlines()[-1]
    assert not list(out.glob("*.partial"))
    assert command.main(flags(root, out, *options)) == 0
    assert Manifest.load(out).splits["train"].records == 20


@pytest.mark.parametrize(
    ("frames", "cores", "expected"), [(99, 8, 1), (199, 8, 1), (200, 8, 2), (1000, 4, 4)]
)
def test_processes_are_started_for_much_work_alone(tmp_path, monkeypatch, frames, cores, expected):
    """Told by what runs the jobs: none is done, so that there is nothing to write a manifest of."""

    class Asked(Exception):
        pass

    def asked(work, jobs, number, bar):
        assert number == expected
        raise Asked

    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(workers, "run", asked)
    root = raw(tmp_path / "raw", drives=("A",), frames=1)
    files = find("synthia", root).frames[0]
    many = SimpleNamespace(frames=[replace(files, number=n) for n in range(frames)])
    with pytest.raises(Asked):
        prepare(
            many,
            tmp_path / "out",
            replace(SETTINGS, validation_fraction=0),
            dataset="synthia",
            workers=None,
            skip_bad=False,
        )


def test_no_workers_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--dataset", "synthia", "--workers", "0"])
    assert stopped.value.code == 2 and "from 1 on, got '0'" in capsys.readouterr().err


def test_a_finished_folder_is_left_alone(tmp_path):
    root = raw(tmp_path / "raw")
    first, before = run(root, tmp_path / "out"), times(tmp_path / "out")
    root.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", tmp_path / "out") == first
    assert times(tmp_path / "out") == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda shard: shard.unlink(),
        lambda shard: shard.write_bytes(shard.read_bytes()[:-9]),
        lambda shard: shard.write_bytes(shard.read_bytes().replace(b"PNG", b"GNP")),
        lambda shard: shard.write_bytes(b""),
        lambda shard: shard.with_suffix(".json").write_text("{"),
    ],
    ids=["missing", "truncated", "overwritten", "empty", "its note"],
)
def test_a_missing_or_damaged_shard_is_made_again(tmp_path, damage):
    root, out = raw(tmp_path / "raw"), tmp_path / "out"
    run(root, out)
    before, before_times = contents(out), times(out)
    damage(out / "train-00001-of-00002.tfrecord")
    run(root, out)
    assert contents(out) == before
    changed = {name for name, time in times(out).items() if time != before_times[name]}
    assert changed == {"train-00001-of-00002.tfrecord"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"size": (8, 8)}, "size: 8x8 here, but 16x8 there"),
        ({"edges": EdgeSettings(threshold=50)}, "edges.threshold: 50 here, but 60.0 there"),
        ({"edges": EdgeSettings(density=0.1)}, "edges.density: 0.1 here, but 0.0 there"),
        ({"validation_fraction": 0.4}, "validation_fraction: 0.4 here, but 0.5 there"),
        ({"seed": 1}, "seed: 1 here, but 0 there"),
    ],
)
def test_other_settings_in_the_same_folder_are_named(tmp_path, changed, named):
    root = raw(tmp_path / "raw")
    run(root, tmp_path / "out")
    with pytest.raises(UserError, match=named):
        run(root, tmp_path / "out", **changed)


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": 2}'])
def test_a_manifest_that_is_of_no_use_is_written_anew(tmp_path, content):
    root, out = raw(tmp_path / "raw"), tmp_path / "out"
    first = run(root, out)
    (out / "manifest.json").write_text(content)
    assert run(root, out) == first == Manifest.load(out)


def test_a_plan_of_a_version_without_a_setting_goes_on(tmp_path):
    root, out = raw(tmp_path / "raw"), tmp_path / "out"
    run(root, out)
    before = contents(out)
    plan = json.loads((out / "plan.json").read_text())
    del plan["edges"]["density"]
    (out / "plan.json").write_text(json.dumps(plan))
    run(root, out)
    assert contents(out) == before


def test_a_plan_that_is_no_json_is_named(tmp_path):
    root, out = raw(tmp_path / "raw"), tmp_path / "out"
    run(root, out)
    (out / "plan.json").write_text("{")
    with pytest.raises(UserError, match="plan.json: damaged, no JSON; prepare into another"):
        run(root, out)


def test_other_frames_in_the_same_folder_are_named(tmp_path):
    run(raw(tmp_path / "raw"), tmp_path / "out")
    with pytest.raises(UserError, match=r"raw frames: 8 \(\w+\) here, but 6 \(\w+\) there"):
        run(raw(tmp_path / "raw", frames=4), tmp_path / "out")


def spoil(root):
    """The damages that a dataset may have, each (file to damage, what the error says)."""
    picture, labels = (view(root, "A", tree) / "000001.png" for tree in ("RGB", "GT/LABELS"))
    return {
        "truncated": (
            picture,
            lambda: picture.write_bytes(picture.read_bytes()[:-20]),
            "truncated",
        ),
        "empty": (picture, lambda: picture.write_bytes(b""), "truncated"),
        "missing": (labels, labels.unlink, "no such file"),
        "other size": (
            picture,
            lambda: cv2.imwrite(str(picture), photo(0)[:10]),
            "is 32x10, but its label map .*000001.png is 32x20",
        ),
        "8 bits": (
            labels,
            lambda: cv2.imwrite(str(labels), label_map(0).astype(np.uint8)),
            "3 channels of 8 bits; class table 'synthia' expects 16 bits",
        ),
        "unknown id": (
            labels,
            lambda: cv2.imwrite(str(labels), np.full((20, 32), 16, np.uint16)),
            "class id 16 at 640 pixels is not in class table 'synthia'",
        ),
    }


@pytest.mark.parametrize(
    "damage", ["truncated", "empty", "missing", "other size", "8 bits", "unknown id"]
)
def test_a_bad_frame_stops_the_work_or_is_left_out(tmp_path, damage):
    root = raw(tmp_path / "raw", drives=("A",), frames=5)
    file, do, message = spoil(root)[damage]
    do()
    with pytest.raises(UserError, match=message) as error:
        run(root, tmp_path / "out", validation_fraction=0)
    assert str(file) in str(error.value) and "--skip-bad" in str(error.value)

    manifest = run(root, tmp_path / "out", validation_fraction=0, skip_bad=True)
    assert [place(p)[1] for p in parsed(tmp_path / "out", "train")] == [0, 2, 3, 4]
    assert [place(p)[1] for p in parsed(tmp_path / "out", "train", pair=True)] == [2, 3]
    assert manifest.splits["train"].pairs == 2
    (skipped,) = manifest.skipped
    assert skipped["file"] == str(file) and str(file) not in skipped["reason"]


@pytest.mark.parametrize("tree", ["RGB", "GT/LABELS"])
def test_a_picture_of_a_kind_that_is_not_read_is_named(tmp_path, tree):
    root = raw(tmp_path / "raw", drives=("A",), frames=3)
    file = view(root, "A", tree) / "000001.png"
    file.rename(file.with_suffix(".bmp"))
    with pytest.raises(UserError, match=r"000001.png: no such file, only 000001.bmp: convert it"):
        run(root, tmp_path / "out", validation_fraction=0)
    manifest = run(root, tmp_path / "out", validation_fraction=0, skip_bad=True)
    assert manifest.splits["train"].records == 2 and len(manifest.skipped) == 1


def test_only_bad_frames_are_an_error_too(tmp_path):
    root = raw(tmp_path / "raw", drives=("A",), frames=1)
    (view(root, "A", "RGB") / "000000.png").write_bytes(b"")
    with pytest.raises(UserError, match="no frame is left for training"):
        run(root, tmp_path / "out", validation_fraction=0, skip_bad=True)


def test_finished_shards_stay_when_a_bad_frame_stops_the_work(tmp_path):
    root = raw(tmp_path / "raw", drives=("A",), frames=4)
    (view(root, "A", "RGB") / "000003.png").write_bytes(b"")
    with pytest.raises(UserError):
        run(root, tmp_path / "out", validation_fraction=0)
    assert (tmp_path / "out/train-00000-of-00002.tfrecord").is_file()


def test_sixteen_bit_labels_are_read_from_red(tmp_path):
    root = raw(tmp_path / "raw")
    table = TABLES["synthia"]
    labels = read_labels(view(root, "A", "GT/LABELS") / "000000.png", table)
    assert (labels == table.encode(label_map(0)[..., 2])).all()
    assert {0, table.ids[15]} <= set(labels.ravel().tolist())


def test_a_photo_is_no_label_map(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), photo(0))
    with pytest.raises(UserError, match="3 channels of 8 bits.*as a colour map: colour"):
        read_labels(tmp_path / "a.png", TABLES["cityscapes"])


def test_a_jpeg_is_no_label_map(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), photo(0))
    with pytest.raises(UserError, match=r"a.jpg: label maps must be PNG"):
        read_labels(tmp_path / "a.jpg", TABLES["cityscapes"])


def test_a_truncated_jpeg_is_found(tmp_path):
    file = tmp_path / "a.jpg"
    cv2.imwrite(str(file), photo(0))
    assert read_image(file).shape == (20, 32, 3)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"a.jpg: truncated"):
        read_image(file)


def test_pictures_are_cut_in_the_middle_then_resized():
    image = np.zeros((10, 40, 3), np.uint8)
    image[:, 10:30] = 200
    assert (resize(image, (10, 5)) == 200).all()
    labels = np.repeat(np.arange(4, dtype=np.uint8), 10)[None].repeat(40, 0)
    assert set(resize(labels, (20, 10)).ravel()) == {0, 1, 2, 3}
    assert set(resize(labels[:, :20], (8, 16)).ravel()) == {0, 1}


def frames_of(groups, split=None):
    return [
        RawFrame(
            sequence=f"{group}/{camera}",
            number=number,
            group=group,
            split=split,
            labels=Path(),
            image_real=Path(),
        )
        for group in groups
        for camera in ("left", "right")
        for number in range(2)
    ]


@given(
    st.sets(st.text("abc", min_size=1), min_size=2, max_size=12),
    st.floats(0, 0.49),
    st.integers(0, 99),
)
def test_no_group_is_in_both_parts(groups, fraction, seed):
    frames = frames_of(sorted(groups))
    parts = split_frames(frames, fraction, [], seed)
    train, validation = ({f.group for f in parts[name]} for name in ("train", "validation"))
    assert not train & validation and train | validation == groups
    assert len(validation) == (max(1, round(fraction * len(groups))) if fraction else 0)
    assert parts == split_frames(frames, fraction, [], seed)


def test_named_sequences_bring_all_cameras_with_them():
    for name in ("b", "b/left"):
        parts = split_frames(frames_of("abc"), 0.9, [name], 0)
        assert {frame.group for frame in parts["validation"]} == {"b"}
        assert len(parts["validation"]) == 4


def test_an_unknown_sequence_lists_those_there_are():
    with pytest.raises(UserError, match="no sequence 'z'.*a, a/left, a/right, b"):
        split_frames(frames_of("ab"), 0.1, ["z"], 0)


def test_the_sources_own_split_is_used():
    frames = [*frames_of("ab", "train"), *frames_of("c", "validation")]
    parts = split_frames(frames, 0.9, [], 0)
    assert {frame.group for frame in parts["validation"]} == {"c"}


def test_a_single_sequence_cannot_be_split():
    with pytest.raises(UserError, match="set records.validation_fraction=0"):
        split_frames(frames_of("a"), 0.1, [], 0)
    assert not split_frames(frames_of("a"), 0, [], 0)["validation"]


def test_the_plan_says_what_was_asked_for(tmp_path):
    run(raw(tmp_path / "raw"), tmp_path / "out")
    plan = json.loads((tmp_path / "out/plan.json").read_text())
    assert plan["frames_per_shard"] == 2 and plan["classes"]["name"] == "synthia"
    assert "skip_bad" not in plan, "a stopped run may go on with --skip-bad"


def test_labels_are_mapped_onto_cityscapes(tmp_path):
    source = find("synthia", raw(tmp_path / "raw"), "cityscapes")
    settings = replace(SETTINGS, classes=source.table)
    manifest = prepare(
        source, tmp_path / "out", settings, dataset="synthia", workers=1, skip_bad=False
    )
    assert manifest.classes.names == TABLES["cityscapes"].names
    (first, *_) = parsed(tmp_path / "out", "train")
    file = view(tmp_path / "raw", place(first)[0], "GT/LABELS") / "000000.png"
    ids = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)[..., 2]
    expected = TABLES["synthia-as-cityscapes"].encode(ids)
    assert (first["labels"].numpy() == resize(expected, SIZE)).all()


def test_a_file_that_only_ends_like_a_picture_is_named(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"no picture" + b"IEND\xaeB`\x82")
    with pytest.raises(UserError, match=r"a\.png: can't be decoded"):
        read_image(file)
