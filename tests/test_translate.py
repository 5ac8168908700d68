import re
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from sflowgan_tf import translate
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.training.assembly import restored


class Grey:
    """A translator that paints grey 90."""

    edge_map, redraws = "laplacian", True

    def translate(self, labels, image, weights):
        return np.full((*labels.shape, 3), 90, np.uint8)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a run, three frames and their label maps, in folders and as videos."""
    monkeypatch.chdir(tmp_path)
    manifest = SimpleNamespace(size=(32, 16), classes=TABLES["cityscapes"])
    monkeypatch.setattr(restored, "restored_translator", lambda run: (Grey(), manifest, 3))
    for folder in ("runs/r/checkpoints", "labels", "frames"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("config.yaml", "manifest.json"):
        (tmp_path / "runs/r" / file).touch()
    ids = np.full((16, 32), 7, np.uint8)
    for n in range(3):
        cv2.imwrite(f"labels/{n}.png", ids)
        cv2.imwrite(f"frames/{n}.png", ids)
    with av.open("video.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "gray"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(ids, format="gray")))
        container.mux(stream.encode())
    return tmp_path


def call(*more, labels="labels", frames="frames"):
    return translate.main(["--run", "r", "--labels", labels, "--frames", frames, *more])


@pytest.mark.parametrize(
    ("given", "flags", "fps"),
    [
        ("labels", [], "25"),
        ("video.mkv", [], "12"),
        ("video.mkv", ["--fps", "29.97"], "29.97"),
        ("labels", ["--fps", "30000/1001"], "29.97"),
    ],
)
def test_a_film_is_made_and_named(home, capsys, given, flags, fps):
    assert call("--output", "out/film.mp4", *flags, labels=given) == 0
    said = capsys.readouterr().out
    assert said == f"Film: out/film.mp4, 3 frames, 32x16, {fps} a second\n"
    with av.open("out/film.mp4") as container:
        assert [f.to_ndarray(format="rgb24")[8, 8, 0] for f in container.decode()] == (
            pytest.approx([90] * 3, abs=2)
        )


def test_films_are_named_one_by_one(home, capsys):
    assert call("--output", "film.mp4", "--variations", "2", "--side-by-side") == 0
    said = capsys.readouterr().out
    assert "film-1.mp4, 3 frames, 96x16" in said and "film-2.mp4, 3 frames, 96x16" in said


def test_videos_become_pictures_too(home, capsys):
    assert call("--output", "out", labels="video.mkv", frames="video.mkv") == 0
    assert sorted(file.name for file in (home / "out").iterdir()) == [
        "000000.png",
        "000001.png",
        "000002.png",
        "contact-sheet.png",
    ]
    assert "3 pictures: out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--output", "film.mkv"], "films are MP4; expected film.mp4"),
        (["--output", "out.png"], "--output out.png: .* name a folder"),
        (["--output", "out", "--size", "1x2"], "--size: expected WIDTHxHEIGHT such as 512x256, "),
        (["--output", "folder.mp4"], "is a folder; expected a file"),
        (["--output", "out", "--fps", "25"], "are for films; expected --output FILE.mp4"),
        (["--output", "out", "--history", "0.3"], "are for films; expected --output FILE.mp4"),
        (["--output", "out", "--side-by-side"], "are for films; expected --output FILE.mp4"),
        (["--output", "frames"], "--output frames: would overwrite"),
        (["--output", "a.mp4", "--variations", "2", "--edges", "laplacian"], "--variations: only"),
    ],
)
def test_flags_that_do_not_fit_are_a_line(home, capsys, flags, said):
    (home / "folder.mp4").mkdir()
    assert call(*flags) == 2
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("edge_map", "flags", "said"),
    [
        ("instances", [], "trained with edge_map=instances .* score it with .*evaluate"),
        ("none", ["--variations", "2"], "--variations: r has one version of a scene"),
        ("laplacian", ["--edges", "dned"], "--edges: r has one version of a scene"),
    ],
)
def test_a_run_without_laplacian_edges_says_what_it_can_not(
    home, capsys, monkeypatch, edge_map, flags, said
):
    monkeypatch.setattr(Grey, "edge_map", edge_map)
    monkeypatch.setattr(Grey, "redraws", False)
    assert call("--output", "out", *flags) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (home / "out").exists()


@pytest.mark.parametrize("rate", ["0", "-3", "fast", "1/0", "2000"])
def test_a_rate_that_is_none_is_refused(home, capsys, rate):
    with pytest.raises(SystemExit, match="2"):
        call("--output", "film.mp4", f"--fps={rate}")
    assert "expected 25, 29.97 or 30000/1001" in capsys.readouterr().err


def test_a_number_of_variations_that_is_none_is_refused(home, capsys):
    with pytest.raises(SystemExit, match="2"):
        call("--output", "out", "--variations", "0")
    assert "expected a whole number from 1 on" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on(home, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Grey, "translate", interrupted)
    assert call("--output", "film.mp4") == 130
    assert "the same command goes on with film.mp4" in capsys.readouterr().out
    assert not (home / "film.mp4").exists()
