"""The command `record`: drives of minicity as records see them, CARLA's against a stand-in."""

import re
import shlex
import sys

import cv2
import numpy as np
import pytest

import sflowgan_tf
from sflowgan_tf import prepare, record
from sflowgan_tf.data.media.pictures import read_image, read_instances, read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.minicity import sequence
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.simulators.minicity import Minicity
from tests.disks import disk_with_room_for
from tests.simulators import carla_standin
from tests.simulators.carla_standin import TAG

RIG = "front: {}\nback: {rotation: {yaw: 180}, size: 48x32}\n"


def call(*more, code=0, simulator="minicity"):
    given = ["--simulator", simulator, "--frames", "3", "--size", "64x32", *map(str, more)]
    assert record.main([*given, "--output", "drives"]) == code


def files(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_drives_become_records_with_minicitys_own_labels(home, capsys):
    call("--seed", 5)
    call("--seed", 6)
    said = capsys.readouterr().out
    assert "Recorded: drives, drive-002, 3 frames of front\n" in said
    (then,) = re.findall(
        r"^Then: +python -m sflowgan_tf\.prepare (.*)$", said[said.find("002") :], re.M
    )
    assert prepare.main(shlex.split(then)) == 0
    for split in ("train", "validation"):
        records = sflowgan_tf.Records("datasets/drives", split)
        assert len(records) == 3 and records.num_pairs == 2
        (drive,) = {frame["sequence"] for frame in records}
        seed = {"images/drive-001/front": 5, "images/drive-002/front": 6}[drive]
        for frame, own in zip(records, sequence(seed, 0, 3, (64, 32)), strict=True):
            np.testing.assert_array_equal(frame["labels"], TABLES["synthia"].encode(own.labels))
            np.testing.assert_array_equal(frame["instances"], own.instances)


def test_the_files_hold_the_simulators_frames(home):
    call("--seed", 5, "--depth")
    for number, own in enumerate(sequence(5, 0, 3, (64, 32))):
        place = f"drive-001/front/{number:06d}.png"
        np.testing.assert_array_equal(read_image(home / "drives/images" / place), own.image_cg)
        depth = cv2.imread(str(home / "drives/depth" / place), cv2.IMREAD_UNCHANGED)
        assert depth is not None and depth.dtype == np.uint16
        near = own.depth < 655
        np.testing.assert_allclose(depth[near] / 100, own.depth[near], atol=0.00501)


def test_one_drive_alone_is_prepared_by_the_command_that_is_named(home, capsys):
    call()
    said = capsys.readouterr().out
    assert "With another --seed there is a second drive" in said
    (then,) = re.findall(r"^Then: +python -m sflowgan_tf\.prepare (.*)$", said, re.M)
    assert prepare.main(shlex.split(then)) == 0
    assert sflowgan_tf.Records("datasets/drives").splits == {"train": 3, "validation": 0}


def test_a_rigs_cameras_are_sequences_of_one_group(home):
    (home / "rig.yaml").write_text(RIG)
    call("--rig", "rig.yaml")
    frames = find("folder", home / "drives").frames
    assert {frame.sequence for frame in frames} == {
        "images/drive-001/front",
        "images/drive-001/back",
    }
    assert {frame.group for frame in frames} == {"images/drive-001"}
    assert [frame.number for frame in frames] == [0, 1, 2, 0, 1, 2]
    assert read_image(home / "drives/images/drive-001/back/000002.png").shape == (32, 48, 3)


def test_an_interrupted_drive_goes_on_to_the_same_bytes(home, monkeypatch, capsys):
    (home / "rig.yaml").write_text(RIG)
    call("--rig", "rig.yaml")
    whole = files(home / "drives")
    (home / "drives").rename(home / "whole")
    tick = Minicity._tick

    def interrupted(self, camera, number, look):
        if (camera, number) == ("back", 1):
            raise KeyboardInterrupt
        return tick(self, camera, number, look)

    monkeypatch.setattr(Minicity, "_tick", interrupted)
    call("--rig", "rig.yaml", code=130)
    assert "Stopped; the same command goes on with drive-001." in capsys.readouterr().out
    partial = {path: path.stat().st_mtime_ns for path in (home / "drives").rglob("*/000000.png")}
    assert len(partial) == 4 and len(files(home / "drives")) == 8  # and front's moment 1, two texts
    monkeypatch.setattr(Minicity, "_tick", tick)
    call("--rig", "rig.yaml")
    assert files(home / "drives") == whole
    assert all(path.stat().st_mtime_ns == time for path, time in partial.items())


def test_a_drive_that_is_whole_stays_as_it_is(home):
    call()
    before = {path: path.stat().st_mtime_ns for path in (home / "drives").rglob("*.*")}
    call()
    assert {path: path.stat().st_mtime_ns for path in (home / "drives").rglob("*.*")} == before


def test_pictures_of_which_nothing_is_known_any_more_are_not_taken_for_the_drives(home):
    call("--seed", 1)
    (home / "drives/drive-001.json").unlink()
    call("--seed", 2)
    assert (home / "drives/drive-002.json").is_file()
    assert (home / "drives/images/drive-002/front/000002.png").is_file()


def test_a_frame_that_is_missing_is_recorded_again(home):
    call()
    whole = files(home / "drives")
    (home / "drives/labels/drive-001/front/000001.png").unlink()
    call()
    assert files(home / "drives") == whole


def test_a_full_disk_is_a_sentence_and_what_was_whole_stays(home, capsys):
    call()
    whole = files(home / "drives")
    (home / "drives").rename(home / "whole")
    with disk_with_room_for(1000):
        call(code=1)
    place = "drives/images/drive-001/front/000000.png"  # larger than its label map
    assert f"{place}: can't be written: File too large" in capsys.readouterr().err
    assert not [name for name in files(home / "drives") if name.startswith("images")]
    call()
    assert files(home / "drives") == whole


@pytest.fixture
def carla(monkeypatch):
    module = carla_standin.package()
    monkeypatch.setitem(sys.modules, "carla", module)
    return module


def test_a_drive_of_carla_is_read_with_its_tags_and_instances(home, carla):
    call(simulator="carla")
    source = find("folder", home / "drives")
    assert source.table.name == "carla-0.9.14" and len(source.frames) == 3
    for frame in source.frames:
        labels = read_labels(frame.labels, source.table)
        assert labels[1, 0] == source.table.names.index("car") == TAG - 1
        assert labels[0, 1] == 255, "tag 0 is none"
        assert frame.instances is not None and read_instances(frame.instances)[1, 0] == 0x1234


def test_each_recording_of_carla_is_another_drive(home, carla, capsys):
    carla.world.fails = lambda call: _stop() if call == "tick 112" else None
    call(simulator="carla", code=130)
    said = capsys.readouterr().out
    assert "Stopped; the same command begins another drive beside drive-001." in said
    carla.world.fails = lambda call: None
    call(simulator="carla")
    frames = find("folder", home / "drives").frames
    assert [frame.sequence[7:16] for frame in frames] == ["drive-001"] + 3 * ["drive-002"]


def _stop():
    raise KeyboardInterrupt


def test_a_tree_of_another_simulator_is_refused_and_stays_as_it_is(home, carla, capsys):
    call()
    before = files(home / "drives")
    call(simulator="carla", code=2)
    assert "folder.yaml: describes something else than drives with" in capsys.readouterr().err
    assert files(home / "drives") == before and not carla.world.actors


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--simulator", "metadrive"], "--simulator metadrive: expected minicity or carla"),
        (["--size", "64"], "--size: expected WIDTHxHEIGHT"),
        (["--rig", "none.yaml"], "none.yaml: no such file"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_written(home, capsys, flags, sentence):
    call(*flags, code=2)
    assert sentence in capsys.readouterr().err
    assert not [*home.iterdir()]
