"""The runner in this process, and in one where TensorFlow can't be imported."""

import ctypes.util
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from sflowgan_tf import lite, minicity
from sflowgan_tf.deployment import conversion, tflite
from sflowgan_tf.device import tflite_model as device_model
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.utils.errors import UserError
from tests import places
from tests.colors import appearance_of
from tests.translation.test_translator import make

SIZE = (32, 16)
COLORED = {"appearance": appearance_of(13), "dned_sees": "image"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with TFLite files that hold the DNED, raw label maps and frames.

    colored.tflite sees colours, its DNED the picture.
    """
    path, table = tmp_path_factory.mktemp("device"), TABLES["synthia"]
    frames = list(minicity.sequence(3, 0, 2, SIZE))
    scenes = [conversion.Scene(table.encode(frame.labels), frame.image_cg) for frame in frames]
    for name, translator in (("a", make()), ("colored", make(**COLORED))):
        writer = tflite.Exporter(
            translator, classes=table, size=SIZE, examples=[], compared=scenes, origin={}
        )
        writer.write(path / f"{name}.tflite", "fp32", redraws=True)
    for folder in ("labels/night", "frames/night"):
        (path / folder).mkdir(parents=True)
    for n, frame in enumerate(frames):
        ids = np.zeros((*frame.labels.shape, 3), np.uint16)
        ids[..., 2] = frame.labels  # red; OpenCV writes BGR
        cv2.imwrite(str(path / f"labels/night/{n}.png"), ids)
        cv2.imwrite(str(path / f"frames/night/{n}.png"), frame.image_cg[..., ::-1])
    return path


@pytest.fixture(autouse=True)
def at_home(request, monkeypatch):
    if "home" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("home"))


def call(*more, labels="labels", frames="frames", model="a.tflite", code=0):
    given = [model, "--labels", labels, "--frames", frames, *map(str, more)]
    assert lite.main(given) == code


@pytest.mark.parametrize(("file", "settings"), [("a.tflite", {}), ("colored.tflite", COLORED)])
def test_a_device_without_tensorflow_paints_what_the_run_paints(home, tmp_path, file, settings):
    """Keras, TensorFlow, OpenCV and Pillow can't be imported in the process."""
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'cv2', 'PIL', 'av', 'omegaconf'):\n"
        "    sys.modules[name] = None\n"
        "from sflowgan_tf import lite\n"
        "sys.exit(lite.main(sys.argv[1:]))\n"
    )
    given = [file, "--labels", "labels", "--frames", "frames", "--output", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", program, *given, "--threads", "1"],
        cwd=home,
        env={"PYTHONPATH": str(places.ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == f"2 pictures: {tmp_path}"
    assert said[1].startswith("Latency: median ") and "ms" in said[1]
    assert 10 < float(said[2].split()[2]) < 2000 and said[2].startswith("Peak memory: ")
    assert said[3].startswith("Size: 0.") and said[3].endswith(f" MB, {file}")
    translator, table = make(**settings), TABLES["synthia"]
    for n, frame in enumerate(minicity.sequence(3, 0, 2, SIZE)):
        weights = np.full(6, 1 / 6, np.float32)
        expected = translator.translate(table.encode(frame.labels), frame.image_cg, weights)
        found = cv2.imread(str(tmp_path / f"night/{n}.png"))[..., ::-1]
        assert np.abs(found.astype(int) - expected).max() <= 1


def test_one_picture_and_other_weights(home, tmp_path):
    for name, weights in (("a", "1,0,0,0,0,0"), ("b", "0,0,0,1,0,0")):
        call(
            "--output",
            tmp_path / name,
            "--weights",
            weights,
            labels="labels/night/1.png",
            frames="frames/night/1.png",
        )
    first, second = (cv2.imread(str(tmp_path / name / "1.png")) for name in ("a", "b"))
    assert first.shape == (16, 32, 3) and not np.array_equal(first, second)


@pytest.mark.parametrize("weights", ["1,2", "a,b,c,d,e,f", "0,0,0,0,0,0", "-1,1,1,1,1,1"])
def test_weights_that_are_none_are_refused(home, tmp_path, capsys, weights):
    with pytest.raises(SystemExit, match="2"):
        call("--output", tmp_path, f"--weights={weights}")
    assert "expected 6 numbers from 0 on, not all 0" in capsys.readouterr().err


def wrong(name, image, home):
    file = home / name
    file.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(file), image)
    return str(file)


@pytest.mark.parametrize(
    ("labels_", "frame", "said"),
    [
        (np.full((16, 32, 3), 9, np.uint8), None, "l.png: has 3 channels of 8 bits; class table"),
        (
            np.full((16, 32), 99, np.uint16),
            None,
            "l.png: class id 99 at 512 pixels is not",
        ),
        (np.zeros((8, 8), np.uint16), None, "l.png: label map of 8x8; a.tflite is made for 32x16"),
        (None, np.zeros((16, 16, 3), np.uint8), "f.png: frame of 16x16; a.tflite is made for"),
        (None, np.zeros((16, 32), np.uint8), "f.png: expected RGB of 8 bits"),
    ],
)
def test_a_wrong_picture_is_named(home, tmp_path, capsys, labels_, frame, said):
    given = {
        "labels": "labels/night/0.png" if labels_ is None else wrong("bad/l.png", labels_, home),
        "frames": "frames/night/0.png" if frame is None else wrong("bad/f.png", frame, home),
    }
    call("--output", tmp_path, **given, code=2)
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("coding", "known"), [("ids", 0), ("colors", 4)])
def test_what_a_label_map_holds_can_be_said(home, tmp_path, capsys, coding, known):
    """Blue of 16 bits is SYNTHIA's sidewalk, but its red is an id too, of void."""
    colors, ids = np.zeros((16, 32, 3), np.uint16), np.zeros((16, 32, 3), np.uint16)
    colors[..., 0], ids[..., 2] = 192 * 257, known  # OpenCV writes BGR
    blue, plain = wrong("said/blue.png", colors, home), wrong("said/ids.png", ids, home)
    frame = "frames/night/0.png"
    call("--output", tmp_path, labels=blue, frames=frame, code=2)
    assert "--coding" in capsys.readouterr().err
    call("--output", tmp_path, "--coding", coding, labels=blue, frames=frame)
    call("--output", tmp_path, labels=plain, frames=frame)
    pictures = [cv2.imread(str(tmp_path / name)) for name in ("blue.png", "ids.png")]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("output", ["labels", "frames", "labels/../frames"])
def test_nothing_that_is_given_is_overwritten(home, capsys, output):
    before = (home / "labels/night/0.png").read_bytes()
    call("--output", output, code=2)
    assert "would overwrite" in capsys.readouterr().err
    assert (home / "labels/night/0.png").read_bytes() == before


def test_what_is_missing_is_named(home, tmp_path, capsys):
    (home / "empty").mkdir()
    (home / "none.tflite").write_bytes(b"no archive")
    for given, said in [
        ({"model": "b.tflite"}, "b.tflite: no such file"),
        (
            {"model": "none.tflite"},
            "none.tflite: holds no metadata.json that can be read",
        ),
        ({"labels": "empty"}, "--labels empty: no PNG there"),
        ({"labels": "labels/night/0.png"}, "--frames frames: no such file; expected the frame of"),
        ({"frames": "empty"}, "empty: no PNG night/0; expected a frame for labels/night/0.png"),
    ]:
        call("--output", tmp_path, **given, code=2)
        assert said in capsys.readouterr().err


def test_what_would_be_left_out_is_named(home, tmp_path, capsys):
    """A frame without label map, a picture of another kind, two files of one name."""
    label, frame = ((home / kind / "night/0.png").read_bytes() for kind in ("labels", "frames"))
    for name, said in {
        "frames/c.png": "no PNG c; expected a label map for",
        "labels/c.png": "no PNG c; expected a frame for",
        "frames/c.jpg": "c.jpg: expected .png; convert it",
        "labels/c.bmp": "c.bmp: expected .png; convert it",
        "labels/b.PNG": "b.PNG lies beside it|b.png lies beside it",
        "frames/b.PNG": "b.PNG lies beside it|b.png lies beside it",
    }.items():
        place = tmp_path / name.replace("/", " ")
        for kind, content in (("labels", label), ("frames", frame)):
            (place / kind).mkdir(parents=True)
            (place / kind / "b.png").write_bytes(content)
        (place / name).write_bytes(label)
        given = {kind: str(place / kind) for kind in ("labels", "frames")}
        call("--output", place / "out", **given, code=2)
        assert re.search(said, capsys.readouterr().err)


def test_a_delegate_that_can_not_be_loaded_is_a_line(home, tmp_path, capsys):
    call("--output", tmp_path, "--delegate", "libnone.so", code=2)
    assert "--delegate libnone.so: can't be loaded" in capsys.readouterr().err
    library = ctypes.util.find_library("c")
    call("--output", tmp_path, "--delegate", library, code=2)
    assert f"--delegate {library}: can't be loaded" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        call("--output", tmp_path, "--delegate-option", "fast")
    assert "expected KEY=VALUE" in capsys.readouterr().err


def test_a_delegate_gets_its_options(home, monkeypatch):
    from ai_edge_litert import interpreter

    asked = []

    def load(library, options):
        asked.append((library, options))
        raise ValueError("not here")

    monkeypatch.setattr(interpreter, "load_delegate", load)
    monkeypatch.setattr(
        device_model.ctypes,
        "CDLL",
        lambda library: SimpleNamespace(tflite_plugin_create_delegate=None),
    )
    with pytest.raises(UserError, match=r"--delegate lib\.so: can't be loaded \(not here\)"):
        device_model.TFLiteModel(Path("a.tflite"), delegate="lib.so", options={"precision": "fp16"})
    assert asked == [("lib.so", {"precision": "fp16"})]


def test_a_device_without_litert_says_what_to_install(home, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    call("--output", tmp_path, code=2)
    assert "expected LiteRT: pip install ai-edge-litert" in capsys.readouterr().err


def test_a_damaged_file_is_refused(home, tmp_path):
    content = (home / "a.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(b"\0" * 64 + content[64:])
    with pytest.raises(UserError, match=r"cut\.tflite: damaged, or not for this LiteRT; export it"):
        device_model.TFLiteModel(tmp_path / "cut.tflite")
