"""A generator that sees colours, from training to pictures, with the commands a user calls."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import sflowgan_tf
from sflowgan_tf import fit, prepare, translate
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.subjects import Painted
from sflowgan_tf.ops.palette import Palette, frame_means
from sflowgan_tf.training.runs import Run
from tests.recipes import TINY_NETWORKS

SIZES = ["minicity.sequences=3", "minicity.frames=3", "records.size=64x32"]
TINY = [
    *SIZES,
    *TINY_NETWORKS,
    "generator.blocks=0",
    "phases.edges=1",
    "phases.dned=1",
    "checkpoint_steps=4",
    "samples=1",
]
COLORED = ["--run", "colored", "appearance.kind=regions", "appearance.cell=8"]


def call(*more, code=0):
    assert fit.main(["--dataset", "minicity", "--data", "records", *TINY, *more]) == code


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with records and a run that sees colours."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert prepare.main(["--dataset", "minicity", "--output", "records", *SIZES]) == 0
        call(*COLORED)
    return folder


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """A folder of its own with the records and the run."""
    monkeypatch.chdir(tmp_path)
    Path("records").symlink_to(home / "records")
    shutil.copytree(home / "runs", "runs")
    return tmp_path


def variables(name):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(f"runs/{name}/checkpoints"))
    keys = [key for key in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in key]
    return {key: reader.get_tensor(key) for key in keys}


def test_taken_up_again_it_ends_with_the_same_bits(here):
    whole, palette = variables("colored"), Run.named("colored").palette.read_bytes()
    for file in Path("runs/colored/checkpoints").glob("step-12.*"):
        file.unlink()
    Path("runs/colored/checkpoints/checkpoint").unlink()
    assert Run.named("colored").steps == [8]
    Run.named("colored").palette.unlink()
    call(*COLORED)
    again = variables("colored")
    assert Run.named("colored").steps[0] == 12 and again.keys() == whole.keys()
    for key, value in whole.items():
        np.testing.assert_array_equal(again[key], value, err_msg=key)
    assert Run.named("colored").palette.read_bytes() == palette


def test_the_palette_is_measured_on_the_training_records(here):
    manifest = Manifest.load(Path("records"))
    frames = pipeline.frames(Path("records"), manifest, "train")
    palette = Palette.from_dict(json.loads(Run.named("colored").palette.read_text()))
    assert palette.simulator is not None
    for name, colors in (("image_real", palette.real), ("image_cg", palette.simulator)):
        means = np.stack([frame_means(f["labels"].numpy(), f[name].numpy(), 13) for f in frames])
        known = ~np.isnan(means).all(axis=0)
        np.testing.assert_array_equal(~np.isnan(colors.mean), known)
        for kind in range(14):
            present = means[:, kind][~np.isnan(means[:, kind, 0])]
            if len(present):
                np.testing.assert_allclose(colors.mean[kind], present.mean(0), atol=1e-2)
                np.testing.assert_allclose(colors.spread[kind], present.std(0), atol=1e-2)
    assert palette.clusters.shape == (8, 14, 3)
    real = np.stack([frame_means(f["labels"].numpy(), f["image_real"].numpy(), 13) for f in frames])
    for kind in range(14):
        low, high = np.nanmin(real[:, kind], 0), np.nanmax(real[:, kind], 0)
        for kept in (palette.clusters[:, kind], palette.frames[:, kind]):
            known = kept[~np.isnan(kept[:, 0])]
            assert ((known >= low - 0.01) & (known <= high + 0.01)).all()
            assert len(known) or np.isnan(real[:, kind]).all()


def paint(*flags, output="out"):
    scene = next(Path("records/raw").glob("MINICITY-SEQS-02*"))
    places = ["--labels", scene / "GT/LABELS", "--frames", scene / "RGB", "--output", output]
    assert translate.main([str(word) for word in ("--run", "colored", *places, *flags)]) == 0


def painted(*flags):
    """The pictures of a drive, and the texts of the first."""
    paint(*flags)
    files = sorted(Path("out").rglob("0*.png"))
    with Image.open(files[0]) as image:
        texts = image.text
    pictures = np.stack([np.asarray(Image.open(file)) for file in files])
    shutil.rmtree("out")
    return pictures, texts


def test_each_choice_has_its_colours(here):
    given, texts = painted()
    assert (texts["appearance"], texts["edges"]) == ("given", "dned")
    other_scene = min(Path("records/raw").glob("MINICITY-SEQS-*"))
    picture = min((other_scene / "RGB").rglob("*.png"))
    labels = Path(str(picture).replace("/RGB/", "/GT/LABELS/"))
    all_of_them = [given]
    for choice in ("cluster:7", "random", f"like:{picture}", f"like:{picture},{labels}"):
        pictures, texts = painted("--appearance", choice, "--seed", "3")
        assert texts["appearance"] == choice
        assert not any(np.array_equal(pictures, others) for others in all_of_them)
        all_of_them.append(pictures)
    again, _ = painted("--appearance", "random", "--seed", "3")
    np.testing.assert_array_equal(again, all_of_them[2])
    several, _ = painted("--appearance", "random", "--edges", "laplacian", "--variations", "3")
    assert len(several) == 3 * len(given)


def test_a_model_paints_in_the_colours_it_is_asked_for(here):
    model = sflowgan_tf.load("runs/colored")
    frame = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    assert model.palette is not None
    there = np.flatnonzero(~np.isnan(model.palette.real.mean[:-1, 0]))
    labels = np.full((32, 64), there[0], np.uint8)
    labels[:, 32:] = there[1]
    given = model.translate(labels, frame)
    np.testing.assert_array_equal(
        model.translate(labels, frame, appearance=model.palette.given()), given
    )
    other = model.translate(labels, frame, appearance=model.palette.cluster(5))
    assert not np.array_equal(other, given)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["appearance.kind=none"], "appearance.kind: regions -> none"),
        (["appearance.kind=regions", "appearance.cell=4"], "appearance.cell: 8 -> 4"),
    ],
)
def test_a_run_goes_on_with_its_own_appearance_alone(here, more, sentence, capsys):
    call("--run", "colored", *more, code=2)
    said = capsys.readouterr().err
    assert sentence in said
    assert ("--from" in said) == ("cell" in sentence)


def test_another_run_starts_from_networks_that_see_the_same(here, capsys):
    call("--run", "plain", "--from", "colored", code=2)
    assert "appearance.kind: regions -> none" in capsys.readouterr().err
    call("--run", "next", "--from", "colored", "appearance.kind=regions", "phases.dned=0")
    assert Run.named("next").palette.is_file()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Path.unlink, "palette.json: this run's palette is missing; the command that trained"),
        (lambda file: file.write_text("{}"), "palette.json: damaged; delete it, and the command"),
    ],
)
def test_a_lost_palette_is_a_sentence_whose_advice_works(here, change, sentence, capsys):
    file = Run.named("colored").palette
    whole = file.read_bytes()
    change(file)
    scene = next(Path("records/raw").glob("MINICITY-SEQS-02*"))
    flags = ["--labels", f"{scene}/GT/LABELS", "--frames", f"{scene}/RGB", "--output", "out"]
    assert translate.main(["--run", "colored", *flags]) == 2
    assert sentence in capsys.readouterr().err
    file.unlink(missing_ok=True)
    call(*COLORED)
    assert file.read_bytes() == whole


def test_an_evaluation_on_frames_of_a_camera_leaves_their_colours(here):
    """As evaluate paints real frames where there is no simulator."""
    manifest = Manifest.load(Path("records"))
    reference = Reference(folder=Path("records"), manifest=manifest, split="validation")
    bare = dataclasses.replace(reference, manifest=dataclasses.replace(manifest, has_cg=False))
    recolored, kept = (
        Painted.of_run("colored", of, edges=None, weight=0.0).translator.appearance.palette.given()
        for of in (reference, bare)
    )
    assert not np.array_equal(recolored.shift, kept.shift)
    np.testing.assert_array_equal(kept.scale, np.ones_like(kept.scale))
    np.testing.assert_array_equal(kept.shift, np.zeros_like(kept.shift))
