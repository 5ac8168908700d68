import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.training.checkpoints import Checkpoints, State, restore_latest
from sflowgan_tf.utils.errors import Failure, UserError


def state(units=2, bias=True, step=0):
    layer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, use_bias=bias)])
    return State(tf.Variable(step, dtype=tf.int64), {"network": layer})


def values(of):
    return of.parts["network"].get_weights()


def stored(folder):
    return sorted(path.name for path in folder.glob("*.index"))


@pytest.fixture(params=["checkpoints", "exp[1]/a?b*"], ids=["plain", "wildcards"])
def saver(tmp_path, request):
    return Checkpoints(state(), tmp_path / request.param, every_steps=2)


def test_checkpoints_come_at_their_steps_and_the_last_two_stay(saver):
    assert not saver.restore()
    saver.set_model(saver.state)
    saver.on_train_begin()
    for batch in range(8):
        saver.state.step.assign(batch + 1)
        saver.on_train_batch_end(batch)
    assert stored(saver.folder) == ["step-6.index", "step-8.index"]
    again = state()
    assert restore_latest(again, saver.folder) == 8
    for ours, theirs in zip(values(again), values(saver.state), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_tensorflows_own_tools_find_the_latest(tmp_path):
    saver = Checkpoints(state(step=5), tmp_path, every_steps=2)
    saver.on_epoch_end(0)
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "step-5")


def test_what_tensorflow_saved_without_names_is_restored(tmp_path):
    old = state(step=4)
    old.checkpoint().save(str(tmp_path / "step"))  # its number is that of the save
    again = state()
    assert restore_latest(again, tmp_path) == 1 and int(again.step) == 4
    with pytest.raises(UserError, match=r"step-1 does not fit this version's networks: in network"):
        restore_latest(state(units=3), tmp_path)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"units": 3}, r"variable 1 is .*dense/kernel of shape \(3, 2\) there, .*\(3, 3\) here"),
        ({"bias": False}, r"variable 2 is .*dense/bias of shape \(2,\) there, missing here"),
    ],
    ids=str,
)
def test_another_networks_checkpoint_is_not_called_damaged(saver, other, said, capsys):
    saver.save()
    with pytest.raises(UserError, match=f"written by version .* does not fit .*{said}") as error:
        restore_latest(state(**other), saver.folder)
    assert "delete" not in str(error.value) and "damaged" not in str(error.value)
    assert not capsys.readouterr().err
    assert stored(saver.folder) == ["step-0.index"]


def test_a_variable_of_another_name_does_not_fit(tmp_path):
    Checkpoints(state(), tmp_path, every_steps=2).save()
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="judge")])
    with pytest.raises(UserError, match=r"dense/kernel of shape .* there, .*judge/kernel of shape"):
        restore_latest(State(tf.Variable(0, dtype=tf.int64), {"network": other}), tmp_path)


def damage(folder, step):
    (data,) = folder.glob(f"step-{step}.data*")
    data.write_bytes(data.read_bytes()[:5])


def test_a_damaged_checkpoint_gives_way_to_the_one_before(saver, capsys):
    for number in (2, 4):
        saver.state.step.assign(number)
        saver.save()
    damage(saver.folder, 4)
    (saver.folder / "checkpoint").write_text("")
    again = Checkpoints(state(), saver.folder, every_steps=2)
    assert again.restore()
    assert int(again.state.step) == 2
    said = capsys.readouterr().err
    assert "step-4: damaged" in said and "the checkpoint before it is taken" in said
    again.state.step.assign(4)
    again.save()
    assert restore_latest(state(), saver.folder) == 4
    assert not capsys.readouterr().err


def test_training_goes_past_a_damaged_checkpoint_and_keeps_two_whole_ones(tmp_path):
    saver = Checkpoints(state(), tmp_path, every_steps=2)
    for number in (2, 4):
        saver.state.step.assign(number)
        saver.save()
    damage(tmp_path, 4)
    again = Checkpoints(state(), tmp_path, every_steps=2)
    again.restore()
    again.state.step.assign(5)
    again.save()
    assert stored(tmp_path) == ["step-2.index", "step-5.index"]


def test_checkpoints_that_are_all_damaged_are_a_failure(saver):
    saver.save()
    damage(saver.folder, 0)
    with pytest.raises(Failure, match=r"no checkpoint can be read .*step-0: damaged") as error:
        saver.restore()
    assert "delete" not in str(error.value) and "{{" not in str(error.value)


def test_what_can_not_be_trained_on_is_set_aside(saver):
    for number in (2, 4):
        saver.state.step.assign(number)
        saver.save()
    assert saver.set_aside(4) == 2
    assert stored(saver.folder) == ["step-2.index", "unusable-step-4.index"]
    assert saver.set_aside(2) is None
    assert not saver.restore()


def test_a_full_disk_names_the_step_and_keeps_the_last_good_checkpoint(tmp_path):
    code = """
import resource, sys, pathlib
import keras, tensorflow as tf
from sflowgan_tf.training.checkpoints import Checkpoints, State
from sflowgan_tf.utils.errors import Failure
network = keras.Sequential([keras.Input((100,)), keras.layers.Dense(100)])
step, folder = tf.Variable(tf.zeros([], tf.int64)), pathlib.Path(sys.argv[1])
saver = Checkpoints(State(step, {"network": network}), folder, 1)
step.assign(2)
saver.save()
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for number in (4, 2):  # 2 is there already: it must not be touched
    step.assign(number)
    try:
        saver.save()
    except Failure as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r".*step-4: can.t be written: ", done.stdout)
    assert done.stdout.count("\n") == 1 and "{{" not in done.stdout and "[Op:" not in done.stdout
    assert sorted(p.stem.partition(".")[0] for p in tmp_path.iterdir()) == [
        "checkpoint",
        "step-2",
        "step-2",
    ]
