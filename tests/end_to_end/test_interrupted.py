"""A training that is killed or interrupted, from raw frames on."""

import signal

import cv2
import numpy as np
import pytest

from tests import processes
from tests.end_to_end.commands import FIT, assert_same_weights, call, killed, latest_step, weights


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with records and one whole run in it, and what `fit` printed."""
    folder = tmp_path_factory.mktemp("home")
    return folder, call("fit", *FIT, "--run", "whole", folder=folder)[0]


@pytest.fixture(scope="module")
def home(fitted):
    return fitted[0]


def test_fit_makes_records_trains_and_says_where_things_are(fitted):
    home, out = fitted
    last = out.strip().splitlines()[-4:]
    assert [line.split(":")[0] for line in last] == [
        "Sample sheet",
        "Run",
        "Curves",
        "Look at them",
    ]
    sheet = home / last[0].split(":")[1].strip()
    assert cv2.imread(str(sheet)).shape[1] > 6 * 64
    assert list((home / "runs/whole/logs").glob("events*"))


def test_the_same_command_again_has_nothing_to_do(home):
    before = weights(home / "runs/whole")
    call("fit", *FIT, "--run", "whole", folder=home)
    after = weights(home / "runs/whole")
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.fixture(scope="module")
def taken_up(tmp_path_factory):
    """A folder where `fit` was killed while it prepared, and in the midst of its first epoch."""
    folder = tmp_path_factory.mktemp("killed")
    for moment in ("datasets/minicity/plan.json", "runs/killed/checkpoints/step-6.index"):
        killed("fit", *FIT, "--run", "killed", moment=moment, folder=folder)
    call("fit", *FIT, "--run", "killed", folder=folder)
    return folder


def test_killed_at_any_moment_and_taken_up_again_it_ends_with_the_same_bits(home, taken_up):
    assert_same_weights(home / "runs/whole", taken_up / "runs/killed")


def test_records_whose_making_was_killed_have_the_same_bytes(home, taken_up):
    shards = sorted((home / "datasets/minicity").glob("*.tfrecord"))
    assert len(shards) == 2
    for shard in shards:
        assert shard.read_bytes() == (taken_up / "datasets/minicity" / shard.name).read_bytes()


def test_a_fresh_process_that_is_interrupted_saves_and_says_how_to_go_on(home):
    interrupt = (signal.SIGINT, "runs/stopped/samples/scenes-*.png")
    more = ("--run", "stopped", "checkpoint_steps=1000", "phases.edges=50")
    out, err = processes.signalled(*interrupt, "fit", *FIT, *more, code=130, cwd=home)
    assert "oneDNN" not in err and "WARNING" not in err
    assert "step/s" in err, "no progress with a rate"
    assert "the same command goes on" in out
    assert int(out.rpartition("Stopped at step ")[2].split()[0]) == latest_step(
        home / "runs/stopped"
    )
