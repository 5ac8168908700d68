"""The command `live` in this process, with what 0.1.0 wrote: a tiny model of 64x32."""

import re

import av
import pytest

from sflowgan_tf import live
from tests import places

TFLITE = "saved_models/painter/generator-dned-64x32-fp16.tflite"


@pytest.fixture
def home(archive, tmp_path, monkeypatch):
    """A folder with links to all of it."""
    for path in archive.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*more, code=0, model=("--model", TFLITE)):
    assert live.main([*model, "--simulator", "minicity", *map(str, more)]) == code


@pytest.mark.parametrize(
    "model", [("--run", "painter"), ("--model", TFLITE)], ids=["run", "tflite"]
)
def test_a_drive_is_painted_and_reported(home, capsys, model):
    call("--frames", 4, "--fps", 12, "--output", "out/film.mp4", model=model)
    said = capsys.readouterr().out
    painted, total, dropped = map(
        int,
        re.findall(r"^Painted: (\d+) of (\d+) ticks, (\d+) dropped; .* a second, delay ", said)[0],
    )
    assert painted >= 1 and painted + dropped == total == 4 and "Film: out/film.mp4\n" in said
    with av.open("out/film.mp4") as container:
        (stream,) = container.streams.video
        assert (stream.width, stream.height, stream.average_rate) == (64, 32, 12)
        assert painted <= len([*container.decode(stream)]) <= 4
        assert container.metadata["run"] == "painter"


def test_classes_may_be_of_ones_own(home, capsys):
    (home / "own.yaml").write_text(
        "classes: [{id: 3, name: road}, {id: 0, name: 'no', ignored: true}]"
    )
    call("--frames", 2, "--classes", "own.yaml", code=2)
    assert "is not in class table 'own'" in capsys.readouterr().err
    (home / "own.yaml").write_text(
        "classes:\n" + "\n".join(f"- {{id: {i}, name: road}}" for i in range(16))
    )
    call("--frames", 2, "--classes", "own.yaml")


def test_seconds_are_of_the_drive(home, capsys):
    call("--seconds", 1, "--fps", 3)
    assert " of 3 ticks" in capsys.readouterr().out


def test_the_loop_of_the_manual_paints(home):
    page = (places.ROOT / "docs/simulators.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 10
    names = {}
    exec(code.replace("runs/first", TFLITE).replace("frames=20", "frames=2"), names)
    assert names["picture"].shape == (32, 64, 3) and names["tick"].number == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--output", "film.avi"], "--output film.avi: expected a file for the film, film.mp4"),
        (["--simulator", "metadrive"], "--simulator metadrive: expected minicity or carla"),
        (["--rig", "rig.yaml"], "--rig rig.yaml: has the cameras a, b; expected one alone"),
        (["--size", "48x32"], "is made for 64x32"),
    ],
)
def test_what_is_wrong_is_named(home, capsys, flags, sentence):
    (home / "rig.yaml").write_text("a: {}\nb: {}\n")
    call(*flags, code=2)
    assert sentence in capsys.readouterr().err
