"""What is written is compared with the run before it appears."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.deployment import saved_model
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
    assert all(difference["mean"] < 1e-4 for difference in differences.values())
    inside = artefact.load(exported).card.to_dict()
    assert json.loads(json.dumps(inside)) == card


def test_a_model_that_sees_colors_is_compared_in_others_too(colored_exported):
    card = json.loads((colored_exported / "model_card.json").read_text())
    differences = card["difference_to_run"]
    assert [*differences][5:] == ["appearance", "encoded_appearance"]
    assert all(difference["mean"] < 1e-4 for difference in differences.values())
    assert card["appearance"]["cell"] == 5


class Painting:
    """A run whose own pictures are not those of the networks that are exported."""

    def __init__(self, translator, change):
        self.translator, self.change = translator, change

    def __getattr__(self, name):
        return getattr(self.translator, name)

    def translate(self, labels, image, weights, recoloring=None):
        return self.change(self.translator.translate(labels, image, weights), weights)


def test_one_signature_that_differs_is_a_failure_and_leaves_nothing(exportable, tmp_path):
    def brighter_without_dned(picture, weights):
        return picture if weights is not None else np.minimum(picture, 253) + np.uint8(2)

    changed = Painting(exportable.translator, brighter_without_dned)
    other = dataclasses.replace(exportable, translator=changed)
    with pytest.raises(Failure, match=r"signature edges differs from run runs/city by 2\.000 of"):
        saved_model.write(other, tmp_path, exportable.card("city", ""))
    assert files(tmp_path) == []


def test_an_interrupt_leaves_nothing(exportable, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    changed = Painting(exportable.translator, interrupted)
    other = dataclasses.replace(exportable, translator=changed)
    with pytest.raises(KeyboardInterrupt):
        saved_model.write(other, tmp_path, exportable.card("city", ""))
    assert files(tmp_path) == []


def test_an_error_of_the_comparison_is_none_of_the_disk(exportable, tmp_path):
    def failing(*_):
        raise RuntimeError("kernel.so: No such file or directory")

    other = dataclasses.replace(exportable, translator=Painting(exportable.translator, failing))
    with pytest.raises(RuntimeError, match="kernel.so"):
        saved_model.write(other, tmp_path, exportable.card("city", ""))
    assert files(tmp_path) == []


def test_all_frames_are_compared(exportable):
    labels, image = (tf.constant(array) for array in scene(seed=9))
    frames = [*exportable.frames, {"labels": labels, "image_cg": image}]
    signatures = []

    class Black:
        def predict(self, name, inputs):
            signatures.append(name)
            return {"image": np.zeros((1, 16, 32, 3), np.uint8)}

    two_frames = dataclasses.replace(exportable, frames=frames)
    differences = saved_model.compare(two_frames, Black())
    assert len(signatures) == 10
    pictures = [
        exportable.translator.translate(f["labels"].numpy(), f["image_cg"].numpy(), None)
        for f in frames
    ]
    assert differences["edges"]["mean"] == pytest.approx(np.mean(pictures) / 255)
    assert differences["edges"]["largest"] == pytest.approx(np.max(pictures) / 255)
