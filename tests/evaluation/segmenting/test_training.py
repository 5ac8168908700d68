import dataclasses
import gc
import re

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from tqdm import tqdm

from sflowgan_tf.config import Config, Minicity, Pipeline, Preparation, Segmenter
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.segmenting.training import SegmenterTraining
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError

TINY = Config(
    task="segmentation",
    records=Preparation(size="64x32"),
    minicity=Minicity(sequences=3, frames=3),
    segmenter=Segmenter(
        kind="small",
        filters=2,
        class_balance=0.5,
        optimizer="adam",
        epochs=2,
        pipeline=Pipeline(batch_size=2, max_scale=1.5),
    ),
    checkpoint_steps=100,
    log_steps=1,
    samples=2,
)


def changed(**more):
    return dataclasses.replace(TINY, segmenter=dataclasses.replace(TINY.segmenter, **more))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records of minicity: six frames to train on, three to score."""
    path = tmp_path_factory.mktemp("records")
    assembly.raw_records(TINY, None, path, workers=1, skip_bad=False)
    return path


def begun(folder, run, config=TINY):
    assembly.reproducible(config.seed)
    return SegmenterTraining(config, Manifest.load(folder), folder, Run(run))


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole")
    training = begun(folder, run)
    training.run()
    return training


def state(training):
    saved = training.segmenter.state().checkpoint()
    return [np.array(v) for v in (saved.step, *saved.network, *saved.optimizer)]


def curves(training):
    """Tag -> steps at which TensorBoard has a point."""
    found = {}
    for file in training.run_paths.logs.iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


def test_a_run_leaves_curves_scores_sheets_and_a_checkpoint(whole):
    assert int(whole.segmenter.step) == 6
    points = curves(whole)
    assert points["losses/segmentation_loss"] == [1, 2, 3, 4, 5, 6]
    assert points["learning_rate/segmenter"] == [1, 2, 3, 4, 5, 6]
    assert points["scores/mean_iou"] == points["scores/pixel_accuracy"] == [3, 6]
    assert points["class_iou/road"] == [3, 6]
    sheets = sorted(path.name for path in whole.run_paths.samples.iterdir())
    assert sheets == ["segments-0001.png", "segments-0002.png"]
    sheet = cv2.imread(str(whole.run_paths.samples / sheets[0]))
    assert sheet.shape == (22 + 2 * (32 + 4), 3 * 64 + 2 * 4, 3)
    kept = {path.name for path in whole.run_paths.checkpoints.glob("*.index")}
    assert kept == {"step-3.index", "step-6.index"}


def test_an_interrupted_run_ends_with_the_same_bits(folder, whole, tmp_path, monkeypatch, capsys):
    at = 5  # in the second epoch, after two of its three steps
    training = begun(folder, tmp_path)
    updated = tqdm.update

    def interrupted(bar, n=1):
        if int(training.segmenter.step) == at:
            raise KeyboardInterrupt
        return updated(bar, n)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tqdm, "update", interrupted)  # where a signal would come
        training.run()
    assert f"Stopped at step {at} and saved" in capsys.readouterr().out
    again = begun(folder, tmp_path)
    assert int(again.segmenter.step) == at
    again.run()
    for ours, theirs in zip(state(again), state(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_finished_run_has_nothing_to_do(folder, whole):
    before = state(whole)
    again = begun(folder, whole.run_paths.folder)
    again.run()
    for ours, theirs in zip(state(again), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_without_epochs_the_fresh_network_is_scored(folder, tmp_path):
    training = begun(folder, tmp_path, changed(epochs=0))
    training.run()
    assert "mean IoU" in training.report()


def test_another_seed_trains_another_segmenter(folder, whole, tmp_path):
    other = begun(folder, tmp_path, dataclasses.replace(TINY, seed=1))
    assert any(np.any(a != b) for a, b in zip(state(other), state(whole), strict=True))


def test_the_report_has_every_class_in_both_protocols(whole):
    lines = whole.report().splitlines()
    scores = whole.confusion().scores(void_wrong=False)
    assert lines[0].startswith("Scores of the validation frames")
    assert re.fullmatch(rf"  mean IoU +{scores.mean_iou:.3f} \(0\.\d+\)", lines[1])
    assert [line[2:18].strip() for line in lines[3:]] == list(whole.manifest.classes.names)
    assert sum(whole.confusion().counts.ravel()) == 3 * 64 * 32


def test_a_class_that_is_nowhere_has_no_score(whole, monkeypatch):
    counted = whole.confusion()
    counted.counts[4], counted.counts[:, 4] = 0, 0
    monkeypatch.setattr(whole, "confusion", lambda: counted)
    assert re.search(r"\n  fence +- \(-\)\n", whole.report())


def test_without_validation_frames_the_training_s_are_scored(folder, whole, monkeypatch):
    splits = whole.manifest.splits
    empty = dataclasses.replace(splits["validation"], records=0, shards=[])
    alone = dataclasses.replace(whole.manifest, splits=splits | {"validation": empty})
    monkeypatch.setattr(whole, "manifest", alone)
    assert whole.report().startswith("Scores of the train frames")


def test_a_pretrained_trunk_is_taken_once(folder, tmp_path):
    keras.utils.set_random_seed(5)
    file = tmp_path / "resnet50.weights.h5"
    reference = keras.applications.ResNet50(weights=None, include_top=False)
    reference.save_weights(file)
    config = changed(kind="pspnet", weights=str(file), filters=64, epochs=0, optimizer="sgd")
    name = "conv2_block1_1_conv"
    pretrained = np.array(reference.get_layer(name).kernel)

    def kernel_of(training):
        return training.segmenter.network.trunk.get_layer(name).kernel

    training = begun(folder, tmp_path / "run", config)
    np.testing.assert_array_equal(kernel_of(training), pretrained)
    kernel_of(training).assign(pretrained + 1)
    training.checkpoints.save()
    file.unlink()
    del reference, training
    gc.collect()  # each takes half a gigabyte
    again = begun(folder, tmp_path / "run", config)
    np.testing.assert_array_equal(kernel_of(again), pretrained + 1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"filters": 3}, "^segmenter.filters: expected a multiple of 2, got 3"),
        ({"kind": "pspnet", "filters": 6}, "^segmenter.filters: expected a multiple of 4, got 6"),
        ({"kind": "pspnet", "filters": 4}, "only fresh weights take others"),
        ({"pipeline": Pipeline(batch_size=99)}, r"^segmenter\.pipeline\.batch_size=99: .*6 frames"),
        ({"kind": "pspnet", "weights": "nowhere.h5", "filters": 64}, r"no file nowhere\.h5"),
    ],
    ids=str,
)
def test_what_can_not_be_trained_is_a_users_mistake(folder, tmp_path, more, said):
    with pytest.raises(UserError, match=said):
        begun(folder, tmp_path, changed(**more))


@pytest.mark.parametrize(
    ("crop", "said"), [("128x64", "=128x64 is larger"), ("big", ": expected WIDTHxHEIGHT")]
)
def test_a_crop_that_does_not_fit_is_named_by_its_key(folder, tmp_path, crop, said):
    config = changed(pipeline=Pipeline(batch_size=2, crop=crop))
    with pytest.raises(UserError, match=rf"^segmenter\.pipeline\.crop{said}"):
        begun(folder, tmp_path, config).run()
