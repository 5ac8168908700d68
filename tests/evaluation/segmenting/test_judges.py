import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.evaluation.segmenting import judges
from sflowgan_tf.evaluation.segmenting.judges import Outputs
from sflowgan_tf.ops.classes import TABLES, VOID, ClassTable
from sflowgan_tf.utils.errors import UserError

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
    judge = judges.find(saved(tmp_path / "model", function, dtype), TABLE)
    np.testing.assert_array_equal(judge.segment(FRAMES), EXPECTED)
    assert judge.network is None and judge.name.startswith("SavedModel model (sha256 ")


def test_a_saved_model_of_other_classes(tmp_path):
    judge = judges.find(
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
            judges.find(str(path), TABLE)


def test_a_damaged_saved_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(UserError, match=f"--segmenter {tmp_path}: can't be .*pb is damaged"):
        judges.find(str(tmp_path), TABLE)


def test_a_saved_model_without_a_signature(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(UserError, match="has no signature serving_default; its signatures: none"):
        judges.find(str(tmp_path), TABLE)


class Converter:
    """KerasHub's: cuts off what is wider or higher than its own shape, then resizes."""

    def __init__(self, image_size):
        self.image_size = image_size

    def __call__(self, frames):
        if self.image_size is None:
            return frames
        resized = keras.layers.Resizing(*self.image_size, crop_to_aspect_ratio=True)
        return np.asarray(resized(frames))


def hub(monkeypatch, preprocessor):
    """A KerasHub with one preset, which tells dark from bright."""

    def predict(frames, verbose):
        frames = preprocessor.image_converter(frames) if preprocessor else frames
        bright = frames.mean(-1, keepdims=True)
        return np.concatenate([128 - bright, bright - 128], -1)

    loaded = SimpleNamespace(predict=predict, preprocessor=preprocessor)
    maker = SimpleNamespace(from_preset=lambda name: {"segformer": loaded}[name])
    package = SimpleNamespace(models=SimpleNamespace(ImageSegmenter=maker))
    monkeypatch.setitem(sys.modules, "keras_hub", package)


@pytest.mark.parametrize("size", [None, (8, 8), (4, 4)])
def test_a_preset_of_keras_hub_sees_the_whole_frame(monkeypatch, size):
    frames = np.zeros((1, 4, 8, 3), np.uint8)
    frames[:, :, 6:] = 255  # outside of the square in the middle
    hub(monkeypatch, SimpleNamespace(image_converter=Converter(size)))
    judge = judges.find("hub:segformer", TABLE)
    classes = judge.segment(frames)
    assert classes.shape == (1, 4, 8)
    assert classes[..., -1].all() and not classes[..., :5].any()


def test_a_preset_without_a_preprocessor(monkeypatch):
    hub(monkeypatch, None)
    judge = judges.find("hub:segformer", TABLE)
    np.testing.assert_array_equal(judge.segment(FRAMES), EXPECTED)
    with pytest.raises(UserError, match="hub:other: could not be loaded"):
        judges.find("hub:other", TABLE)


def test_keras_hub_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match="pip install keras-hub"):
        judges.find("hub:segformer", TABLE)


def read(file, outputs, table=TABLE):
    """Classes of a 4x8 frame with these outputs (1, height, width), which a file explains."""
    return Outputs.find(str(file), table).read(np.array(outputs), FRAMES.shape[1:3], "s")


@pytest.fixture
def listed(tmp_path):
    def write(text):
        (tmp_path / "classes.yaml").write_text(text)
        return tmp_path / "classes.yaml"

    return write


def test_outputs_of_other_classes(listed):
    """Two outputs of one class, one of none."""
    classes = read(
        listed("[bright, null, dark, bright]"), np.array([0, 1, 2, 3] * 8).reshape(1, 4, 8)
    )
    np.testing.assert_array_equal(classes[0, 0, :4], [1, VOID, 0, 1])
    assert classes.dtype == np.uint8


def test_logits_are_resized_before_the_highest_is_chosen(listed):
    """Between two pixels that are sure of dark and of bright, a third wins at neither."""
    logits = np.array([[[[0.0, 9, 0, 7], [9.0, 0, 0, 7]]]])  # (1, 1, 2, 4)
    classes = read(listed("[bright, dark, bright, null]"), logits)
    np.testing.assert_array_equal(classes[0], [[0, 0, 0, VOID, VOID, 1, 1, 1]] * 4)


def test_probabilities_of_outputs_of_one_class_are_summed(listed):
    """And those of none of the classes come last; logits and probabilities alike."""
    shares = np.array([0.1, 0.2, 0.3, 0.4], np.float32).reshape(1, 1, 1, 4)
    outputs = Outputs.find(str(listed("[bright, null, dark, bright]")), TABLE)
    for given in (shares, np.log(shares) + 3):
        got = outputs.probabilities(given, (1, 1), "judge")
        np.testing.assert_allclose(got[0, 0, 0], [0.3, 0.5, 0.2], atol=1e-6)


def test_numbers_of_outputs_are_sure(listed):
    outputs = Outputs.find(str(listed("[bright, null, dark, bright]")), TABLE)
    got = outputs.probabilities(np.array([[[0, 1, 2]]]), (1, 3), "judge")
    np.testing.assert_array_equal(got[0, 0], [[0, 1, 0], [0, 0, 1], [1, 0, 0]])


def test_a_class_table_leads_by_name():
    carla, cityscapes = TABLES["carla-0.9.14"], TABLES["cityscapes"]
    outputs = Outputs.find(carla.name, cityscapes)
    assert outputs.name == carla.name
    np.testing.assert_array_equal(outputs.indices, [*range(19), *[VOID] * 9])


def test_the_meaning_of_the_outputs_is_told(tmp_path, listed):
    path = saved(tmp_path / "model", of_signed, tf.float32)
    judge = judges.find(path, TABLE, str(listed("- bright\n- dark\n")))
    np.testing.assert_array_equal(judge.segment(FRAMES), 1 - EXPECTED)
    assert ", outputs of classes.yaml (sha256 " in judge.weights


def test_a_run_knows_its_classes(tmp_path):
    with pytest.raises(UserError, match="knows its classes"):
        judges.find("oracle", TABLE, "cityscapes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dark, null]", "no output is of class bright, which the records have"),
        ("[dark, brihgt]", "one of dark, bright, or null; got 'brihgt'"),
        ("{dark: 1}", "expected a YAML list"),
        ("[dark", r"line \d, column \d+: no YAML: "),
    ],
)
def test_a_list_that_does_not_fit(listed, text, said):
    with pytest.raises(UserError, match=said):
        Outputs.find(str(listed(text)), TABLE)


def test_neither_a_table_nor_a_file():
    with pytest.raises(UserError, match="neither a class table.*cityscapes.*nor a file"):
        Outputs.find("citscapes", TABLE)
    with pytest.raises(UserError, match="no output is of class dark, bright"):
        Outputs.find("cityscapes", TABLE)
