"""`export --tflite` and `translate --model FILE.tflite`, on records of minicity and a fresh run."""

import dataclasses
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from sflowgan_tf import export, translate
from sflowgan_tf.device.metadata import Metadata
from sflowgan_tf.training import assembly
from tests.tiny import TINY, begun


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run, its records, files of it, and two scenes as `translate` takes them."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        folder = path / "datasets/minicity"
        assembly.raw_records(TINY, None, folder, workers=1, skip_bad=False)
        ours = dataclasses.replace(TINY.generator, skips=True, grain=True)
        begun("painter", dataclasses.replace(TINY, generator=ours), folder)
        hard = dataclasses.replace(TINY.phases, dned=0)
        begun("hard", dataclasses.replace(TINY, phases=hard), folder)
        begun("bounds", dataclasses.replace(TINY, edge_map="instances"), folder)
        assert export.main(["--run", "painter", "--tflite", "fp32", "--size", "48x24"]) == 0
        camera = next(folder.glob("raw/*/RGB/Stereo_Left/Omni_F"))
        ids = camera.parents[2] / "GT/LABELS/Stereo_Left/Omni_F"
        for name, given in (("frames", camera), ("labels", ids)):
            (path / name).mkdir()
            for file in sorted(given.iterdir())[:2]:
                (path / name / file.name).write_bytes(file.read_bytes())
    return path


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


def painted(*model, code=0, output="out"):
    given = ["--labels", "labels", "--frames", "frames", "--output", output]
    assert translate.main([*map(str, model), *given]) == code


def picture(file):
    with Image.open(file) as image:
        return np.asarray(image).astype(int), image.text


FILES = "saved_models/painter"


def test_both_kinds_are_written_at_the_size_asked_for(home):
    names = sorted(file.name for file in (home / FILES).iterdir())
    assert names == ["generator-48x24-fp32.tflite", "generator-dned-48x24-fp32.tflite"]
    assert Metadata.read(home / FILES / names[1]).origin["run"] == "painter"


def test_a_run_that_never_saw_the_dneds_edges_has_no_file_with_them(home, tmp_path):
    given = ["--run", "hard", "--tflite", "fp32", "--output", str(tmp_path)]
    assert export.main(given) == 0
    (file,) = (tmp_path / "hard").iterdir()
    assert file.name == "generator-64x32-fp32.tflite"
    one, other = tmp_path / "run", tmp_path / "file"
    painted("--run", "hard", output=str(one))
    painted("--model", file, output=str(other))
    name = next(one.glob("0*.png")).name
    (first, texts), (second, _) = picture(one / name), picture(other / name)
    assert np.abs(first - second).max() <= 1
    assert texts["edges"] == "laplacian"


def test_what_was_found_out_is_said(home, tmp_path, capsys):
    given = ("--run", "painter", "--output", str(tmp_path), "--name", "a")
    assert export.main([*given, "--tflite", "int8", "int8"]) == 0
    said = capsys.readouterr()
    files = [line.split()[1] for line in said.out.splitlines() if line.startswith("TFLite: ")]
    kinds = [f"{kind}-64x32-int8" for kind in ("generator", "generator-dned")]
    assert files == [f"{tmp_path}/a/{kind}.tflite," for kind in kinds]
    assert said.out.count("GPU delegate: ") == 2
    assert "to run runs/painter, step 0, on 4 frames: PSNR" in said.out
    assert "CONV_2D" in said.out and "warn" not in said.err and "fully_quantize" not in said.err


def test_translate_paints_with_a_file_what_it_paints_with_the_run(home, tmp_path):
    for kind, edges in (("generator", "laplacian"), ("generator-dned", "dned")):
        one, other = tmp_path / f"{kind}-run", tmp_path / f"{kind}-file"
        painted("--run", "painter", "--size", "48x24", "--edges", edges, output=str(one))
        painted("--model", f"{FILES}/{kind}-48x24-fp32.tflite", output=str(other))
        for name in ("000000.png", "000001.png"):
            (expected, by_run), (found, by_file) = picture(one / name), picture(other / name)
            assert found.shape == (24, 48, 3) and np.abs(found - expected).max() <= 1
            assert by_file["model"].endswith(".tflite") and by_file["run"] == "painter"
            assert by_file["edges"] == by_run["edges"] == edges
            assert by_file.get("ensemble_weights") == by_run.get("ensemble_weights")


def test_a_file_makes_versions_and_films(home, tmp_path):
    file = f"{FILES}/generator-dned-48x24-fp32.tflite"
    painted("--model", file, "--variations", "2", output=str(tmp_path / "v"))
    first, second = (cv2.imread(str(tmp_path / f"v/variation-{n}/000000.png")) for n in (1, 2))
    assert not np.array_equal(first, second)
    painted("--model", file, output=str(tmp_path / "film.mp4"))
    assert (tmp_path / "film.mp4").stat().st_size > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("generator", "--variations", "2"), "has one version of a scene"),
        (("generator-dned", "--edges", "laplacian"), "holds the DNED, which can not be left out"),
        (("generator", "--size", "64x32"), "label map of 64x32; .* is made for 48x24"),
    ],
)
def test_what_a_file_can_not_is_a_line(home, tmp_path, capsys, given, said):
    kind, *flags = given
    painted(
        "--model", f"{FILES}/{kind}-48x24-fp32.tflite", *flags, code=2, output=str(tmp_path / "o")
    )
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--run", "painter", "--size", "48x24"), "--size: is for --tflite"),
        (("--run", "painter", "--tflite", "fp32", "--size", "48"), "--size: expected WIDTHxHEIGHT"),
        (("--run", "bounds", "--tflite", "fp32"), "trained with edge_map=instances"),
    ],
)
def test_flags_that_do_not_fit_are_a_line(home, capsys, flags, said):
    assert export.main([*flags]) == 2
    assert said in capsys.readouterr().err
