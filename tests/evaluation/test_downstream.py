"""Segmenters trained on each kind of frames, on records of minicity and a painter never trained."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import sflowgan_tf
from sflowgan_tf import config as settings
from sflowgan_tf import downstream
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from tests.recipes import TINY_NETWORKS
from tests.tiny import TINY, begun

DATA = Path("datasets/minicity")
SETTINGS = [
    *TINY_NETWORKS,
    "records.size=64x32",
    "records.validation_fraction=0.7",
    "records.edges.threshold=60",
    "minicity.sequences=3",
    "minicity.frames=4",
    "segmenter.kind=small",
    "segmenter.filters=2",
    "segmenter.epochs=1",
]


def call(*more, code=0):
    assert downstream.main(["--dataset", "minicity", *SETTINGS, *more]) == code


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Records with one drive to train on and two to test on, and what came of two seeds."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assembly.raw_records(TINY, None, path / DATA, workers=1, skip_bad=False)
        begun("painter", TINY, DATA)
        call("--run", "painter", "--seeds", "2")
    return path


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


OUTPUT = Path("runs/painter-downstream")


def frames(folder, split):
    return [*pipeline.every_frame(folder, Manifest.load(folder), split)]


def test_each_kind_of_frames_stands_in_for_the_photos():
    model = sflowgan_tf.load("painter")
    given = frames(DATA, "train")
    expected = {
        "simulator": [frame["image_cg"].numpy() for frame in given],
        "real": [frame["image_real"].numpy() for frame in given],
        "painted": [
            model.translate(frame["labels"].numpy(), frame["image_cg"].numpy()) for frame in given
        ],
    }
    for kind, pictures in expected.items():
        records = OUTPUT / "records" / kind
        for frame, picture, original in zip(frames(records, "train"), pictures, given, strict=True):
            difference = np.abs(frame["image_real"].numpy().astype(int) - picture).mean()
            assert difference < 4  # levels; a record's photos are JPEGs
            np.testing.assert_array_equal(frame["labels"], original["labels"])
            assert frame["sequence"] == original["sequence"]
        tested = zip(frames(records, "validation"), frames(DATA, "validation"), strict=True)
        for frame, original in tested:
            np.testing.assert_array_equal(frame["image_real"], original["image_real"])


def test_all_are_trained_alike():
    configs = {path.parent.name: path.read_text() for path in OUTPUT.glob("*/config.yaml")}
    assert set(configs) == {f"{k}-{n}" for k in ("simulator", "painted", "real") for n in (0, 1)}
    assert len(set(configs.values())) == 2  # the seeds
    assert {Run(OUTPUT / name).steps[0] for name in configs} == {1}  # batches


def test_figures_have_intervals_and_gains():
    found = json.loads((OUTPUT / "downstream.json").read_text())
    assert [each["trained_on"] for each in found] == ["simulator", "painted", "real"]
    assert found[0]["gain"] is None
    for each in found:
        score = each["mean_iou"]
        assert score["low"] <= score["high"]
        assert len(each["seeds"]) == 2 and all(0 <= seed <= 1 for seed in each["seeds"])
        assert np.isclose(np.mean(each["seeds"]), score["estimate"])
    for each in found[1:]:
        difference = each["mean_iou"]["estimate"] - found[0]["mean_iou"]["estimate"]
        assert np.isclose(each["gain"]["estimate"], difference)
    assert (OUTPUT / "downstream.png").is_file()


def test_the_same_command_again_makes_nothing_anew(capsys):
    def stamps():
        files = [*OUTPUT.rglob("*.tfrecord"), *OUTPUT.rglob("step-*")]
        return {file: file.stat().st_mtime_ns for file in files}

    before, figures = stamps(), (OUTPUT / "downstream.json").read_bytes()
    call("--run", "painter", "--seeds", "2")
    assert stamps() == before and (OUTPUT / "downstream.json").read_bytes() == figures
    assert "trained on painted" in capsys.readouterr().out


def test_what_was_made_of_another_run_is_kept(capsys):
    begun("other", TINY, DATA)
    call("--run", "other", "--output", str(OUTPUT), code=2)
    assert "holds a comparison of other run; choose another --output" in capsys.readouterr().err


def test_without_a_simulator_there_is_nothing_to_compare(tmp_path, capsys):
    source = Manifest.load(DATA)
    for file in DATA.glob("*.tfrecord"):
        (tmp_path / file.name).hardlink_to(file)
    dataclasses.replace(source, has_cg=False).save(tmp_path / "manifest.json")
    call("--run", "painter", "--data", str(tmp_path), "--output", str(tmp_path / "o"), code=2)
    assert "holds no simulator's frames" in capsys.readouterr().err


def linked(source, folder, **changes):
    """The records of a folder under another name, with a manifest that says something else."""
    folder.mkdir()
    for file in source.glob("*.tfrecord"):
        (folder / file.name).hardlink_to(file)
    dataclasses.replace(Manifest.load(source), **changes).save(folder / "manifest.json")
    return folder


def test_real_frames_may_be_of_other_scenes(tmp_path):
    streets = [*SETTINGS, "minicity.sequences=5", "minicity.seed=4", "records.seed=1"]
    streets += ["records.edges.threshold=30"]  # which segmenters do not see
    other = settings.load("minicity", None, streets, task="segmentation")
    assembly.raw_records(other, None, tmp_path / "streets", workers=1, skip_bad=False)
    real = tmp_path / "streets"
    scenes = linked(DATA, tmp_path / "scenes", has_cg=False)  # a recording's photos are its frames
    output = tmp_path / "output"
    given = ["--data", str(scenes), "--real", str(real), "--output", str(output)]
    call("--run", "painter", *given, "segmenter.epochs=4")
    for kind, source in {"simulator": scenes, "painted": scenes, "real": real}.items():
        made = output / "records" / kind
        names = [frame["sequence"].numpy() for frame in frames(made, "train")]
        assert names == [frame["sequence"].numpy() for frame in frames(source, "train")]
        tested = zip(frames(made, "validation"), frames(real, "validation"), strict=True)
        for frame, original in tested:
            np.testing.assert_array_equal(frame["image_real"], original["image_real"])
    updates = {kind: Run(output / f"{kind}-0").steps[0] for kind in ("simulator", "real")}
    assert updates == {"simulator": 4, "real": 4}  # of 4 and 8 frames: 4 and 2 epochs


def test_real_frames_are_not_compared_with_themselves_under_another_name(tmp_path, capsys):
    scenes = linked(DATA, tmp_path / "scenes", has_cg=False)
    given = ["--data", str(scenes), "--real", str(scenes / ".." / "scenes")]
    call("--run", "painter", *given, "--output", str(tmp_path / "o"), code=2)
    assert "holds no simulator's frames" in capsys.readouterr().err


def test_sizes_of_scenes_and_real_frames_must_be_one(tmp_path, capsys):
    real = linked(DATA, tmp_path / "real", size=(32, 32))
    call("--run", "painter", "--real", str(real), "--output", str(tmp_path / "o"), code=2)
    assert "frames of 64x32, those of" in capsys.readouterr().err
