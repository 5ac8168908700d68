import dataclasses

import pytest
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.training import resuming
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError


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
