"""The command in this process, with what 0.1.0 wrote: a tiny model of 64x32, three scenes."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from sflowgan_tf import translate
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.deployment import saved_model
from sflowgan_tf.deployment.exported import Exported
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.training.runs import Run
from tests import places
from tests.disks import disk_with_room_for
from tests.front import serving
from tests.tiny import TINY, begun

TFLITE = "saved_models/painter/generator-dned-64x32-fp16.tflite"
WITHOUT_DNED = "saved_models/painter/generator-64x32-fp16.tflite"


@pytest.fixture(scope="module")
def base(archive, tmp_path_factory):
    """The archive, its scenes as numbered files and as a label video, runs of other kinds."""
    path = tmp_path_factory.mktemp("home") / "base"
    shutil.copytree(archive, path)
    for kind in ("labels", "frames"):
        shutil.copytree(next((path / "scene" / kind).rglob("Omni_F")), path / kind)
    ids = [cv2.imread(str(file), -1)[..., 2] for file in sorted((path / "labels").iterdir())]
    with av.open(str(path / "video.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "gray"
        for one in ids:
            frame = av.VideoFrame.from_ndarray(one.astype(np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for edge_map in ("instances", "none"):
            begun(edge_map, dataclasses.replace(TINY, edge_map=edge_map), path / "records")
    return path


@pytest.fixture
def home(base, tmp_path, monkeypatch):
    """A folder with links to all of it."""
    for path in base.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def server(archive):
    with serving(archive / "saved_models/painter/1", "painter") as urls_and_served:
        yield urls_and_served


def call(*flags, labels="labels", frames="frames", model=("--model", TFLITE)):
    return translate.main([*model, "--labels", labels, "--frames", frames, *map(str, flags)])


def painted(output, *flags, model):
    """Pictures by name, and the texts of the first one."""
    assert call("--output", output, *flags, model=model) == 0
    files = sorted(Path(output).rglob("[0-9]*.png"))
    with Image.open(files[0]) as image:
        texts = image.text
    return {str(f.relative_to(output)): np.asarray(Image.open(f)).astype(int) for f in files}, texts


@pytest.mark.parametrize(
    "flags",
    [[], ["--variations", "2", "--seed", "3"], ["--edges", "laplacian"], ["--size", "48x20"]],
    ids=["plain", "variations", "laplacian", "size"],
)
def test_run_artefact_rest_and_grpc_give_the_same_pictures(home, server, flags):
    expected, texts = painted("of-run", *flags, model=("--run", "painter"))
    assert (texts["run"], texts["step"]) == ("painter", "16")
    urls, _ = server
    kinds = {
        "SavedModel": ("--model", "saved_models/painter"),
        "rest": ("--server", urls["rest"]),
        "grpc": ("--server", urls["grpc"]),
    }
    for kind, model in kinds.items():
        pictures, others = painted(kind, *flags, model=model)
        assert pictures.keys() == expected.keys()
        for name, picture in expected.items():
            assert np.abs(pictures[name] - picture).max() <= 1, (kind, name)
        for key in ("run", "step", "seed", "edges", "ensemble_weights"):
            assert others.get(key) == texts.get(key)
        assert "exported" in others
        place = "saved_models/painter/1" if kind == "SavedModel" else model[1]
        assert others[model[0][2:]] == place


@pytest.mark.parametrize(
    ("labels", "flags", "fps"),
    [
        ("labels", [], "25"),
        ("video.mkv", [], "12"),
        ("video.mkv", ["--fps", "29.97"], "29.97"),
        ("labels", ["--fps", "30000/1001"], "29.97"),
    ],
)
def test_a_film_is_made_and_named(home, capsys, labels, flags, fps):
    assert call("--output", "out/film.mp4", *flags, labels=labels) == 0
    said = capsys.readouterr().out
    assert said == f"Film: out/film.mp4, 3 frames, 64x32, {fps} a second\n"
    with av.open("out/film.mp4") as container:
        assert len([*container.decode()]) == 3


def test_films_are_named_one_by_one(home, capsys):
    assert call("--output", "film.mp4", "--variations", "2", "--side-by-side") == 0
    said = capsys.readouterr().out
    assert "film-1.mp4, 3 frames, 192x32" in said and "film-2.mp4, 3 frames, 192x32" in said


def test_videos_become_pictures_too(home, capsys):
    assert call("--output", "out", labels="video.mkv") == 0
    assert sorted(file.name for file in (home / "out").iterdir()) == [
        "000000.png",
        "000001.png",
        "000002.png",
        "contact-sheet.png",
    ]
    assert "3 pictures: out" in capsys.readouterr().out


def test_the_flow_of_a_films_history_is_the_models(home, exportable, tmp_path):
    """Two models that differ in the flow settings of their records alone: by run and by export."""
    films = {}
    for name, winsize in (("default", 15), ("other", 5)):
        shutil.copytree(Path("runs/painter"), f"copies/{name}")
        run = Run(Path("copies") / name)
        flow = Farneback(winsize=winsize, levels=0)
        manifest = dataclasses.replace(Manifest.load(run.manifest), flow=flow)
        manifest.save(run.manifest)
        exported = Exported.of(run, Path("records"))
        card = exported.card(name, "a command")
        folder, _ = saved_model.write(exported, Path("exports"), card)
        for kind, model in (("run", ("--run", f"copies/{name}")), ("model", ("--model", folder))):
            file = f"{name}-{kind}.mp4"
            assert call("--output", file, "--history", "0.9", model=tuple(map(str, model))) == 0
            with av.open(file) as container:
                films[name, kind] = np.stack(
                    [frame.to_ndarray(format="rgb24") for frame in container.decode()]
                ).astype(int)
    for kind in ("run", "model"):
        assert not np.array_equal(films["default", kind], films["other", kind])
    for name in ("default", "other"):
        assert np.abs(films[name, "run"] - films[name, "model"]).mean() < 1


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
    ("model", "flags", "said"),
    [
        (("--run", "instances"), [], "trained with edge_map=instances .* score it with .*evaluate"),
        (("--run", "none"), ["--variations", "2"], "--variations: none has one version of a scene"),
        (("--model", WITHOUT_DNED), ["--edges", "dned"], "--edges: saved.* has one version of a s"),
        (("--model", TFLITE), ["--edges", "laplacian"], "holds the DNED, which can not be left"),
        (("--model", TFLITE), ["--size", "32x32"], "is made for 64x32"),
        (("--model", "nowhere"), [], "nowhere: no such folder or file"),
        (("--model", "frames"), [], "frames: no saved_model.pb in it"),
        (("--model", "video.mkv"), [], "video.mkv: holds no metadata.json .*; expected a file of"),
        (("--server", "localhost:8501"), [], "localhost:8501: expected http://HOST:8501"),
        (("--server", "grpc://127.0.0.1:9/city"), [], "UNAVAILABLE.* is it TensorFlow Serving"),
    ],
)
def test_what_a_model_is_not_or_can_not_do_is_a_line(home, capsys, model, flags, said):
    assert call("--output", "out", *flags, model=model) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(said, error), error
    assert not list(Path().glob("out/*.png"))


def labels_of(folder, ids=None, colors=None, sixteen=False):
    """A label map for each frame, 64x32 of one class: by its id in red, or by its colour."""
    depth, stretch = (np.uint16, 257) if ids is not None or sixteen else (np.uint8, 1)
    red_first = (ids, 0, 0) if colors is None else np.array(colors) * stretch
    folder.mkdir()
    for file in Path("frames").iterdir():
        pixels = np.full((32, 64, 3), red_first[::-1], depth)  # OpenCV writes BGR
        cv2.imwrite(str(folder / file.with_suffix(".png").name), pixels)
    return str(folder)


@pytest.mark.parametrize(
    "model",
    [("--run", "painter"), ("--model", "saved_models/painter"), ("--model", TFLITE)],
    ids=["run", "SavedModel", "TFLite"],
)
def test_label_maps_in_the_classes_colours_paint_as_ids_do(home, model):
    kinds = {"ids": {"ids": 4}, "colors": {"colors": (0, 0, 192)}}  # SYNTHIA's sidewalk
    pictures = {}
    for kind, how in kinds.items():
        labels = labels_of(home / f"in {kind}", **how)
        assert call("--output", f"of {kind}", labels=labels, model=model) == 0
        pictures[kind] = [cv2.imread(str(f)) for f in sorted(Path(f"of {kind}").glob("[0-9]*.png"))]
    np.testing.assert_array_equal(pictures["ids"], pictures["colors"])


def test_classes_of_ones_own_are_read_by_their_names(home, capsys):
    labels = {key: labels_of(home / f"own {key}", ids=key) for key in (4, 77)}
    own = home / "own.yaml"
    own.write_text("channel: red\nclasses: [{id: 77, name: sidewalk}]\n")
    assert call("--output", "own", "--classes", str(own), labels=labels[77]) == 0
    assert call("--output", "plain", labels=labels[4]) == 0
    for file in Path("own").glob("[0-9]*.png"):
        other = cv2.imread(f"plain/{file.name}")
        np.testing.assert_array_equal(cv2.imread(str(file)), other)
    own.write_text("channel: red\nclasses: [{id: 77, name: tram}]\n")
    assert call("--output", "out", "--classes", str(own), labels=labels[77]) == 2
    assert "tram: no classes of 'synthia'" in capsys.readouterr().err
    assert call("--output", "out", "--classes", "no.yaml", labels=labels[77]) == 2
    assert "--classes no.yaml: is neither a class table" in capsys.readouterr().err


def test_what_a_label_map_holds_can_be_said(home, capsys):
    """Blue of 16 bits is SYNTHIA's sidewalk, but its red is an id too, of void."""
    blue = labels_of(home / "blue", colors=(0, 0, 192), sixteen=True)
    assert call("--output", "out", labels=blue) == 2
    assert "--coding" in capsys.readouterr().err
    for coding, known in (("ids", 0), ("colors", 4)):
        expected = labels_of(home / f"id {known}", ids=known)
        assert call("--output", f"as {coding}", "--coding", coding, labels=blue) == 0
        assert call("--output", f"of {known}", labels=expected) == 0
        for file in Path(f"as {coding}").glob("[0-9]*.png"):
            other = cv2.imread(f"of {known}/{file.name}")
            np.testing.assert_array_equal(cv2.imread(str(file)), other)


def test_near_colours_are_taken_where_that_is_said(home, capsys):
    near = labels_of(home / "near", colors=(0, 3, 188))  # 5 levels from (0, 0, 192)
    assert call("--output", "out", labels=near) == 2
    assert "5 levels away" in capsys.readouterr().err
    assert call("--output", "out", "--snap-colors", "4.9", labels=near) == 2
    assert call("--output", "out", "--snap-colors", "5", labels=near) == 0
    for wrong in ("-1", "far", "nan", "inf"):
        with pytest.raises(SystemExit, match="2"):
            call("--output", "out", f"--snap-colors={wrong}", labels=near)


def test_a_run_that_sees_labels_alone_says_so(home):
    _, texts = painted("out", model=("--run", "none"))
    assert texts["edges"] == "none"


def test_exactly_one_model_is_named(home, capsys):
    for model in ((), ("--run", "painter", "--model", "x")):
        with pytest.raises(SystemExit, match="2"):
            call("--output", "out", model=model)
    assert "--run" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "-3", "fast", "1/0", "2000"])
def test_a_rate_that_is_none_is_refused(home, capsys, rate):
    with pytest.raises(SystemExit, match="2"):
        call("--output", "film.mp4", f"--fps={rate}")
    assert "expected 25, 29.97 or 30000/1001" in capsys.readouterr().err


def test_a_number_of_variations_that_is_none_is_refused(home, capsys):
    with pytest.raises(SystemExit, match="2"):
        call("--output", "out", "--variations", "0")
    assert "expected a whole number from 1 on" in capsys.readouterr().err


@pytest.fixture
def interruptible():
    """A shell starts background jobs with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_says_how_to_go_on(home, server, capsys):
    urls, served = server
    served.before = lambda: os.kill(os.getpid(), signal.SIGINT)
    try:
        assert call("--output", "film.mp4", model=("--server", urls["rest"])) == 130
    finally:
        served.before = lambda: None
    assert "the same command goes on with film.mp4" in capsys.readouterr().out
    assert not (home / "film.mp4").exists()
    assert call("--output", "film.mp4", model=("--server", urls["rest"])) == 0


def test_a_server_that_fails_is_a_line_and_exit_code_1(home, server, capsys):
    urls, served = server
    served.odd["encoded_weighted"] = b"<html></html>"
    try:
        assert call("--output", "out", model=("--server", urls["rest"])) == 1
    finally:
        served.odd.clear()
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"error: {urls['rest']}: answers with something that is no JSON" in error


@pytest.mark.parametrize(
    ("output", "result"), [("out", "out/000000.png"), ("out/film.mp4", "out/film.mp4")]
)
def test_a_full_disk_is_a_line_and_the_same_command_goes_on(home, capfd, output, result):
    with disk_with_room_for(3000):
        assert call("--output", output) == 1
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert re.search(r"error: out/\S+: can't be written", error), error
    assert not Path(result).exists()
    assert call("--output", output) == 0
    assert Path(result).exists()
    assert not [path for path in Path("out").rglob(".*")]


ALONE = """
import sys
from sflowgan_tf import translate

code = translate.main(sys.argv[1:])
trained = ("networks", "losses", "training")
loaded = [name for name in sys.modules if name.startswith("sflowgan_tf.")]
assert not [name for name in loaded if name.split(".")[1] in trained], loaded
sys.exit(code)
"""


def test_an_artefact_is_painted_with_without_the_code_that_trained_it(home):
    flags = ["--model", "saved_models/painter", "--labels", "labels", "--frames", "frames"]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *flags, "--output", "out"],
        env=os.environ | {"PYTHONPATH": str(places.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "3 pictures: out" in done.stdout
