"""The command in this process, on records of minicity and fresh networks."""

import dataclasses
import json
import os
import shutil

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf import evaluate
from sflowgan_tf.config import Minicity
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.result import Result
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from tests.tiny import JUDGE, TINY, begun


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Records with two drives of four frames to score, a run, and a segmenter."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        folder = path / "datasets/minicity"
        assembly.raw_records(TINY, None, folder, workers=1, skip_bad=False)
        begun("painter", TINY, folder)
        begun("labels", dataclasses.replace(TINY, edge_map="none"), folder)
        begun("judge", JUDGE, folder)
        real = path / "real"
        for frame in pipeline.every_frame(folder, Manifest.load(folder), "validation"):
            file = real / frame["sequence"].numpy().decode() / f"{int(frame['frame']):03d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(frame["image_real"].numpy()).save(file)
    return path


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


def scored(*arguments, code=0):
    assert evaluate.main([*map(str, arguments)]) == code


def value(evaluation, name, of="generated", **detail):
    score = evaluation.find(name, of, **detail)
    assert score is not None, name
    return score.value


def test_the_real_frames_themselves_are_perfect(tmp_path, capsys):
    given = ("--images", "real", "--reference", "datasets/minicity", "--segmenter", "judge")
    scored(*given, "--output", tmp_path)
    found = Result.load(tmp_path)
    assert value(found, "l1") == value(found, "perceptual") == 0
    assert value(found, "ssim") == pytest.approx(1)
    assert value(found, "psnr") == pytest.approx(58.92, abs=0.01)
    assert value(found, "fid") == pytest.approx(0, abs=1e-6)
    assert value(found, "mean_iou_ratio", void="ignored") == 1
    assert value(found, "warping_error") == value(found, "warping_error", "real") > 0
    assert found.find("diversity") is None
    assert found.find("warping_error").detail == {"motion": "exact"}
    assert value(found, "l1", "simulator") > 0.01
    assert found.find("fid").n == 8
    assert any("fewer than 2048" in text for text in found.warnings)
    out = capsys.readouterr().out
    assert "mean_iou, void ignored" in out and "Note: FID:" in out and "metrics.json" in out
    rows = (tmp_path / "frames.csv").read_text().splitlines()
    assert len(rows) == 9 and rows[0].startswith("sequence,frame,l1,psnr,ssim,perceptual,")
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet.shape == (22 + 2 * 36, 3 * 64 + 2 * 4, 3), "one frame of each drive"
    assert [one.file for one in found.pictures] == [
        "samples.png",
        "best.png",
        "worst.png",
        "film.mp4",
    ]


def test_noisy_pictures_are_worse(home, tmp_path):
    noisy, draw = tmp_path / "noisy", np.random.default_rng(0)
    for file in (home / "real").rglob("*.png"):
        picture = np.asarray(Image.open(file)).astype(float)
        place = noisy / file.relative_to(home / "real")
        place.parent.mkdir(parents=True, exist_ok=True)
        noise = draw.normal(0, 20, picture.shape)
        Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)).save(place)
    given = ("--reference", "datasets/minicity", "--metrics", "paired", "temporal")
    scored("--images", noisy, *given)
    found = Result.load(noisy / "evaluation")
    assert value(found, "l1") == pytest.approx(20 * 0.8 / 255, rel=0.15)
    assert value(found, "warping_error") > 2 * value(found, "warping_error", "real")
    assert found.find("mean_iou") is None and found.find("fid") is None
    assert found.classes == []


def test_a_run_is_painted_scored_and_shown(home, monkeypatch):
    given = ("--run", "painter", "--segmenter", "judge")
    shutil.rmtree(home / "datasets/minicity/.evaluation", ignore_errors=True)
    scored(*given)
    output = home / "runs/painter/evaluation"
    first = (output / "metrics.json").read_text()
    found = Result.load(output)
    assert found.subject == {"run": "painter", "step": 0, "edges": "dned", "training seed": 0}
    assert found.reference["frames"] == 8 and found.reference["clips"] == 2
    expected = "python -m sflowgan_tf.evaluate --run painter --segmenter judge"
    assert found.provenance["command"] == expected
    assert value(found, "diversity") > 0
    assert [one.name for one in found.classes][:2] == ["sky", "building"]
    for picture in found.pictures:
        assert (output / picture.file).stat().st_size > 0, picture
    assert "variations.png" in [one.file for one in found.pictures]

    measured = []
    original = measuring.Instruments.measure
    monkeypatch.setattr(
        measuring.Instruments,
        "measure",
        lambda *args: measured.append(args) or original(*args),
    )
    scored(*given)
    assert len(measured) == 1, "the reference was measured again"

    def figures(text):
        return json.loads(text) | {"made": None}

    assert figures((output / "metrics.json").read_text()) == figures(first)
    for kept in (home / "datasets/minicity/.evaluation").iterdir():
        kept.write_bytes(kept.read_bytes()[:100])
    scored(*given)
    assert len(measured) == 4, "damaged figures were used"
    assert figures((output / "metrics.json").read_text()) == figures(first)


def test_a_run_without_edges_has_no_variations(home):
    scored("--run", "labels", "--segmenter", "judge", "--metrics", "segmentation")
    found = Result.load(home / "runs/labels/evaluation")
    assert found.subject["edges"] == "none"
    assert found.find("diversity") is None
    assert value(found, "pixel_accuracy", void="ignored") > 0
    assert found.find("l1") is None, "not asked for"
    scored("--run", "labels", "--edges", "dned", code=2)


def test_frames_without_order(home, tmp_path, capsys):
    alone = dataclasses.replace(TINY, minicity=Minicity(sequences=6, frames=1, seed=5))
    folder = tmp_path / "alone"
    assembly.raw_records(alone, None, folder, workers=1, skip_bad=False)
    given = ("--reference", folder, "--segmenter", "judge")
    scored("--run", "painter", *given, "--output", tmp_path / "run")
    found = Result.load(tmp_path / "run")
    assert found.find("fid").n == found.reference["clips"] == 4
    assert found.find("fvd") is None and found.find("warping_error") is None
    assert any("FVD was left out: the clips of the reference have 1 f" in w for w in found.warnings)

    painted = tmp_path / "painted"
    painted.mkdir()
    for frame in pipeline.every_frame(folder, Manifest.load(folder), "validation"):
        file = painted / frame["sequence"].numpy().decode() / f"{int(frame['frame'])}.png"
        file.parent.mkdir(parents=True)
        Image.fromarray(frame["image_real"].numpy()).save(file)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(painted / "contact-sheet.png")
    for _ in range(2):  # the second time among the pictures of the first
        scored("--images", painted, *given, "--metrics", "paired")
        assert value(Result.load(painted / "evaluation"), "l1") == 0


def test_what_single_frames_can_not_show_is_refused(home, tmp_path, capsys):
    alone = dataclasses.replace(TINY, minicity=Minicity(sequences=6, frames=1, seed=5))
    assembly.raw_records(alone, None, tmp_path, workers=1, skip_bad=False)
    given = ("--run", "painter", "--reference", tmp_path, "--split", "train")
    scored(*given, "--metrics", "temporal", code=2)
    assert "no two consecutive frames" in capsys.readouterr().err


def test_edges_of_another_threshold_are_told(home, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(home / "datasets/minicity", other, ignore=shutil.ignore_patterns("raw", ".*"))
    manifest = Manifest.load(other)
    edges = dataclasses.replace(manifest.edges, threshold=7.0)
    dataclasses.replace(manifest, edges=edges).save(other / "manifest.json")
    given = ("--run", "painter", "--metrics", "paired", "--output", tmp_path)
    scored(*given, "--reference", other)
    told = "made with records.edges.threshold=7, records.edges.blur=0, those"
    assert any(told in text for text in Result.load(tmp_path).warnings)
    scored(*given)
    assert not any("threshold" in text for text in Result.load(tmp_path).warnings)


def test_laplacian_edges_on_demand(home, tmp_path, capsys):
    scored("--run", "painter", "--edges", "laplacian", "--metrics", "paired", "--output", tmp_path)
    found = Result.load(tmp_path)
    assert found.subject["edges"] == "laplacian"
    scored("--run", "painter", "--output", tmp_path)
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note:")]
    assert any("name a --segmenter" in note for note in notes)
    assert any("name --inception" in note for note in notes)


def test_the_past_steadies_what_is_scored(home, tmp_path):
    found = {}
    for weight in ("0", "0.6"):
        given = ("--run", "painter", "--metrics", "temporal", "--output", tmp_path / weight)
        scored(*given, "--history", weight)
        found[weight] = Result.load(tmp_path / weight)
    assert value(found["0.6"], "warping_error") < 0.9 * value(found["0"], "warping_error")
    assert value(found["0.6"], "flicker") < 0.9 * value(found["0"], "flicker")
    for of in ("real", "simulator"):
        assert value(found["0.6"], "flicker", of) == value(found["0"], "flicker", of)
    assert found["0.6"].subject["history"] == 0.6 and "history" not in found["0"].subject
    for weight, told in (("0", False), ("0.6", True)):
        captions = {one.file: one.caption for one in found[weight].pictures}
        assert ("by itself, without history" in captions["samples.png"]) is told


def test_a_segmenter_of_other_classes(home, tmp_path):
    """It calls all that is bright sky, and the rest something that the records do not have."""
    module = tf.Module()
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8)
    module.call = tf.function(lambda x: {"ids": tf.cast(x[..., 2] < 128, tf.int32)}, [spec])
    tf.saved_model.save(module, str(tmp_path / "s"), signatures={"serving_default": module.call})
    names = [*Manifest.load(home / "datasets/minicity").classes.names]
    (tmp_path / "classes.yaml").write_text(
        "\n".join(["- sky", "- null", *map("- {}".format, names)])
    )
    given = ("--run", "painter", "--segmenter", tmp_path / "s", "--output", tmp_path / "out")
    scored(*given, "--segmenter-classes", tmp_path / "classes.yaml", "--metrics", "segmentation")
    found = Result.load(tmp_path / "out")
    by_name = {one.name: one.iou["real"] for one in found.classes}
    assert 0 < by_name.pop("sky") < 1
    assert not any(by_name.values())
    told = found.find("pixel_accuracy", "real", void="ignored").detail["segmenter"]
    assert ", outputs of classes.yaml (sha256 " in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--images", "real"), "--images: needs --reference"),
        (("--images", "real", "--reference", "d", "--history", "0.1"), "--history: is for --run"),
        (("--run", "painter", "--segmenter-classes", "c"), "--segmenter-classes: is for"),
        (("--run", "painter", "--segmenter", "judge", "--segmenter-classes", "c"), "knows its"),
        (("--images", "real", "--reference", "d", "--edges", "dned"), "--edges: is for --run"),
        (("--run", "nobody"), "no training has begun there"),
        (("--run", "judge"), "is no run of fit"),
        (("--run", "painter", "--segmenter", "labels"), "is no run of segment"),
        (("--run", "painter", "--reference", "nowhere"), "no finished records"),
        (("--run", "painter", "--inception", "nowhere.h5"), "no file nowhere.h5"),
        (("--run", "painter", "--i3d", "nowhere"), "no saved_model.pb"),
        (("--run", "painter", "--vgg", "nowhere.h5"), "--vgg"),
        (("--run", "painter", "--metrics", "segmentation"), "segmentation: needs a --segmenter"),
        (("--run", "painter", "--metrics", "distribution"), "distribution: needs --inception, "),
        (("--run", "labels", "--metrics", "diversity"), "diversity: needs a --run that paints"),
    ],
    ids=str,
)
def test_a_users_mistake_is_said(given, said, capsys):
    scored(*given, code=2)
    assert said in capsys.readouterr().err


def test_a_missing_picture_stops_before_anything_is_written(home, tmp_path, capsys):
    shutil.copytree(home / "real", tmp_path / "some")
    next((tmp_path / "some").rglob("*.png")).unlink()
    scored("--images", tmp_path / "some", "--reference", "datasets/minicity", code=2)
    assert "1 of 8 frames have none" in capsys.readouterr().err
    assert not (tmp_path / "some/evaluation").exists()


def test_records_of_another_training_are_not_taken_unasked(home, tmp_path, capsys, monkeypatch):
    other = dataclasses.replace(TINY, minicity=Minicity(sequences=3, frames=1, seed=5))
    assembly.raw_records(other, None, tmp_path / "datasets/minicity", workers=1, skip_bad=False)
    monkeypatch.chdir(tmp_path)
    run = home / "runs/painter"
    scored("--run", run, code=2)
    assert "datasets/minicity holds other records than those that run" in capsys.readouterr().err
    given = ("--reference", "datasets/minicity", "--metrics", "paired", "--output", "out")
    scored("--run", run, *given)
    assert Result.load(tmp_path / "out").reference["frames"] == 2


def test_files_of_an_evaluation_take_the_place_of_those_before(home, tmp_path, monkeypatch):
    given = ("--run", "painter", "--output", tmp_path)
    scored(*given, "--metrics", "paired")
    written = {file.name for file in tmp_path.iterdir()}
    assert {"best.png", "variations.png", "report.html"} <= written
    with monkeypatch.context() as patch:
        patch.setattr(evaluation.report, "write", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            scored(*given, "--metrics", "temporal")
    assert {file.name for file in tmp_path.iterdir()} == written
    assert value(Result.load(tmp_path), "l1") > 0
    scored(*given, "--metrics", "temporal", "--edges", "laplacian")
    left = written - {file.name for file in tmp_path.iterdir()}
    assert left == {"best.png", "worst.png", "variations.png"}


def test_a_truncated_shard_is_named(home, tmp_path, capsys):
    cut = tmp_path / "cut"
    shutil.copytree(home / "datasets/minicity", cut, ignore=shutil.ignore_patterns("raw", ".*"))
    (shard,) = Manifest.load(cut).splits["validation"].shards
    os.truncate(cut / shard["file"], (cut / shard["file"]).stat().st_size - 9)
    scored("--run", "painter", "--reference", cut, "--output", tmp_path / "out", code=2)
    assert f"{shard['file']}: record 7 is damaged (truncated" in capsys.readouterr().err
    assert not [*(tmp_path / "out").iterdir()]


def test_records_that_can_not_be_written_to_are_measured_anew(home, tmp_path, monkeypatch):
    def save(file, clips):
        raise PermissionError(file)

    monkeypatch.setattr(evaluation.measuring, "save", save)
    given = ("--metrics", "temporal", "--vgg", "random", "--output", tmp_path)
    scored("--run", "labels", *given)
    assert value(Result.load(tmp_path), "flicker") > 0


def test_records_without_what_is_asked_for(home, tmp_path, capsys):
    manifest = Manifest.load(home / "datasets/minicity")
    other = tmp_path / "other"
    shutil.copytree(home / "datasets/minicity", other, ignore=shutil.ignore_patterns("raw", ".*"))
    empty = dataclasses.replace(manifest.splits["validation"], records=0, pairs=0, shards=[])
    splits = manifest.splits | {"validation": empty}
    dataclasses.replace(manifest, splits=splits).save(other / "manifest.json")
    scored("--run", "painter", "--reference", other, code=2)
    assert "its validation split is empty" in capsys.readouterr().err
    classes = dataclasses.replace(manifest.classes, names=manifest.classes.names[::-1])
    dataclasses.replace(manifest, classes=classes).save(other / "manifest.json")
    scored("--run", "painter", "--reference", other, code=2)
    assert "has the classes of table" in capsys.readouterr().err
    given = ("--images", "real", "--reference", other, "--segmenter", "judge")
    scored(*given, code=2)
    assert "was trained on the classes of" in capsys.readouterr().err
    run = Run.named(str(tmp_path / "bounded"))
    begun(
        str(run.folder), dataclasses.replace(TINY, edge_map="instances"), home / "datasets/minicity"
    )
    bare = dataclasses.replace(manifest, has_instances=False)
    bare.save(other / "manifest.json")
    scored("--run", run.folder, "--reference", other, code=2)
    assert "has no instances" in capsys.readouterr().err


def test_without_simulator_and_motion_the_real_film_stands_in(home, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(home / "datasets/minicity", bare, ignore=shutil.ignore_patterns("raw", ".*"))
    manifest = Manifest.load(bare)
    dataclasses.replace(manifest, has_cg=False, has_motion=False).save(bare / "manifest.json")
    given = ("--run", "painter", "--reference", bare, "--metrics", "temporal", "--output", tmp_path)
    scored(*given)
    found = Result.load(tmp_path)
    assert {one.of for one in found.scores} == {"generated", "real"}
    assert found.find("warping_error").detail == {"motion": "Farneback on the real film"}
    assert any("edges are the real frames' own" in text for text in found.warnings)
