"""The command `fit`, as a user calls it: begun, continued, extended, refused."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf import fit, prepare, segment
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.locks import locked
from tests.recipes import TINY_NETWORKS

SIZES = ["minicity.sequences=3", "minicity.frames=3", "records.size=64x32"]
STILLS = ["minicity.frames=1", "minicity.sequences=6"]
TINY = [
    *SIZES,
    *TINY_NETWORKS,
    "generator.blocks=0",
    "generator.skips=false",
    "phases.edges=1",
    "phases.dned=0",
    "samples=1",
]
STEPS = 6  # of an epoch


def call(*more, command=fit, code=0):
    fixed = ["fit"] if command is segment else []
    given = ["--dataset", "minicity", "--data", "records", *TINY, *map(str, more)]
    assert command.main([*fixed, *given]) == code


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with records and a run of one epoch."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert prepare.main(["--dataset", "minicity", "--output", "records", *SIZES]) == 0
        call("--run", "whole")
    return folder


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """A folder of its own with the records and the run."""
    monkeypatch.chdir(tmp_path)
    Path("records").symlink_to(home / "records")
    shutil.copytree(home / "runs", "runs")
    return tmp_path


@pytest.fixture(scope="module")
def street_of_stills(tmp_path_factory):
    """Records without consecutive frames."""
    folder = tmp_path_factory.mktemp("stills")
    out = ["--dataset", "minicity", "--output", str(folder), *SIZES, *STILLS]
    assert prepare.main(out) == 0
    return folder


@pytest.fixture
def stills(here, street_of_stills):
    """A folder of its own with the run and records without consecutive frames."""
    Path("records").unlink()
    Path("records").symlink_to(street_of_stills)


def latest(name):
    return sorted(path.stem for path in Path("runs", name, "checkpoints").glob("step-*.index"))


def weights(name):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(f"runs/{name}/checkpoints"))
    keys = [key for key in reader.get_variable_to_shape_map() if key.startswith("generator/")]
    return {key: reader.get_tensor(key) for key in keys}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


def test_a_finished_run_becomes_longer(here):
    before = weights("whole")
    call("--run", "whole", "phases.edges=2", "log_steps=1", "checkpoint_steps=5")
    assert latest("whole") == ["step-10", "step-12"]
    assert not same(before, weights("whole"))
    assert settings.read(Run.named("whole").config).phases.edges == 2
    assert Path("runs/whole/samples/scenes-0002.png").is_file()


def test_a_phase_that_the_records_can_not_feed_leaves_the_run_as_it_was(stills, capsys):
    call("--run", "stills", *STILLS)
    before = Run.named("stills").config.read_bytes()
    call("--run", "stills", *STILLS, "phases.video=1", code=2)
    assert "set phases.video=0" in capsys.readouterr().err
    assert Run.named("stills").config.read_bytes() == before
    call("--run", "stills", *STILLS, "phases.video=0")


def test_going_on_with_a_finished_run_touches_nothing(here):
    config = Run.named("whole").config
    before = config.stat().st_mtime_ns
    call("--run", "whole")
    assert config.stat().st_mtime_ns == before


def test_a_run_at_work_is_left_alone(here, capsys):
    run = Run.named("whole")
    before = run.config.read_bytes()
    with locked(run.folder, "-"):
        call("--run", "whole", "optimizer.learning_rate=1", code=2)
        call("--run", "whole", command=segment, code=2)
    assert capsys.readouterr().err.count("another command is at work there") == 2
    assert run.config.read_bytes() == before


def test_other_settings_go_on_in_another_run_as_the_refusal_says(here, capsys):
    call("--run", "whole", "optimizer.learning_rate=1e-4", code=2)
    said = capsys.readouterr().err
    assert "optimizer.learning_rate: 0.0005 -> 0.0001" in said and "delete" not in said
    assert "--from runs/whole --run NAME" in said
    call("--from", "runs/whole", "--run", "next", "optimizer.learning_rate=1e-4")
    assert latest("next") == ["step-0", "step-6"]


def test_a_sheet_that_a_kill_prevented_is_drawn_at_the_next_start(here):
    sheet = Path("runs/whole/samples/scenes-0001.png")
    before = sheet.read_bytes()
    sheet.unlink()
    call("--run", "whole")
    assert sheet.read_bytes() == before


@pytest.mark.parametrize("start", ["start_run", "generator.global_run"])
def test_a_run_goes_on_once_its_start_is_gone(here, start, capsys):
    more = [f"{start}=whole", "--run", "next"]
    if start == "generator.global_run":
        more += ["generator.kind=local_enhancer", "generator.enhancer_blocks=0"]
    call(*more)
    assert "Started from step 6 of whole." in capsys.readouterr().out
    shutil.rmtree("runs/whole")
    call(*more, "phases.edges=2")
    assert latest("next") == ["step-12", "step-6"]


def advice(text):
    """The arguments that a message advises, for a run called `cool`."""
    words = text.strip().rpartition(": ")[2].replace("NAME", "cool").split()
    assert "--run" in words, text
    return words


@pytest.mark.parametrize("step", [None, 0])
def test_losses_that_are_no_numbers_name_what_works(here, step, capsys):
    start = [] if step is None else ["--from", "whole"]  # it saves step 0
    every_steps = 1 if step is None else 100
    hot = ["optimizer.learning_rate=1e30", f"checkpoint_steps={every_steps}"]
    call(*start, "--run", "hot", *hot, code=1)
    said = capsys.readouterr().err
    assert " at step 2; " in said and "Traceback" not in said
    assert latest("hot") == [] if step is None else ["step-0"]
    assert ("--from runs/hot" in said) == (step is not None)
    call(*start, *hot, *advice(said))
    assert latest("cool")[-1] == "step-6"


def test_a_start_of_other_classes_names_them(here, capsys):
    manifest = Path("runs/whole/manifest.json")
    text = manifest.read_text()
    assert '"fence"' in text
    manifest.write_text(text.replace('"fence"', '"hedge"'))
    call("--from", "whole", "--run", "next", code=2)
    said = capsys.readouterr().err
    assert "only there: hedge; only here: fence" in said


def test_a_phase_video_without_consecutive_frames_says_why(stills, capsys):
    call("--run", "film", *STILLS, "phases.video=1", code=2)
    said = capsys.readouterr().err
    assert "phase video trains on pairs of consecutive frames" in said and "phases.video=0" in said


@pytest.mark.parametrize("name", ["..", "", "a/.."])
def test_what_is_no_runs_name_is_refused_before_anything_is_written(here, name, capsys):
    before = sorted(here.iterdir()), sorted(here.parent.iterdir())
    call("--run", name, code=2)
    assert "expected a plain name such as streets" in capsys.readouterr().err
    assert (sorted(here.iterdir()), sorted(here.parent.iterdir())) == before


def test_a_disk_that_is_full_at_the_start_is_a_sentence_and_the_same_command_goes_on(
    here, capsys, monkeypatch
):
    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        call("--run", "next", code=1)
    said = capsys.readouterr().err
    assert "runs/next" in said and "No space left on device" in said and "Traceback" not in said
    call("--run", "next")
    assert latest("next") == ["step-6"]


def test_a_start_that_reads_as_a_number_is_a_name(here, capsys):
    call("--from", "007", "--run", "next", code=2)
    assert "runs/007: no training has begun there" in capsys.readouterr().err
