import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.translation import artefact
from sflowgan_tf.utils.errors import UserError
from tests.front import scene

LABELS, IMAGE = scene(40, 24, seed=3)


@pytest.mark.parametrize("place", ["version", "model"])
def test_it_paints_what_the_model_paints(exported, exportable, place):
    loaded = artefact.load(exported if place == "version" else exported.parent)
    assert loaded.redraws
    assert (loaded.card.run, loaded.card.step) == ("city", 7)
    for weights in (*ensemble_weights(2, seed=0), None):
        painted = loaded.translate(LABELS, IMAGE, weights)
        expected = exportable.translator.translate(LABELS, IMAGE, weights)
        np.testing.assert_array_equal(painted, expected)


def test_bytes_give_the_same_as_tensors(exported):
    loaded = artefact.load(exported)
    encoded = artefact.Artefact(exported, loaded.predict, encoded=True)
    for weights in (ensemble_weights(1, seed=0)[0], None):
        expected = loaded.translate(LABELS, IMAGE, weights)
        np.testing.assert_array_equal(encoded.translate(LABELS, IMAGE, weights), expected)


@pytest.mark.parametrize("encoded", [False, True])
def test_it_paints_in_the_colors_that_are_asked_for(colored_exported, colored_exportable, encoded):
    loaded = artefact.load(colored_exported)
    engine = artefact.Artefact(colored_exported, loaded.predict, encoded=encoded)
    palette = engine.model({}, [], lambda: None).palette
    pictures = []
    for recoloring in (None, palette.cluster(1)):
        for weights in (*ensemble_weights(2, seed=0), None):
            pictures.append(engine.translate(LABELS, IMAGE, weights, recoloring))
            expected = colored_exportable.translator.translate(LABELS, IMAGE, weights, recoloring)
            assert np.abs(pictures[-1].astype(int) - expected).max() <= 1
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_a_model_without_a_dned_is_asked_for_its_one_version(exported):
    asked = []
    loaded = artefact.load(exported)

    def predict(name, inputs):
        asked.append(name)
        return loaded.predict(name, inputs)

    for encoded in (False, True):
        plain = artefact.Artefact(exported, predict, encoded=encoded)
        object.__setattr__(plain.card, "redraws", False)
        assert not plain.redraws
        plain.translate(LABELS, IMAGE, None)
    assert asked == ["card", "serving_default", "card", "encoded"]


def test_the_highest_version_counts_and_other_folders_do_not(exported, tmp_path):
    for name in ("2", "10", "notes", "11"):
        (tmp_path / name).mkdir()
    for name in ("2", "10"):
        shutil.copy(exported / "saved_model.pb", tmp_path / name)
    assert artefact.find(tmp_path) == tmp_path / "10"
    assert artefact.find(tmp_path / "2") == tmp_path / "2"
    with pytest.raises(UserError, match=r"notes: no saved_model\.pb in it; expected the folder"):
        artefact.find(tmp_path / "notes")


def test_a_model_from_elsewhere_is_refused_with_the_differences(tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([None, 256, 256, 3], tf.float32, "image")
    traced = tf.function(lambda image: {"image": image}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path), traced.get_concrete_function())
    with pytest.raises(UserError) as caught:
        artefact.load(tmp_path)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}: is no model that export wrote: ")
    assert "serving_default takes no labels (uint8 (None, None, None))" in said
    assert "image as float32 (None, 256, 256, 3) instead of uint8 (None, None, None, 3)" in said
    assert "there is no signature encoded" in said


def test_it_is_refused_before_anything_of_it_is_loaded(tmp_path, monkeypatch):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    monkeypatch.setattr(tf.saved_model, "load", lambda *_: pytest.fail("was loaded"))
    with pytest.raises(UserError, match="there is no signature serving_default"):
        artefact.load(tmp_path)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"nonsense"), ".pb: damaged; copy"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), ".pb: damaged; copy it anew"),
        (lambda folder: next(folder.glob("variables/*.data*")).unlink(), "are damaged or missing"),
        (lambda folder: shutil.rmtree(folder / "variables"), "are damaged or missing; copy it"),
    ],
)
def test_a_damaged_one_is_a_sentence(exported, tmp_path, damage, sentence):
    folder = tmp_path / "copy"
    shutil.copytree(exported, folder)
    damage(folder)
    with pytest.raises(UserError, match=sentence) as caught:
        artefact.load(folder)
    assert str(caught.value).startswith(str(folder))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("card", "sentence"),
    [(b"{}", "damaged model card"), (b"\xff", "damaged"), (b'{"version": 9}', "of version 9")],
)
def test_a_card_of_another_version_or_form_is_a_sentence(card, sentence):
    with pytest.raises(UserError, match=f"models/city: .*{sentence}.*; export the model anew"):
        artefact.Artefact(
            "models/city", lambda *_: {"card": np.array([card], object)}, encoded=False
        )


ALONE = """
import sys

class Nothing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "sflowgan_tf":
            raise ImportError(name)

sys.meta_path.insert(0, Nothing())
import numpy as np
import tensorflow as tf

call = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
inputs = np.load(sys.argv[2])
painted = call(labels=tf.constant(inputs["labels"]), image=tf.constant(inputs["image"]))["image"]
np.save(sys.argv[3], painted)
wrong = np.where(inputs["labels"] == 255, 255, 77).astype(np.uint8)
try:
    call(labels=tf.constant(wrong), image=tf.constant(inputs["image"]))
except tf.errors.InvalidArgumentError as error:
    print(error.message)
assert "sflowgan_tf" not in sys.modules
"""


def _environment():
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def test_it_paints_and_refuses_in_a_process_without_this_program(exported, exportable, tmp_path):
    np.savez(tmp_path / "scene.npz", labels=LABELS[None], image=IMAGE[None])
    done = subprocess.run(
        [sys.executable, "-c", ALONE, exported, tmp_path / "scene.npz", tmp_path / "painted.npy"],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "class id 77 is outside the table, which has 13 classes" in done.stdout
    (painted,) = np.load(tmp_path / "painted.npy")
    expected = exportable.translator.translate(LABELS, IMAGE, ensemble_weights(1, 0)[0])
    assert np.abs(painted - expected.astype(int)).mean() < 0.01


def test_saved_model_cli_shows_and_runs_it(exported, exportable, tmp_path):
    np.savez(tmp_path / "scene.npz", labels=LABELS[None], image=IMAGE[None])
    inputs = f"labels={tmp_path}/scene.npz[labels];image={tmp_path}/scene.npz[image]"
    tool = Path(sys.executable).with_name("saved_model_cli")
    done = subprocess.run(
        [tool, "run", "--dir", exported, "--tag_set", "serve", "--signature_def", "serving_default"]
        + ["--inputs", inputs, "--outdir", tmp_path],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (painted,) = np.load(tmp_path / "image.npy")
    expected = exportable.translator.translate(LABELS, IMAGE, ensemble_weights(1, 0)[0])
    assert np.abs(painted - expected.astype(int)).mean() < 0.01


def test_a_session_as_tensorflow_serving_runs_it_refuses_too(exported, exportable):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(exported))
        signature = graph.signature_def["serving_default"]
        inputs = {key: info.name for key, info in signature.inputs.items()}

        def run(labels):
            scene = {inputs["labels"]: labels[None], inputs["image"]: IMAGE[None]}
            return session.run(signature.outputs["image"].name, scene)[0]

        painted = run(LABELS)
        with pytest.raises(tf.errors.InvalidArgumentError, match="class id 77 is outside"):
            run(np.where(LABELS == 255, LABELS, np.uint8(77)))
    expected = exportable.translator.translate(LABELS, IMAGE, ensemble_weights(1, 0)[0])
    assert np.abs(painted - expected.astype(int)).mean() < 0.01
