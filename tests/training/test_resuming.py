import dataclasses
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.data import pipeline, records
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.training import resuming
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import Failure, UserError


def begun(folder, config):
    run = Run(folder)
    settings.save(config, run.config)
    run.checkpoints.mkdir()
    (run.checkpoints / "step-1.index").touch()
    return run


def test_a_configuration_may_be_mended_until_something_is_trained(tmp_path):
    run, first = Run(tmp_path), settings.Config()
    mended = dataclasses.replace(first, seed=1)
    settings.save(first, run.config)
    resuming.check_same(mended, run)
    begun(tmp_path, first)
    resuming.check_same(first, run)
    with pytest.raises(UserError, match="seed: 0 -> 1"):
        resuming.check_same(mended, run)


def test_settings_of_another_task_do_not_matter(tmp_path):
    first = settings.Config()
    other = dataclasses.replace(first, segmenter=settings.Segmenter(epochs=3), seed=1)
    run = begun(tmp_path, first)
    with pytest.raises(UserError) as error:
        resuming.check_same(other, run)
    assert "(seed: 0 -> 1)" in str(error.value)
    resuming.check_same(dataclasses.replace(other, seed=0), run)


def test_neither_do_they_matter_to_a_segmenter(tmp_path):
    first = settings.Config(task="segmentation")
    other = dataclasses.replace(first, phases=settings.Phases(video=1))
    run = begun(tmp_path, first)
    resuming.check_same(other, run)
    with pytest.raises(UserError, match="segmenter.epochs: 100 -> 3"):
        resuming.check_same(dataclasses.replace(other, segmenter=settings.Segmenter(epochs=3)), run)


def test_a_run_of_another_task_is_refused(tmp_path):
    run = begun(tmp_path, settings.Config())
    with pytest.raises(UserError, match="task: translation -> segmentation"):
        resuming.check_same(settings.Config(task="segmentation"), run)


def test_an_interrupt_saves_and_goes_up(tmp_path, capsys):
    step = tf.Variable(5, dtype=tf.int64)
    checkpoints = Checkpoints(tf.train.Checkpoint(step=step), tmp_path, every_steps=100)
    stoppable = resuming.saved_when_stopped(checkpoints, tmp_path, None)
    with pytest.raises(KeyboardInterrupt), stoppable:
        raise KeyboardInterrupt
    assert (tmp_path / "step-5.index").is_file()
    assert "Stopped at step 5 and saved; the same command goes on." in capsys.readouterr().out


def stop_with(error, folder, manifest):
    with resuming.saved_when_stopped(None, folder, manifest):
        raise error


def damaged_records(folder):
    """A shard whose second record is cut off, and its manifest."""
    with tf.io.TFRecordWriter(str(folder / "train-0.tfrecord")) as writer:
        for number in range(2):
            writer.write(records.serialize([PICTURES], None, None, sequence="s", frame=number))
    shard = folder / "train-0.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-9])
    shards = [{"file": shard.name, "records": 2, "pairs": 0}]
    train = Split(records=2, pairs=0, shards=shards, sequences=["s"])
    return Manifest(
        dataset="test",
        size=(4, 2),
        classes=TABLES["synthia"],
        edges=EdgeSettings(),
        flow=Farneback(),
        seed=0,
        has_cg=False,
        has_instances=False,
        has_motion=False,
        splits={"train": train},
        skipped=[],
    )


PICTURES = records.code(
    np.zeros((2, 4), np.uint8), np.zeros((2, 4, 1), np.uint8), np.zeros((2, 4, 3), np.uint8)
)


class Step(keras.Model):
    """One training step on the labels of records: `fail` is what it does."""

    def __init__(self, fail):
        super().__init__()
        self.fail = fail

    def train_step(self, batch):
        return {"loss": self.fail(batch["labels"])}


def trained(fail, folder, manifest, skip=0):
    how = {"seed": 0, "epoch": 0, "batch_size": 1, "crop": None, "flip": False, "max_scale": 1.0}
    batches = pipeline.training(folder, manifest, **how, shuffle_buffer=1, skip=skip)
    step = Step(fail)
    step.compile(jit_compile=False)
    with resuming.saved_when_stopped(None, folder, manifest):
        step.fit(pipeline.to_device(batches), verbose=0, shuffle=False)


def test_where_the_input_fails_the_damaged_record_is_named(tmp_path):
    manifest = damaged_records(tmp_path)
    with pytest.raises(UserError, match=r"train-0\.tfrecord: record 1 is damaged .* prepare again"):
        trained(lambda labels: tf.reduce_sum(labels), tmp_path, manifest)


def test_an_error_of_a_step_is_told_at_once_and_no_record_is_read(tmp_path):
    manifest = damaged_records(tmp_path)  # which would be found
    with pytest.raises(tf.errors.InvalidArgumentError, match="10 is not in"):
        trained(lambda labels: tf.gather(tf.range(2), [10]), tmp_path, manifest)


@pytest.mark.parametrize(
    "reason",
    [
        "OOM when allocating tensor with shape[1,64,512,1024] [[{{node Conv2D}}]]",
        "failed to allocate memory [[IteratorGetNext]]",
    ],
)
def test_out_of_memory_is_a_sentence_and_no_record_is_read(tmp_path, reason):
    error = tf.errors.ResourceExhaustedError(None, None, reason)
    with pytest.raises(Failure, match="not enough memory .* --run .* batch_size") as told:
        stop_with(error, tmp_path, damaged_records(tmp_path))
    assert "{{" not in str(told.value) and "[[" not in str(told.value)


def test_an_input_that_failed_for_once_goes_on(tmp_path):
    manifest = replace(damaged_records(tmp_path), splits={})
    error = tf.errors.UnknownError(None, None, "network file system [[IteratorGetNext]]")
    with pytest.raises(Failure, match=f"{tmp_path}: reading the records failed, .* goes on"):
        stop_with(error, tmp_path, manifest)


def test_a_start_that_can_not_be_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "young").mkdir()
    settings.save(settings.Config(), tmp_path / "young/config.yaml")
    run = Run(tmp_path / "new")
    for name, said in (
        ("nowhere", "nowhere: no training has begun there"),
        ("young", "--from .*young: has no checkpoint yet"),
        ("new", "--from .*new: is the new run itself"),
    ):
        config = settings.Config(start_run=str(tmp_path / name))
        with pytest.raises(UserError, match=said):
            resuming.check_start(config, run)
    assert not run.folder.exists()


def test_a_begun_run_no_longer_needs_its_start(tmp_path):
    config = settings.Config(start_run=str(tmp_path / "gone"))
    resuming.check_start(config, begun(tmp_path, config))
