"""The runner in this process, and in one where TensorFlow can't be imported."""

import ctypes.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from sflowgan_tf import lite, minicity
from sflowgan_tf.deployment import tflite
from sflowgan_tf.device import edges as device_edges
from sflowgan_tf.device import model as device_model
from sflowgan_tf.ops import images, labels
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.utils.errors import UserError
from tests import places
from tests.translation.test_translator import make

SIZE = (32, 16)


@pytest.mark.parametrize("size", [(2, 2), (3, 7), (64, 48)])
@pytest.mark.parametrize("blur", [0.0, 0.7, 2.5])
def test_edges_are_those_of_the_records(size, blur):
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    threshold = 60.0 if blur < 1 else 3.0
    found = device_edges.laplacian_edges(frame, threshold, blur)
    expected = np.asarray(
        laplacian_edges(frame[None], EdgeSettings(threshold=threshold, blur=blur))
    )[0]
    assert found.shape == expected.shape and found.dtype == np.float32
    # where the Laplacian is the threshold but for rounding, either is right
    either = (
        np.asarray(
            laplacian_edges(frame[None], EdgeSettings(threshold=threshold - 1e-3, blur=blur))
        )[0]
        != np.asarray(
            laplacian_edges(frame[None], EdgeSettings(threshold=threshold + 1e-3, blur=blur))
        )[0]
    )
    np.testing.assert_array_equal(found[~either], expected[~either])
    assert either.mean() < 0.01
    if size == (64, 48):
        assert 0.05 < found.mean() < 0.95


def test_a_streets_edges_are_the_records_to_the_last_pixel():
    frame = next(iter(minicity.sequence(3, 0, 2, (128, 64)))).image_cg
    found, expected = (
        device_edges.laplacian_edges(frame, 60.0, 0.0),
        laplacian_edges(frame[None], EdgeSettings()),
    )
    np.testing.assert_array_equal(found, expected[0])
    assert found.any()


def test_the_scene_is_that_of_the_generator():
    label_map = np.arange(256, dtype=np.uint8).reshape(8, 32)
    expected = labels.scene(label_map[None], np.zeros((1, 8, 32, 1), np.float32), 5)[0, ..., :5]
    np.testing.assert_array_equal(device_model.one_hot(label_map, 5), expected)


def test_pixels_are_rounded_as_by_keras():
    image = np.linspace(-1.1, 1.1, 2001, dtype=np.float32).reshape(1, 667, 3)
    np.testing.assert_array_equal(device_model.to_uint8(image), images.to_uint8(image))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a TFLite file that holds the DNED, raw label maps and frames."""
    path, table = tmp_path_factory.mktemp("device"), TABLES["synthia"]
    frames = list(minicity.sequence(3, 0, 2, SIZE))
    scenes = [tflite.Scene(table.encode(frame.labels), frame.image_cg) for frame in frames]
    writer = tflite.Exporter(
        make(), table=table, size=SIZE, representative=[], judged=scenes, origin={}
    )
    writer.write(path / "a.tflite", "fp32", redraws=True)
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


def test_a_device_without_tensorflow_paints_what_the_run_paints(home, tmp_path):
    """Keras, TensorFlow, OpenCV and Pillow can't be imported in the process."""
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'cv2', 'PIL', 'av', 'omegaconf'):\n"
        "    sys.modules[name] = None\n"
        "from sflowgan_tf import lite\n"
        "sys.exit(lite.main(sys.argv[1:]))\n"
    )
    given = ["a.tflite", "--labels", "labels", "--frames", "frames", "--output", str(tmp_path)]
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
    assert said[3].startswith("Size: 0.") and said[3].endswith(" MB, a.tflite")
    translator, table = make(), TABLES["synthia"]
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
        (np.zeros((16, 32, 3), np.uint8), None, "l.png: has 8 bits; class table 'synthia' expects"),
        (np.full((16, 32), 99, np.uint16), None, "l.png: class id 99 is not in class table"),
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
        ({"model": "none.tflite"}, "none.tflite: holds no metadata.json; expected a file of"),
        ({"labels": "empty"}, "--labels empty: no PNG there"),
        ({"labels": "labels/night/0.png"}, "--frames frames: no such file; expected the frame of"),
        ({"frames": "empty"}, "empty/night/0.png: missing; expected a frame for labels/night/0"),
    ]:
        call("--output", tmp_path, **given, code=2)
        assert said in capsys.readouterr().err


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
        device_model.Model(Path("a.tflite"), delegate="lib.so", options={"precision": "fp16"})
    assert asked == [("lib.so", {"precision": "fp16"})]


def test_a_device_without_litert_says_what_to_install(home, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    call("--output", tmp_path, code=2)
    assert "expected LiteRT: pip install ai-edge-litert" in capsys.readouterr().err


def test_a_file_of_another_format_or_a_damaged_one_is_refused(home, monkeypatch, tmp_path):
    monkeypatch.setattr(device_model, "FORMAT", 2)
    with pytest.raises(UserError, match="metadata of format 1, expected 2; export it anew"):
        device_model.Model(Path("a.tflite"))
    monkeypatch.undo()
    content = (home / "a.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(b"\0" * 64 + content[64:])
    with pytest.raises(UserError, match=r"cut\.tflite: damaged, or not for this LiteRT"):
        device_model.Model(tmp_path / "cut.tflite")


def test_a_label_map_in_colours_is_refused():
    model = object.__new__(device_model.Model)
    model.metadata = {"classes": TABLES["cityscapes"].to_dict()}
    with pytest.raises(UserError, match="has 3 channels; expected one of class ids"):
        model.encode(np.zeros((4, 4, 3), np.uint8))
    assert model.encode(np.uint8([[7, 0]])).tolist() == [[0, 255]]
