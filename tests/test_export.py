"""The command in this process, on records of minicity and fresh networks."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import sflowgan_tf
from sflowgan_tf import config as settings
from sflowgan_tf import export, loading
from sflowgan_tf.config import Appearance, Phases
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation import beside_released
from sflowgan_tf.evaluation.result import Result, Score
from sflowgan_tf.training import assembly, resuming
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation import artefact
from sflowgan_tf.utils.errors import Failure, UserError
from tests import places
from tests.disks import disk_with_room_for
from tests.front import scene, serving
from tests.tiny import TINY, begun

SCORE = Score(
    group="paired",
    name="l1",
    of="generated",
    value=0.25,
    low=None,
    high=None,
    unit="of the range",
    better="lower",
    n=8,
    counted="frames",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Records, and runs of each kind."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        folder = path / "datasets/minicity"
        assembly.raw_records(TINY, None, folder, workers=1, skip_bad=False)
        kinds = {
            "painter": {"precision": "mixed_bfloat16", "start_run": "older"},
            "labels": {"edge_map": "none"},
            "bounds": {"edge_map": "instances"},
            "colored": {
                "appearance": Appearance(kind="regions", cell=8),
                "dned": dataclasses.replace(TINY.dned, sees="image"),
            },
        }
        for name, changed in kinds.items():
            begun(name, dataclasses.replace(TINY, **changed), folder)
    return path


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


def call(*arguments, code=0):
    assert export.main([*map(str, arguments)]) == code


def test_a_run_is_exported_and_compared_however_it_was_trained(home, tmp_path, capsys):
    figures = Result(
        subject={"run": "painter", "step": 0},
        reference={"frames": 8},
        provenance={},
        scores=[SCORE],
        classes=[],
        warnings=["a warning"],
        pictures=[],
    )
    evaluation = Run.named("painter").folder / "evaluation"
    evaluation.mkdir()
    figures.save(evaluation)
    call("--run", "painter", "--output", tmp_path)
    said = capsys.readouterr().out
    assert "Difference to run runs/painter, step 0, on 4 frames:" in said
    means = re.findall(r"(\w+) +mean (\S+), largest (\d+) \(of 255\)", said)
    assert [name for name, *_ in means] == [
        "serving_default",
        "weighted",
        "encoded",
        "encoded_weighted",
        "edges",
    ]
    assert all(float(mean) < 0.1 for _, mean, _ in means)
    assert f"SavedModel: {tmp_path}/painter/1" in said
    card = json.loads((tmp_path / "painter/1/model_card.json").read_text())
    assert card["metrics"]["scores"][0]["value"] == 0.25
    assert card["metrics"]["warnings"] == ["a warning"]
    assert card["data"]["started_from_run"] == "older"
    assert card["made"]["command"] == (
        f"python -m sflowgan_tf.export --run painter --output {tmp_path}"
    )
    assert "no terms of others" in card["licence"]


def test_a_run_without_edges_is_exported_twice_with_the_same_pictures(home, tmp_path, capsys):
    figures = Result(
        subject={"images": "painted"},
        reference={},
        provenance={},
        scores=[SCORE],
        classes=[],
        warnings=[],
        pictures=[],
    )
    evaluation = Run.named("labels").folder / "evaluation"
    evaluation.mkdir()
    figures.save(evaluation)
    for _ in range(2):
        call("--run", "runs/labels", "--name", "city", "--output", tmp_path)
    assert sorted(path.name for path in (tmp_path / "city").iterdir()) == ["1", "2"]
    first, second = (artefact.load(tmp_path / "city" / version) for version in "12")
    assert first.card.edge_map == "none" and not first.redraws
    assert first.card.metrics is None
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 13, (32, 64), np.uint8)
    image = draw.integers(0, 256, (32, 64, 3), np.uint8)
    painted = first.translate(labels, image, None)
    np.testing.assert_array_equal(painted, second.translate(labels, image, None))
    assert painted.std() > 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--run", "nobody"], "no training has begun there; the runs there are: bounds, colored"),
        (["--run", "bounds"], "edge_map=instances, to compare with, and needs instance maps"),
        (["--run", "labels", "--name", "a/b"], "--name a/b: expected a name without slashes"),
        (["--run", "labels", "--name", ".hidden"], "--name .hidden: expected a name"),
        (["--run", "labels", "--data", "nowhere"], "nowhere/manifest.json: there are no finished"),
    ],
)
def test_a_users_mistake_is_a_line(given, said, capsys, tmp_path):
    call(*given, "--output", tmp_path / "out", code=2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_records_that_do_not_fit_are_refused(home, capsys, tmp_path):
    manifest = Manifest.load(home / "datasets/minicity")
    none = dataclasses.replace(manifest.splits["validation"], records=0, shards=[])
    train = dataclasses.replace(manifest.splits["train"], shards=[])
    splits = {"train": train, "validation": none}
    classes = dataclasses.replace(manifest.classes, names=manifest.classes.names[::-1])
    for changed, said in (
        ({"splits": splits}, "no validation frames to compare on"),
        ({"splits": splits, "classes": classes}, "classes: 13 there, 13 here; 0 is"),
    ):
        dataclasses.replace(manifest, **changed).save(tmp_path / "manifest.json")
        call("--run", "labels", "--data", tmp_path, "--output", tmp_path / "out", code=2)
        assert said in capsys.readouterr().err


def test_a_full_disk_is_a_line_and_nothing_is_left(tmp_path, capsys):
    flags = ("--run", "labels", "--output", tmp_path / "models")
    with disk_with_room_for(20_000):
        call(*flags, code=1)
        call(*flags, "--tflite", "fp32", code=1)
    reason = "can't be written: File too large; raise the limit"
    lines = capsys.readouterr().err.splitlines()
    expected = [tmp_path / "models/labels", tmp_path / "models/labels/generator-64x32-fp32.tflite"]
    assert len(lines) == 2
    for line, place in zip(lines, expected, strict=True):
        assert f"error: {place}: {reason}" in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_model_that_sees_colors_paints_the_same_wherever_it_is(home, tmp_path, capsys):
    call("--run", "colored", "--output", tmp_path)
    said = capsys.readouterr().out
    assert re.search(r"\n  appearance +mean 0\.0", said)
    call("--run", "colored", "--output", tmp_path, "--tflite", "fp16")
    labels, frame = scene(64, 32)
    pictures = {}
    with serving(tmp_path / "colored/1", "colored") as (urls, _):
        file = tmp_path / "colored/generator-dned-64x32-fp16.tflite"
        for what in ("colored", tmp_path / "colored", file, urls["rest"], urls["grpc"]):
            with sflowgan_tf.load(what) as model:
                assert model.palette is not None
                choices = (None, model.palette.given(), model.palette.cluster(4))
                pictures[what] = [
                    model.translate(labels, frame, appearance=choice).astype(int)
                    for choice in choices
                ]
    run = pictures["colored"]
    assert np.abs(run[0] - run[2]).max() > 8
    for what, (default, given, other) in pictures.items():
        most = 8 if what == file else 1
        assert np.abs(default - given).max() <= 1, what
        assert max(np.abs(default - run[0]).max(), np.abs(other - run[2]).max()) <= most, what


@pytest.mark.parametrize("run", ["painter", "colored"])
def test_a_released_model_is_taken_as_a_run_is(home, tmp_path, capsys, run):
    call("--run", run, "--release", "--name", "small", "--output", tmp_path)
    folder = tmp_path / "small"
    assert f"Released model: {folder}" in capsys.readouterr().out
    assert {"config.yaml", "manifest.json", "model_card.json", "weights.npz"} <= {
        file.name for file in folder.iterdir()
    }
    labels, frame = scene()
    pictures = [
        sflowgan_tf.load(what).translate(labels, frame).astype(int)
        for what in (f"runs/{run}", folder)
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.5  # of 255: weights in half precision
    assert loading.exported(folder).classes == sflowgan_tf.load(folder).classes

    started = dataclasses.replace(settings.read(Run(folder).config), start_run=str(folder))
    started = dataclasses.replace(started, phases=Phases(edges=0, dned=1))
    gan = assembly.gan(started, Manifest.load(folder / "manifest.json").classes, epochs=[])
    assert assembly.start_from(gan, started, Manifest.load(folder / "manifest.json")) == 0
    kept = np.load(folder / "weights.npz")["generator_ema/0"].astype(np.float32)
    for network in (gan.generator, gan.generator_ema):
        np.testing.assert_array_equal(network.variables[0].numpy(), kept)

    call("--run", run, "--release", "--name", "small", "--output", tmp_path, code=2)
    assert f"{folder}: is there already" in capsys.readouterr().err


def test_a_released_model_comes_by_its_name(home, tmp_path, monkeypatch, capsys):
    call("--run", "colored", "--release", "--name", "city", "--output", tmp_path)
    monkeypatch.setattr("sflowgan_tf.training.runs.RELEASED", tmp_path)
    labels, frame = scene()
    expected = sflowgan_tf.load(tmp_path / "city").translate(labels, frame)
    for model in (sflowgan_tf.load("city"), loading.exported(Path("city"))):
        np.testing.assert_array_equal(model.translate(labels, frame), expected)
    assert Run.existing("city").folder == tmp_path / "city"
    assert Run.released("city").weights in loading.exported(Path("city")).files
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "runs/painter", "runs/city")  # hides it where a run is asked for
    assert sflowgan_tf.load("city").palette is None
    assert loading.exported(Path("city")).palette is not None
    with pytest.raises(UserError, match="no model of the package"):
        loading.exported(Path("town"))


def test_a_released_model_that_is_damaged_or_of_other_networks_is_named(home, tmp_path):
    call("--run", "painter", "--release", "--name", "small", "--output", tmp_path)
    folder = tmp_path / "small"
    other = dataclasses.replace(TINY, generator=dataclasses.replace(TINY.generator, filters=6))
    settings.save(other, Run(folder).config)
    with pytest.raises(UserError, match=r"weights\.npz does not fit this version's networks"):
        sflowgan_tf.load(folder)
    whole = Run(folder).weights.read_bytes()
    for damaged in (b"", b"PK", whole[:-9], whole[:99] + bytes(99) + whole[198:]):
        Run(folder).weights.write_bytes(damaged)
        with pytest.raises(Failure, match=r"weights\.npz: can't be read"):
            sflowgan_tf.load(folder)


def test_a_released_model_is_not_trained_on(home, tmp_path):
    call("--run", "painter", "--release", "--name", "small", "--output", tmp_path)
    folder = tmp_path / "small"
    with pytest.raises(UserError, match=f"is a released model.* --from {folder} --run NAME"):
        resuming.check_start(settings.read(Run(folder).config), Run(folder))


def test_release_and_tflite_are_two_commands(home, tmp_path, capsys):
    flags = ("--run", "painter", "--release", "--tflite", "fp16", "--output", tmp_path)
    call(*flags, code=2)
    assert "--release and --tflite: choose one" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_the_model_of_the_package_paints(monkeypatch):
    monkeypatch.setattr("sflowgan_tf.training.runs.RELEASED", places.ROOT / "sflowgan_tf/released")
    model = loading.exported(Path("minicity"))
    assert model.size == (256, 128) and model.redraws and model.palette is not None
    labels = np.zeros((64, 128), np.uint8)  # sky above a road
    road = model.classes.names.index("road")
    labels[32:] = road
    frame = np.where(labels[..., None] == road, 90, [140, 185, 235]).astype(np.uint8)
    painted = model.translate(labels, frame).astype(float)
    assert painted[:24].mean() > 150 > 130 > painted[40:].mean() > 50


def test_a_run_is_shown_beside_a_released_model(home, tmp_path):
    call("--run", "colored", "--release", "--name", "city", "--output", tmp_path)
    run, released = Run.named("painter"), Run(tmp_path / "city")
    first, *figures, last = beside_released.compare(run, released, home / "datasets/minicity", 2)
    assert "2 unseen scenes" in first and len(figures) == 3
    sheet = run.samples / "beside-released.png"
    assert str(sheet) in last and sheet.is_file()
