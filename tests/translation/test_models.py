"""What `translate` paints with, found by what is named, through the command itself."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf import translate
from sflowgan_tf.training.assembly import restored
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation import models
from sflowgan_tf.utils.errors import UserError
from tests import places
from tests.front import scene, serving


@pytest.fixture
def home(tmp_path, monkeypatch, exportable):
    """A folder with scenes and a run."""
    monkeypatch.chdir(tmp_path)
    for name in ("labels", "frames", "runs/city"):
        Path(name).mkdir(parents=True)
    for number in range(2):
        labels, image = scene(seed=number, classes=4)
        raw = np.zeros((16, 32, 3), np.uint16)
        raw[..., 2] = np.where(labels == 255, 0, labels + 1)  # SYNTHIA's ids, void is 0
        cv2.imwrite(f"labels/{number}.png", raw)
        cv2.imwrite(f"frames/{number}.png", image)
    Run.named("city").config.touch()
    found = (exportable.translator, exportable.manifest, exportable.step)
    monkeypatch.setattr(restored, "restored_translator", lambda run: found)
    return tmp_path


def painted(output, *given):
    """Pictures by name, and the texts of the first one."""
    scenes = ["--labels", "labels", "--frames", "frames", "--output", output]
    assert translate.main([*map(str, given), *scenes]) == 0
    files = sorted(Path(output).rglob("[0-9]*.png"))
    with Image.open(files[0]) as image:
        texts = image.text
    return {str(f.relative_to(output)): np.asarray(Image.open(f)).astype(int) for f in files}, texts


@pytest.mark.parametrize(
    "flags",
    [[], ["--variations", "2", "--seed", "3"], ["--edges", "laplacian"], ["--size", "48x20"]],
    ids=["plain", "variations", "laplacian", "size"],
)
def test_run_artefact_rest_and_grpc_give_the_same_pictures(home, exported, served, flags):
    expected, texts = painted("of-run", "--run", "city", *flags)
    assert (texts["run"], texts["step"]) == ("city", "7")
    urls, _ = served
    for how in (["--model", exported.parent], ["--server", urls["rest"]]) + (
        ["--server", urls["grpc"]],
    ):
        found, told = painted(f"of-{how[1]}".replace("/", "-"), *how, *flags)
        assert found.keys() == expected.keys()
        for name, picture in expected.items():
            assert np.abs(found[name] - picture).max() <= 1, (how, name)
        for key in ("run", "step", "seed", "edges", "ensemble_weights"):
            assert told.get(key) == texts.get(key)
        assert "exported" in told
        where = str(exported) if how[0] == "--model" else how[1]
        assert told[how[0][2:]] == where


def test_a_film_of_a_server_knows_its_model(home, served):
    urls, _ = served
    given = ["--labels", "labels", "--frames", "frames", "--server", urls["grpc"]]
    assert translate.main([*given, "--output", "film.mp4"]) == 0
    assert Path("film.mp4").stat().st_size > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--model", "nowhere"], "--model nowhere: no such folder or file"),
        (["--model", "frames"], "--model frames: no saved_model.pb in it"),
        (["--server", "localhost:8501"], "--server localhost:8501: expected http://HOST:8501"),
        (["--server", "grpc://127.0.0.1:9/city"], "UNAVAILABLE"),
    ],
)
def test_what_is_not_there_is_a_line(home, capsys, given, said):
    scenes = ["--labels", "labels", "--frames", "frames", "--output", "out"]
    assert translate.main([*given, *scenes]) == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_exactly_one_model_is_named(home, capsys):
    scenes = ["--labels", "labels", "--frames", "frames", "--output", "out"]
    for given in ([], ["--run", "city", "--model", "x"]):
        with pytest.raises(SystemExit, match="2"):
            translate.main([*given, *scenes])
    assert "--run" in capsys.readouterr().err


def test_what_is_served_must_fit(tmp_path):
    spec = tf.TensorSpec([None, 4], tf.float32, "x")
    traced = tf.function(lambda x: {"y": x}, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), traced.get_concrete_function())
    with serving(tmp_path) as (urls, _):
        for url in urls.values():
            with pytest.raises(UserError, match=f"--server {url}: is no model that export wrote"):
                models.of_server(url)


def test_a_server_with_a_card_of_another_version(served, monkeypatch):
    def another(text):
        raise ValueError("model card of version 9, expected 1")

    monkeypatch.setattr("sflowgan_tf.translation.artefact.Card.from_json", another)
    with pytest.raises(UserError, match="--server http.*model card of version 9"):
        models.of_server(served[0]["rest"])


ALONE = """
import sys
from sflowgan_tf import translate

code = translate.main(sys.argv[1:])
trained = ("networks", "losses", "training")
loaded = [name for name in sys.modules if name.startswith("sflowgan_tf.")]
assert not [name for name in loaded if name.split(".")[1] in trained], loaded
sys.exit(code)
"""


def test_an_artefact_is_painted_with_without_the_code_that_trained_it(home, exported):
    given = ["--model", exported, "--labels", "labels", "--frames", "frames", "--output", "out"]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *map(str, given)],
        env=os.environ | {"PYTHONPATH": str(places.ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "2 pictures: out" in done.stdout
