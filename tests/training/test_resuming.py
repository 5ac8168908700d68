import dataclasses

import pytest

from sflowgan_tf import config as settings
from sflowgan_tf.data.manifest import Split
from sflowgan_tf.training import resuming
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError
from tests.manifests import manifest_of


def begun(folder, config, step=1):
    """A run with a checkpoint; an epoch has 5 steps, in phase video 4."""
    run = Run(folder)
    run.checkpoints.mkdir(parents=True)
    settings.save(config, run.config)
    split = Split(records=5, pairs=4, shards=[], sequences=["a"])
    manifest_of(splits={"train": split}).save(run.manifest)
    (run.checkpoints / f"step-{step}.index").touch()
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
    run = begun(tmp_path, first, step=7)  # of one step an epoch
    resuming.check_same(other, run)
    with pytest.raises(UserError, match=r"segmenter.epochs: 100 -> 3\).* choose another --run$"):
        resuming.check_same(dataclasses.replace(other, segmenter=settings.Segmenter(epochs=3)), run)
    longer = dataclasses.replace(other, segmenter=settings.Segmenter(epochs=300))
    resuming.check_same(longer, run)


def test_curves_sheets_and_checkpoints_may_come_more_often(tmp_path):
    run = begun(tmp_path, settings.Config())
    resuming.check_same(settings.Config(log_steps=1, samples=9, checkpoint_steps=7), run)


@pytest.mark.parametrize(
    ("step", "before", "after", "fits"),
    [
        (10, {"edges": 2, "dned": 0}, {"edges": 3, "dned": 0}, True),
        (10, {"edges": 2, "dned": 0}, {"edges": 2, "dned": 1}, True),
        (15, {"edges": 2, "dned": 1}, {"edges": 2, "dned": 4, "video": 2}, True),
        (10, {"edges": 3, "dned": 0}, {"edges": 2, "dned": 0}, True),  # begun by mistake
        (11, {"edges": 3, "dned": 0}, {"edges": 2, "dned": 0}, False),
        (10, {"edges": 2, "dned": 1}, {"edges": 3, "dned": 1}, True),
        (11, {"edges": 2, "dned": 1}, {"edges": 3, "dned": 1}, False),
        (4, {"edges": 0, "dned": 0, "video": 3}, {"edges": 0, "dned": 0, "video": 1}, True),
        (5, {"edges": 0, "dned": 0, "video": 3}, {"edges": 0, "dned": 0, "video": 1}, False),
        (1, {"edges": 1, "dned": 0}, {"edges": 0, "dned": 1}, False),
    ],
    ids=str,
)
def test_epochs_that_are_not_begun_may_be_others(tmp_path, step, before, after, fits):
    first, other = (settings.Config(phases=settings.Phases(**p)) for p in (before, after))
    run = begun(tmp_path, first, step)
    if fits:
        resuming.check_same(other, run)
        return
    with pytest.raises(UserError, match=rf"phases\..*: --from {tmp_path} --run NAME$"):
        resuming.check_same(other, run)


@pytest.mark.parametrize(
    "other",
    [
        settings.Config(dataset="synthia"),
        settings.Config(records=settings.Preparation(classes="cityscapes")),
    ],
)
def test_other_classes_can_not_start_from_the_run(tmp_path, other):
    with pytest.raises(UserError, match="choose another --run$"):
        resuming.check_same(other, begun(tmp_path, settings.Config()))


def test_other_networks_can_not_start_from_the_run(tmp_path):
    run = begun(tmp_path, settings.Config())
    with pytest.raises(UserError) as error:
        resuming.check_same(settings.Config(dned=settings.Dned(filters=8)), run)
    assert "--from" not in str(error.value) and "choose another --run" in str(error.value)


def test_a_run_of_another_task_is_refused(tmp_path):
    run = begun(tmp_path, settings.Config())
    with pytest.raises(UserError, match="task: translation -> segmentation"):
        resuming.check_same(settings.Config(task="segmentation"), run)


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


@pytest.mark.parametrize("setting", ["start_run", "global_run"])
def test_a_begun_run_no_longer_needs_its_start(tmp_path, setting):
    gone = str(tmp_path / "gone")
    if setting == "start_run":
        config, said = settings.Config(start_run=gone), "gone: no training has begun there"
    else:
        generator = settings.Generator(kind="local_enhancer", global_run=gone)
        config, said = settings.Config(generator=generator), "gone: no training has begun there"
    with pytest.raises(UserError, match=said):
        resuming.check_start(config, Run(tmp_path / "new"))
    resuming.check_start(config, begun(tmp_path / "begun", config))
