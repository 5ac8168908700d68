import errno
import os
from pathlib import Path
from types import SimpleNamespace

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.training import callbacks
from sflowgan_tf.utils.errors import Failure


def attached(callback, **attributes):
    """A callback of a training that went on from its sixth update and has made one more."""
    step = tf.Variable(6, dtype=tf.int64)
    defaults = {"step": step, "optimizer": None}
    callback._model = SimpleNamespace(**(defaults | attributes))
    callback.on_train_begin()
    step.assign(7)
    return callback


def logs(**values):
    return {name: tf.constant(value) for name, value in values.items()}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["perceptual_loss", "dned_gradient"])
def test_a_number_gone_wrong_stops_with_its_name_and_step(name, bad):
    watch = attached(callbacks.StopOnNonFinite(lambda step: f"see step {step}", [4, 10]))
    good = logs(generator_loss=1.0, discriminator_loss=2.0)
    watch.on_train_batch_end(0, good)
    watch.on_train_batch_end(1, good)
    watch.on_train_batch_end(2, good | logs(**{name: bad}))  # of step 9
    with pytest.raises(Failure, match=f"{name} is .* at step 9; see step 9"):
        watch.on_train_batch_end(3, logs(generator_loss=np.nan))


@pytest.mark.parametrize("end", ["check", "epoch"])
def test_what_no_look_has_seen_is_seen_at_the_end(end):
    watch = attached(callbacks.StopOnNonFinite(str, [100]))
    watch.on_train_batch_end(0, logs(generator_loss=np.nan))
    with pytest.raises(Failure, match="at step 7"):
        watch.check() if end == "check" else watch.on_epoch_end(0)


def test_infinities_of_both_signs_do_not_hide_each_other():
    watch = attached(callbacks.StopOnNonFinite(str, [1]))
    with pytest.raises(Failure, match="generator_loss"):
        watch.on_train_batch_end(0, logs(generator_loss=np.inf, dned_loss=-np.inf))


def test_under_loss_scaling_gradients_may_overflow_but_losses_not():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    watch = attached(callbacks.StopOnNonFinite(str, [1]), optimizer=scaled)
    watch.on_train_batch_end(0, logs(generator_loss=1.0, generator_gradient=np.inf))
    with pytest.raises(Failure, match="generator_loss"):
        watch.on_train_batch_end(0, logs(generator_loss=np.nan, generator_gradient=1.0))


def test_curves_hold_every_term_under_its_group(tmp_path):
    writer = callbacks.Summaries(tmp_path)
    adam = SimpleNamespace(learning_rate=tf.constant(0.5))
    optimizers = dict.fromkeys(("generator", "discriminator", "dned"), adam)
    curves = attached(callbacks.Curves(writer, 7, optimizers, lambda: 2))
    curves.on_train_batch_end(0, logs(dned_loss=0.25, dned_gradient=3.0, discriminator_real=0.75))
    curves.on_train_batch_end(1, logs(dned_loss=9.0))
    writer.__exit__(None)
    found = {}
    for file in tmp_path.iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found[value.tag] = (event.step, float(tf.make_ndarray(value.tensor)))
    rate = found.pop("images_per_second")[1]
    assert rate > 0
    assert found == {
        "losses/dned_loss": (7, 0.25),
        "gradients/dned_gradient": (7, 3.0),
        "discriminator/discriminator_real": (7, 0.75),
        "learning_rate/generator": (7, 0.5),
        "learning_rate/discriminator": (7, 0.5),
        "learning_rate/dned": (7, 0.5),
    }


def test_sheets_are_written_as_png_and_for_tensorboard(tmp_path):
    sheet = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    writer = callbacks.Summaries(tmp_path / "logs")
    drawn = attached(
        callbacks.SheetWriter(lambda: {"scenes": sheet}, "scenes", writer, tmp_path / "samples")
    )
    drawn.on_epoch_end(2)
    writer.__exit__(None)
    read = cv2.imread(str(tmp_path / "samples/scenes-0003.png"))[..., ::-1]
    np.testing.assert_array_equal(read, sheet)
    assert [p.name for p in (tmp_path / "samples").iterdir()] == ["scenes-0003.png"]
    assert drawn.is_drawn(2) and not drawn.is_drawn(3)
    assert any(file.stat().st_size > 100 for file in (tmp_path / "logs").iterdir())


def test_films_are_written_as_animated_pictures(tmp_path):
    film = np.zeros((3, 8, 6, 3), np.uint8)
    film[1], film[2] = 255, (0, 0, 255)
    writer = callbacks.Summaries(tmp_path / "logs")
    drawn = attached(
        callbacks.SheetWriter(lambda: {"film": film}, "scenes", writer, tmp_path / "samples")
    )
    drawn.on_epoch_end(0)
    writer.__exit__(None)
    file = tmp_path / "samples/film-0001.gif"
    with Image.open(file) as read:
        assert (read.n_frames, read.info["duration"], read.info["loop"]) == (3, 200, 0)
        for index in range(3):
            read.seek(index)
            np.testing.assert_array_equal(np.asarray(read.convert("RGB")), film[index])
    (log,) = (tmp_path / "logs").iterdir()
    values = [v for e in tf.compat.v1.train.summary_iterator(str(log)) for v in e.summary.value]
    (value,) = values
    assert (value.tag, value.metadata.plugin_data.plugin_name) == ("film", "images")
    assert tf.make_ndarray(value.tensor).tolist() == [b"6", b"8", file.read_bytes()]


def test_images_a_second(tmp_path, monkeypatch):
    clock, images = iter([0.0, 4.0, 6.0]), iter([3, 5])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    writer = callbacks.Summaries(tmp_path)
    curves = attached(callbacks.Curves(writer, 1, {}, lambda: next(images)))
    for _ in range(2):
        curves.on_train_batch_end(0, logs())
    writer.__exit__(None)
    (log,) = tmp_path.iterdir()
    values = [v for e in tf.compat.v1.train.summary_iterator(str(log)) for v in e.summary.value]
    assert [v.tag for v in values] == ["images_per_second"] * 2
    assert [float(tf.make_ndarray(v.tensor)) for v in values] == [3 / 4, 5 / 2]


def test_scores_are_written_at_their_step(tmp_path):
    writer = callbacks.Summaries(tmp_path)
    measured = attached(callbacks.Scores(lambda: {"validation/mean_iou": 0.5}, writer))
    measured.on_epoch_end(0)
    writer.__exit__(None)
    (log,) = tmp_path.iterdir()
    (event,) = [e for e in tf.compat.v1.train.summary_iterator(str(log)) if e.summary.value]
    (value,) = event.summary.value
    assert (event.step, value.tag, float(tf.make_ndarray(value.tensor))) == (
        7,
        "validation/mean_iou",
        0.5,
    )


def test_the_bar_starts_where_the_run_is(capsys):
    loss_labels = {"generator_loss": "G", "perceptual_loss": "VGG"}  # the latter may be left out
    progress = attached(callbacks.Progress(5, 6, loss_labels))
    progress.bar.mininterval = 0
    values = logs(generator_loss=1.5, discriminator_loss=2.0)
    progress.on_train_batch_end(0, values)
    progress.bar.close()
    text = capsys.readouterr().err
    assert "5/6" in text and "6/6" in text and "G=1.5" in text and "VGG" not in text


def test_where_no_log_can_be_the_folder_is_named(tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(Failure, match=f"{tmp_path}/logs: can't be written: Not a directory"):
        callbacks.Summaries(tmp_path / "logs")


def test_a_disk_that_is_full_of_sheets_names_the_file(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sheet = np.zeros((8, 6, 3), np.uint8)
    with callbacks.Summaries(tmp_path / "logs") as summaries:
        sheets = callbacks.SheetWriter(lambda: {"scenes": sheet}, "scenes", summaries, tmp_path)
        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(Failure, match=r"scenes-0001\.png: can.t be written: No space left"):
            attached(sheets).on_epoch_end(0)
