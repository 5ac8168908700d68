"""The command in this process, on records of minicity and fresh networks."""

import dataclasses
import errno
import functools
import os
import resource
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
from sflowgan_tf.evaluation.evaluation import Evaluation
from sflowgan_tf.evaluation.networks import instruments
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import Result
from sflowgan_tf.evaluation.segmenting import assembly as segmenting
from sflowgan_tf.evaluation.subjects import Files
from sflowgan_tf.training import assembly
from sflowgan_tf.training.assembly import restored_translator
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.locks import LOCK, locked
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


@pytest.fixture(autouse=True, scope="module")
def restored_once():
    """No run changes here, so that each one's networks are restored and traced once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "restored_translator", functools.cache(restored_translator))
        patch.setattr(segmenting, "restored", functools.cache(segmenting.restored))
        yield


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


def copied(home, folder):
    """The records, without what evaluations keep beside them."""
    without = shutil.ignore_patterns("raw", ".*")
    return shutil.copytree(home / "datasets/minicity", folder, ignore=without)


def scored(*arguments, code=0):
    assert evaluate.main([*map(str, arguments)]) == code


def value(evaluation, name, of="generated", **detail):
    score = evaluation.find(name, of, **detail)
    assert score is not None, name
    return score.value


def test_the_real_frames_themselves_are_perfect(tmp_path, capsys):
    flags = ("--images", "real", "--reference", "datasets/minicity", "--segmenter", "judge")
    scored(*flags, "--output", tmp_path)
    result = Result.load(tmp_path)
    assert value(result, "l1") == value(result, "perceptual") == 0
    assert value(result, "ssim") == pytest.approx(1)
    assert value(result, "psnr") == pytest.approx(58.92, abs=0.01)
    assert value(result, "fid") == pytest.approx(0, abs=1e-6)
    assert value(result, "mean_iou_ratio", void="ignored") == 1
    assert value(result, "warping_error") == value(result, "warping_error", "real") > 0
    assert result.find("diversity") is None
    assert result.find("warping_error").detail == {"motion": "exact"}
    assert value(result, "l1", "simulator") > 0.01
    for name in ("sharpness", "gradient", "colorfulness", "ringing"):
        assert value(result, name) == value(result, name, "real") == 1
    assert value(result, "color_distance") == value(result, "object_color_real") == 0
    assert value(result, "object_color_simulator") > 0
    assert result.find("fid").n == 8
    assert any("fewer than 2048" in text for text in result.warnings)
    out = capsys.readouterr().out
    assert "mean_iou, void ignored" in out and "Note: FID:" in out and "metrics.json" in out
    rows = (tmp_path / "frames.csv").read_text().splitlines()
    assert len(rows) == 9 and rows[0].startswith("sequence,frame,l1,psnr,ssim,perceptual,")
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet.shape == (22 + 2 * 36, 3 * 64 + 2 * 4, 3), "one frame of each drive"
    assert [one.file for one in result.pictures] == [
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
    flags = ("--reference", "datasets/minicity", "--metrics", "paired", "temporal")
    scored("--images", noisy, *flags)
    result = Result.load(noisy / "evaluation")
    assert value(result, "l1") == pytest.approx(20 * 0.8 / 255, rel=0.15)
    assert value(result, "warping_error") > 2 * value(result, "warping_error", "real")
    assert result.find("mean_iou") is None and result.find("fid") is None
    assert result.classes == []


def test_soft_grey_pictures_look_so(home, tmp_path, capsys):
    mush = tmp_path / "mush"
    for file in (home / "real").rglob("*.png"):
        grey = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2GRAY)
        place = mush / file.relative_to(home / "real")
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), cv2.GaussianBlur(grey, (0, 0), 2))
    flags = ("--reference", "datasets/minicity", "--metrics", "appearance")
    scored("--images", mush, *flags)
    result = Result.load(mush / "evaluation")
    assert value(result, "sharpness") < 0.1 and value(result, "gradient") < 0.6
    assert value(result, "colorfulness") == 0 and value(result, "colorfulness", "simulator") > 0.2
    for name in ("color_distance", "object_color_real", "object_color_simulator"):
        assert value(result, name) > 5
    assert value(result, "object_color_simulator", "real") == value(
        result, "object_color_real", "simulator"
    )
    assert value(result, "object_color_simulator", "simulator") == 0
    for name in ("sharpness", "gradient", "ringing", "color_distance", "object_color_real"):
        score = result.find(name)
        assert score.low <= score.value <= score.high and score.low < score.high, score
    of_road = result.find("gradient", **{"class": "road"})
    assert of_road.value < 1 and of_road.detail["real frames"] > 0
    assert {one.group for one in result.scores} == {"appearance"}
    lines = capsys.readouterr().out.splitlines()
    assert sum(" gradient " in line for line in lines) == 3, "one of each column, none of classes"
    page = (mush / "evaluation/report.html").read_text()
    assert "Appearance of each class" in page and "→ 1" in page and "class road" in page


def test_a_run_is_painted_scored_and_shown(home):
    flags = ("--run", "painter", "--segmenter", "judge")
    scored(*flags)
    output = home / "runs/painter/evaluation"
    result = Result.load(output)
    assert result.subject == {"run": "painter", "step": 0, "edges": "dned", "training seed": 0}
    assert result.reference["frames"] == 8 and result.reference["clips"] == 2
    expected = "python -m sflowgan_tf.evaluate --run painter --segmenter judge"
    assert result.provenance["command"] == expected
    assert value(result, "diversity") > 0
    assert [one.name for one in result.classes][:2] == ["sky", "building"]
    for picture in result.pictures:
        assert (output / picture.file).stat().st_size > 0, picture
    assert "variations.png" in [one.file for one in result.pictures]


def test_the_reference_is_measured_once(home, tmp_path):
    records = copied(home, tmp_path / "records")
    flags = ("--run", "labels", "--reference", records, "--metrics", "temporal")

    def flicker():
        scored(*flags, "--output", tmp_path / "out")
        result = Result.load(tmp_path / "out")
        return [value(result, "flicker", of) for of in ("generated", "real", "simulator")]

    generated, real, simulator = flicker()
    cache = [*(records / ".evaluation").iterdir()]
    assert sorted(file.name.partition("-")[0] for file in cache) == ["real", "simulator"]
    assert flicker() == [generated, real, simulator]
    for file in cache:
        with np.load(file) as arrays:
            changed = {name: arrays[name] for name in arrays}
        for name in changed:
            if name.endswith("/temporal"):
                changed[name] *= 2
        np.savez(file, **changed)
    assert flicker() == pytest.approx([generated, 2 * real, 2 * simulator])
    for file in cache:
        file.write_bytes(file.read_bytes()[:100])
    assert flicker() == [generated, real, simulator], "damaged measurements served"


def test_a_run_without_edges_has_no_variations(home):
    scored("--run", "labels", "--segmenter", "judge", "--metrics", "segmentation")
    result = Result.load(home / "runs/labels/evaluation")
    assert result.subject["edges"] == "none"
    assert result.find("diversity") is None
    assert value(result, "pixel_accuracy", void="ignored") > 0
    assert result.find("l1") is None, "not asked for"
    scored("--run", "labels", "--edges", "dned", code=2)


def test_frames_without_order(home, tmp_path, capsys):
    alone = dataclasses.replace(TINY, minicity=Minicity(sequences=6, frames=1, seed=5))
    folder = tmp_path / "alone"
    assembly.raw_records(alone, None, folder, workers=1, skip_bad=False)
    flags = ("--reference", folder, "--segmenter", "judge")
    scored("--run", "painter", *flags, "--output", tmp_path / "run")
    result = Result.load(tmp_path / "run")
    assert result.find("fid").n == result.reference["clips"] == 4
    assert result.find("fvd") is None and result.find("warping_error") is None
    assert any(
        "FVD was left out: the clips of the reference have 1 f" in w for w in result.warnings
    )

    painted = tmp_path / "painted"
    painted.mkdir()
    for frame in pipeline.every_frame(folder, Manifest.load(folder), "validation"):
        file = painted / frame["sequence"].numpy().decode() / f"{int(frame['frame'])}.png"
        file.parent.mkdir(parents=True)
        Image.fromarray(frame["image_real"].numpy()).save(file)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(painted / "contact-sheet.png")
    for _ in range(2):  # the second time among the pictures of the first
        scored("--images", painted, *flags, "--metrics", "paired")
        assert value(Result.load(painted / "evaluation"), "l1") == 0


def test_what_single_frames_can_not_show_is_refused(home, tmp_path, capsys):
    alone = dataclasses.replace(TINY, minicity=Minicity(sequences=6, frames=1, seed=5))
    assembly.raw_records(alone, None, tmp_path, workers=1, skip_bad=False)
    flags = ("--run", "painter", "--reference", tmp_path, "--split", "train")
    scored(*flags, "--metrics", "temporal", code=2)
    assert "no two consecutive frames" in capsys.readouterr().err


def test_frames_too_small_to_be_scored_are_refused(home, tmp_path, capsys):
    other = copied(home, tmp_path / "other")
    manifest = Manifest.load(other)
    dataclasses.replace(manifest, size=(32, 8)).save(other / "manifest.json")
    scored("--run", "painter", "--reference", other, code=2)
    said = capsys.readouterr().err
    assert "frames of 32x8; pictures are scored from 16 pixels a side on" in said


def test_edges_of_another_threshold_are_told(home, tmp_path):
    """Those of the same threshold are not: see `test_files_of_an_evaluation_...`."""
    other = copied(home, tmp_path / "other")
    manifest = Manifest.load(other)
    edges = dataclasses.replace(manifest.edges, threshold=7.0)
    dataclasses.replace(manifest, edges=edges).save(other / "manifest.json")
    flags = ("--run", "painter", "--metrics", "paired", "--output", tmp_path)
    scored(*flags, "--reference", other)
    edges = "made with records.edges.threshold=7, records.edges.blur=0, "
    assert any(edges in text for text in Result.load(tmp_path).warnings)


def test_laplacian_edges_on_demand(home, tmp_path, capsys):
    scored("--run", "painter", "--edges", "laplacian", "--output", tmp_path)
    result = Result.load(tmp_path)
    assert result.subject["edges"] == "laplacian"
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note:")]
    assert any("name a --segmenter" in note for note in notes)
    assert not any("FID was left out" in note for note in notes)
    assert result.find("perceptual").detail["network"].startswith("VGG16 of HED (hed_bsds500")
    assert result.find("fid").detail["network"].startswith("VGG16 of HED (mean of")


def test_the_past_steadies_what_is_scored(home, tmp_path):
    results = {}
    for weight in ("0", "0.6"):
        flags = ("--run", "painter", "--metrics", "temporal", "--output", tmp_path / weight)
        scored(*flags, "--history", weight)
        results[weight] = Result.load(tmp_path / weight)
    assert value(results["0.6"], "warping_error") < 0.9 * value(results["0"], "warping_error")
    assert value(results["0.6"], "flicker") < 0.9 * value(results["0"], "flicker")
    for of in ("real", "simulator"):
        assert value(results["0.6"], "flicker", of) == value(results["0"], "flicker", of)
    assert results["0.6"].subject["history"] == 0.6 and "history" not in results["0"].subject
    for weight, is_said in (("0", False), ("0.6", True)):
        captions = {one.file: one.caption for one in results[weight].pictures}
        assert ("by itself, without those before it" in captions["samples.png"]) is is_said


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
    flags = ("--run", "painter", "--segmenter", tmp_path / "s", "--output", tmp_path / "out")
    scored(*flags, "--segmenter-classes", tmp_path / "classes.yaml", "--metrics", "segmentation")
    result = Result.load(tmp_path / "out")
    by_name = {one.name: one.iou["real"] for one in result.classes}
    assert 0 < by_name.pop("sky") < 1
    assert not any(by_name.values())
    text = result.find("pixel_accuracy", "real", void="ignored").detail["segmenter"]
    assert ", outputs of classes.yaml (sha256 " in text


@pytest.mark.parametrize(
    ("flags", "said"),
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
        (("--run", "painter", "--features", "segmenter"), "--features segmenter: needs a --segm"),
        (("--run", "painter", "--features", "hed", "--inception", "imagenet"), "leave one of the"),
        (("--run", "labels", "--metrics", "diversity"), "diversity: needs a --run that paints"),
    ],
    ids=str,
)
def test_a_users_mistake_is_said(flags, said, capsys):
    scored(*flags, code=2)
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
    flags = ("--reference", "datasets/minicity", "--metrics", "paired", "--output", "out")
    scored("--run", run, *flags)
    assert Result.load(tmp_path / "out").reference["frames"] == 2


def test_files_of_an_evaluation_take_the_place_of_those_before(home, tmp_path):
    flags = ("--run", "painter", "--output", tmp_path)
    scored(*flags, "--metrics", "paired")
    written = {file.name for file in tmp_path.iterdir()}
    assert {"best.png", "variations.png", "report.html"} <= written
    assert not any("threshold" in text for text in Result.load(tmp_path).warnings)
    scored(*flags, "--metrics", "temporal", "--edges", "laplacian")
    left = written - {file.name for file in tmp_path.iterdir()}
    assert left == {"best.png", "worst.png", "variations.png"}


def test_where_an_evaluation_is_at_work_a_second_one_is_refused(home, tmp_path, capsys):
    flags = ("--run", "labels", "--metrics", "paired", "--output", tmp_path / "out")
    with locked(tmp_path / "out", ""):
        scored(*flags, code=2)
    said = capsys.readouterr().err
    assert "another command is at work there" in said and "or choose another --output" in said
    assert [file.name for file in (tmp_path / "out").iterdir()] == [LOCK]
    scored(*flags)


def test_a_full_disk_is_one_sentence_and_nothing_half_written(home, tmp_path, capsys):
    """A limit on a file's size stands for the disk: writing behind it fails in the same way."""
    flags = ("--run", "painter", "--metrics", "temporal", "--output", tmp_path)
    scored(*flags)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name, place in {"film.mp4": "/film.mp4", "samples.png": "", "report.html": ""}.items():
        capsys.readouterr()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[name]) - 1, hard))
        try:
            scored(*flags, "--seed", "1", code=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        last = capsys.readouterr().err.strip().rpartition("\n")[2]
        assert f"error: {tmp_path}{place}: can't be written" in last
        assert "Errno" not in last and ".partial" not in last
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    scored(*flags, "--seed", "1")
    assert Result.load(tmp_path).provenance["evaluation seed"] == 1


@pytest.mark.parametrize(
    "error",
    [
        Failure("server:8500: no longer answers; No such file or directory"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "validation.tfrecord"),
    ],
)
def test_what_fails_while_measuring_keeps_its_own_sentence(home, tmp_path, error):
    class Failing(Files):
        def picture(self, frame):
            raise error

    records = home / "datasets/minicity"
    manifest = Manifest.load(records)
    reference = Reference(folder=records, manifest=manifest, split="validation")
    networks = instruments(
        reference, {"paired"}, judge=None, features="hed", inception=None, i3d=None, vgg="random"
    )
    evaluation = Evaluation(
        subject=Failing.find(home / "real", reference.places(), manifest.size),
        reference=reference,
        instruments=networks,
        judge=None,
        groups=frozenset({"paired"}),
        seed=0,
    )
    with pytest.raises(type(error)) as raised:
        evaluation.run(tmp_path / "out", "")
    assert raised.value is error
    assert [file.name for file in (tmp_path / "out").iterdir()] == [LOCK]


def test_a_truncated_shard_is_named(home, tmp_path, capsys):
    cut = copied(home, tmp_path / "cut")
    (shard,) = Manifest.load(cut).splits["validation"].shards
    os.truncate(cut / shard["file"], (cut / shard["file"]).stat().st_size - 9)
    scored("--run", "painter", "--reference", cut, "--output", tmp_path / "out", code=2)
    assert f"{shard['file']}: record 7 is damaged (truncated" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == [LOCK]


def test_records_that_can_not_be_written_to_are_measured_anew(home, tmp_path):
    records = copied(home, tmp_path / "records")
    (records / ".evaluation").write_text("a file in the place of the cache's folder")
    flags = ("--reference", records, "--metrics", "temporal", "--output", tmp_path / "out")
    scored("--run", "labels", *flags)
    assert value(Result.load(tmp_path / "out"), "flicker") > 0


def test_the_past_moves_as_in_translate_whatever_the_reference_estimates(home, tmp_path):
    """History's flow has the settings of the run's records; the metric's has the reference's."""
    results = {}
    for winsize in (15, 7):
        records = tmp_path / f"records-{winsize}"
        copied(home, records)
        manifest = Manifest.load(records)
        flow = dataclasses.replace(manifest.flow, winsize=winsize)
        dataclasses.replace(manifest, flow=flow, has_motion=False).save(records / "manifest.json")
        output = tmp_path / f"out-{winsize}"
        flags = ("--reference", records, "--metrics", "paired", "temporal", "--output", output)
        scored("--run", "painter", "--history", "0.6", *flags)
        results[winsize] = Result.load(output)
    for name in ("l1", "perceptual"):
        assert value(results[15], name) == value(results[7], name)
    for of in ("generated", "real"):
        assert value(results[15], "warping_error", of) != value(results[7], "warping_error", of)


def test_records_without_what_is_asked_for(home, tmp_path, capsys):
    manifest = Manifest.load(home / "datasets/minicity")
    other = copied(home, tmp_path / "other")
    empty = dataclasses.replace(manifest.splits["validation"], records=0, pairs=0, shards=[])
    splits = manifest.splits | {"validation": empty}
    dataclasses.replace(manifest, splits=splits).save(other / "manifest.json")
    scored("--run", "painter", "--reference", other, code=2)
    assert "its validation split is empty" in capsys.readouterr().err
    classes = dataclasses.replace(manifest.classes, names=manifest.classes.names[::-1])
    dataclasses.replace(manifest, classes=classes).save(other / "manifest.json")
    scored("--run", "painter", "--reference", other, code=2)
    assert "was trained on other classes (classes: 13 there, 13 here; " in capsys.readouterr().err
    flags = ("--images", "real", "--reference", other, "--segmenter", "judge")
    scored(*flags, code=2)
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
    bare = copied(home, tmp_path / "bare")
    manifest = Manifest.load(bare)
    dataclasses.replace(manifest, has_cg=False, has_motion=False).save(bare / "manifest.json")
    flags = ("--run", "painter", "--reference", bare, "--metrics", "temporal", "--output", tmp_path)
    scored(*flags)
    result = Result.load(tmp_path)
    assert {one.of for one in result.scores} == {"generated", "real"}
    assert result.find("warping_error").detail == {"motion": "Farneback on the real film"}
    assert any("edges are the real frames' own" in text for text in result.warnings)
