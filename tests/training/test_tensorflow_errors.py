from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.data import pipeline, records
from sflowgan_tf.data.manifest import Split
from sflowgan_tf.training.tensorflow_errors import explained
from sflowgan_tf.utils.errors import Failure, UserError
from tests.manifests import manifest_of

ADVICE = "take a smaller batch"


def stop_with(error, folder, manifest):
    with explained(folder, manifest, lambda: ADVICE):
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
    return manifest_of(size=(4, 2), has_cg=False, splits={"train": train})


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
    with explained(folder, manifest, lambda: ADVICE):
        step.fit(pipeline.to_device(batches), verbose=0, shuffle=False)


def test_where_the_input_fails_the_damaged_record_is_named(tmp_path):
    manifest = damaged_records(tmp_path)
    with pytest.raises(UserError, match=r"train-0\.tfrecord: record 1 is damaged .* prepare again"):
        trained(lambda labels: tf.reduce_sum(labels), tmp_path, manifest)


def test_an_error_of_a_step_is_told_at_once_and_no_record_is_read(tmp_path):
    manifest = damaged_records(tmp_path)  # which would be found
    with pytest.raises(tf.errors.InvalidArgumentError, match="10 is not in"):
        trained(lambda labels: tf.gather(tf.range(2), [10]), tmp_path, manifest)


def test_an_error_elsewhere_that_names_the_input_beside_it_is_not_the_inputs(tmp_path):
    message = "Blas GEMM launch failed [[{{node MatMul}}]] [[IteratorGetNext/_4]]"
    with pytest.raises(tf.errors.InternalError, match="Blas GEMM"):
        stop_with(tf.errors.InternalError(None, None, message), tmp_path, damaged_records(tmp_path))


@pytest.mark.parametrize(
    "reason",
    [
        "OOM when allocating tensor with shape[1,64,512,1024] [[{{node Conv2D}}]]",
        "failed to allocate memory [[IteratorGetNext]]",
    ],
)
def test_out_of_memory_is_a_sentence_and_no_record_is_read(tmp_path, reason):
    error = tf.errors.ResourceExhaustedError(None, None, reason)
    with pytest.raises(Failure, match=f"not enough memory .*; {ADVICE}") as failure:
        stop_with(error, tmp_path, damaged_records(tmp_path))
    assert "{{" not in str(failure.value) and "[[" not in str(failure.value)


def test_an_input_that_failed_for_once_goes_on(tmp_path):
    manifest = replace(damaged_records(tmp_path), splits={})
    error = tf.errors.UnknownError(None, None, "network file system [[{{node IteratorGetNext}}]]")
    with pytest.raises(Failure, match=f"{tmp_path}: reading the records failed, .* goes on"):
        stop_with(error, tmp_path, manifest)
