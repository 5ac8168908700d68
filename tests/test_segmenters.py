import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import segmenters
from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import ClassTable

TABLE = ClassTable(
    name="two", names=("dark", "bright"), colors=((0, 0, 0), (9, 9, 9)), ids={0: 0, 1: 1}
)
FRAMES = np.zeros((1, 4, 8, 3), np.uint8)
FRAMES[:, :, 4:] = 255  # the right half is bright
EXPECTED = (FRAMES[..., 0] > 0).astype(np.uint8)


def saved(path, function, dtype):
    model = tf.Module()
    model.call = tf.function(function, [tf.TensorSpec([None, None, None, 3], dtype)])
    tf.saved_model.save(model, str(path), signatures={"serving_default": model.call})
    return str(path)


def of_signed(frames):
    bright = tf.reduce_mean(frames, axis=-1, keepdims=True)
    return {"logits": tf.concat([-bright, bright], axis=-1)[:, ::2, ::2]}


def of_levels(frames):
    return {"classes": tf.cast(frames[..., 0] > 127, tf.int32)}


@pytest.mark.parametrize(
    ("function", "dtype"), [(of_signed, tf.float32), (of_levels, tf.uint8)], ids=["logits", "ids"]
)
def test_a_saved_model_of_any_size_of_output(tmp_path, function, dtype):
    judge = segmenters.find(saved(tmp_path / "model", function, dtype), TABLE)
    np.testing.assert_array_equal(judge.segment(FRAMES), EXPECTED)
    assert judge.network is None and judge.name.startswith("SavedModel model (sha256 ")


def test_a_saved_model_of_other_classes(tmp_path):
    judge = segmenters.find(
        saved(tmp_path / "model", lambda x: {"y": tf.cast(x, tf.float32)}, tf.uint8), TABLE
    )
    with pytest.raises(UserError, match=r"expected 2 logits a pixel.*shape \(1, 4, 8, 3\)"):
        judge.segment(FRAMES)


def test_a_saved_model_of_something_else(tmp_path):
    grey = tf.Module()
    grey.call = tf.function(lambda x: {"y": x}, [tf.TensorSpec([None, 8, 8, 1], tf.float32)])
    two = tf.Module()
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8)
    two.call = tf.function(lambda a, b: {"y": a, "z": b}, [spec, spec])
    for module, said in (
        (grey, r"takes float32 of shape \(None, 8, 8, 1\)"),
        (two, "takes a, b and gives y, z"),
    ):
        path = tmp_path / str(id(module))
        tf.saved_model.save(module, str(path), signatures={"serving_default": module.call})
        with pytest.raises(UserError, match=said):
            segmenters.find(str(path), TABLE)


def test_a_damaged_saved_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(UserError, match="no SavedModel with a signature serving_default"):
        segmenters.find(str(tmp_path), TABLE)


def test_a_preset_of_keras_hub(monkeypatch):
    def predict(frames, verbose):
        bright = frames.mean(-1, keepdims=True)
        return np.concatenate([128 - bright, bright - 128], -1)

    loaded = SimpleNamespace(predict=predict)
    maker = SimpleNamespace(from_preset=lambda name: {"segformer": loaded}[name])
    hub = SimpleNamespace(models=SimpleNamespace(ImageSegmenter=maker))
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    judge = segmenters.find("hub:segformer", TABLE)
    np.testing.assert_array_equal(judge.segment(FRAMES), EXPECTED)
    with pytest.raises(UserError, match="hub:other: could not be loaded"):
        segmenters.find("hub:other", TABLE)


def test_keras_hub_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match="pip install keras-hub"):
        segmenters.find("hub:segformer", TABLE)
