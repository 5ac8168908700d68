"""What is written is compared with the run before it appears."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.deployment import deployment
from sflowgan_tf.translation import artefact
from sflowgan_tf.utils.errors import Failure
from tests.front import scene


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_everything_is_written(exported, exportable):
    assert exported.name == "1"
    assert files(exported.parent.parent)[:2] == ["city", "city/1"]
    assert {"saved_model.pb", "model_card.json", "assets.extra"} <= set(files(exported))
    card = json.loads((exported / "model_card.json").read_text())
    differences = card.pop("difference_to_run")
    assert [*differences] == ["serving_default", "weighted", "encoded", "encoded_weighted", "edges"]
    assert all(found["mean"] < 1e-4 for found in differences.values())
    inside = artefact.load(exported).card.to_dict()
    assert json.loads(json.dumps(inside)) == card


@pytest.fixture
def copied(exported, monkeypatch):
    """Writing is a copy of what was written before: no graph is traced anew."""

    def copy(_, folder, __):
        ignored = shutil.ignore_patterns("assets.extra", "model_card.json")
        shutil.copytree(exported, folder, dirs_exist_ok=True, ignore=ignored)

    monkeypatch.setattr(deployment, "endpoints", lambda *_: (tf.Module(), {}))
    monkeypatch.setattr(tf.saved_model, "save", copy)


class Brighter:
    """A run that paints two levels brighter than what was written of it."""

    def __init__(self, translator):
        self.translator = translator

    def __getattr__(self, name):
        return getattr(self.translator, name)

    def translate(self, labels, image, weights):
        return np.minimum(self.translator.translate(labels, image, weights), 253) + np.uint8(2)


def test_what_differs_is_a_failure_and_leaves_nothing(copied, exportable, tmp_path):
    other = dataclasses.replace(exportable, translator=Brighter(exportable.translator))
    card = exportable.card("city", "")
    with pytest.raises(Failure, match=r"signature \w+ differs from run runs/city by 2\.000 of 255"):
        deployment.saved_model(other, tmp_path, card)
    assert files(tmp_path) == []


def test_an_interrupt_leaves_nothing(copied, exportable, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(artefact, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        deployment.saved_model(exportable, tmp_path, exportable.card("city", ""))
    assert files(tmp_path) == []


def test_the_worst_signature_counts(copied, exportable, tmp_path, monkeypatch):
    real = artefact.load

    def changed(folder):
        loaded = real(folder)
        predict = loaded.predict

        def other(name, inputs):
            outputs = predict(name, inputs)
            return {"image": 255 - outputs["image"]} if name == "edges" else outputs

        loaded.predict = other
        return loaded

    monkeypatch.setattr(artefact, "load", changed)
    with pytest.raises(Failure, match="signature edges differs from run"):
        deployment.saved_model(exportable, tmp_path, exportable.card("city", ""))


def test_all_frames_count(exportable):
    labels, image = (tf.constant(array) for array in scene(seed=9))
    frames = [*exportable.frames, {"labels": labels, "image_cg": image}]
    asked = []

    class Written:
        def predict(self, name, inputs):
            asked.append(name)
            return {"image": np.zeros((1, 16, 32, 3), np.uint8)}

    more = dataclasses.replace(exportable, frames=frames)
    found = deployment.compared(more, Written())
    assert len(asked) == 10
    pictures = [
        exportable.translator.translate(f["labels"].numpy(), f["image_cg"].numpy(), None)
        for f in frames
    ]
    assert found["edges"]["mean"] == pytest.approx(np.mean(pictures) / 255)
    assert found["edges"]["largest"] == pytest.approx(np.max(pictures) / 255)
