"""`sflowgan_tf.load`: a trained model, wherever it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import sflowgan_tf
from tests import places
from tests.front import scene, serving

LABELS, FRAME = scene(64, 32)


@pytest.fixture(scope="module")
def urls(archive):
    with serving(archive / "saved_models/painter/1", "painter") as (urls, _):
        yield urls


@pytest.fixture
def home(archive, monkeypatch):
    monkeypatch.chdir(archive)


def test_a_model_paints_the_same_wherever_it_is(home, urls):
    kinds = {
        "name of a run": "painter",
        "folder of a run": "runs/painter",
        "path": Path("runs/painter"),
        "SavedModel": "saved_models/painter/1",
        "its versions": Path("saved_models/painter"),
        "TFLite": "saved_models/painter/generator-dned-64x32-fp16.tflite",
        "REST": urls["rest"],
        "gRPC": urls["grpc"],
    }
    pictures = {}
    for kind, what in kinds.items():
        with sflowgan_tf.load(what) as model:
            assert isinstance(model, sflowgan_tf.Model)
            assert model.size == (64, 32) and model.redraws
            assert model.classes.name == "synthia" and model.flow == sflowgan_tf.Farneback()
            pictures[kind] = model.translate(LABELS, FRAME).astype(int)
    for kind, picture in pictures.items():
        assert picture.shape == FRAME.shape
        difference = np.abs(picture - pictures["name of a run"])
        assert difference.max() <= (8 if kind == "TFLite" else 1), kind


def test_a_run_comes_before_a_folder_of_that_name(archive, tmp_path, monkeypatch):
    shutil.copytree(archive / "runs/painter", tmp_path / "runs/painter")
    shutil.copytree(archive / "saved_models/painter", tmp_path / "painter")
    monkeypatch.chdir(tmp_path)
    assert sflowgan_tf.load("painter").origin["run"] == "painter"
    assert "model" in sflowgan_tf.load("./painter").origin


@pytest.mark.parametrize(
    "folder", ["runs/painter", "saved_models/painter", "saved_models/painter/1"]
)
def test_a_model_lies_in_the_folder_one_is_in_or_above(archive, monkeypatch, folder):
    monkeypatch.chdir(archive / folder)
    assert sflowgan_tf.load(".").size == (64, 32)
    (inner, *_) = (path for path in Path.cwd().iterdir() if path.is_dir())
    monkeypatch.chdir(inner)
    assert sflowgan_tf.load("..").size == (64, 32)


@pytest.mark.parametrize("what", [".", "..", "/", "", " ", "./file.bin", "file.bin"])
def test_what_is_no_model_is_not_taken_for_a_run(tmp_path, monkeypatch, what):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    Path("file.bin").write_bytes(b"no model")
    with pytest.raises(sflowgan_tf.UserError) as raised:
        sflowgan_tf.load(what)
    assert "--run" not in str(raised.value)
    assert str(raised.value).startswith(f"{what.removeprefix('./') or repr('')}: ")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("nothing", "nothing: no such run or folder; expected a run in runs/ or its folder, the"),
        ("no.tflite", "no.tflite: no such folder or file"),
        ("records", r"records: no saved_model\.pb in it; expected the folder of a SavedModel"),
        ("http://localhost:1", "expected http://HOST:8501/v1/models/NAME"),
        ("runs/judge", "runs/judge is no run of fit"),
    ],
)
def test_what_is_no_model_is_a_sentence(home, what, sentence):
    with pytest.raises(sflowgan_tf.UserError, match=sentence):
        sflowgan_tf.load(what)


def test_a_model_of_another_program_is_refused(tmp_path):
    spec = tf.TensorSpec([None, 4], tf.float32, "x")
    traced = tf.function(lambda x: {"y": x}, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), traced.get_concrete_function())
    with serving(tmp_path) as (urls, _):
        for what in (tmp_path, *urls.values()):
            with pytest.raises(
                sflowgan_tf.UserError, match=f"{what}: is no model that export wrote"
            ):
                sflowgan_tf.load(what)


QUIET = """
import sys
import sflowgan_tf

model = sflowgan_tf.load(sys.argv[1])
heavy = [name for name in ("tensorflow", "keras") if name in sys.modules]
print(model.size, *heavy)
"""


@pytest.mark.parametrize(
    ("what", "heavy"),
    [
        ("saved_models/painter/generator-64x32-fp16.tflite", ""),
        ("saved_models/painter", " tensorflow keras"),
        ("runs/painter", " tensorflow keras"),
    ],
)
def test_it_loads_quietly_and_no_more_than_is_needed(archive, what, heavy):
    quiet = {key: text for key, text in os.environ.items() if not key.startswith(("TF_", "KERAS"))}
    done = subprocess.run(
        [sys.executable, "-c", QUIET, what],
        cwd=archive,
        env=quiet | {"PYTHONPATH": str(places.ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"(64, 32){heavy}\n"
    assert done.stderr == ""
