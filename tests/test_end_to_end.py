"""The commands from raw frames to pictures, with kills and an interrupt between.

They are real processes where a process is the point: what a fresh one prints, a kill, Ctrl-C, the
same bits as another process. Else they run in this one, which has TensorFlow already.
"""

import contextlib
import functools
import importlib
import io
import shutil
import signal

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests import processes

TINY = [
    "minicity.sequences=3",
    "minicity.frames=4",
    "records.size=64x32",
    "generator.filters=4",
    "generator.downsamplings=2",
    "generator.blocks=1",
    "discriminator.filters=4",
    "dned.filters=2",
    "perceptual.filters=4",
    "phases.edges=1",
    "phases.dned=2",
    "checkpoint_steps=3",
    "log_steps=2",
    "samples=2",
    "records.flow.levels=1",
    "records.flow.iterations=1",
]
FIT = ["--dataset", "minicity", *TINY]
FILM = ["phases.edges=0", "phases.dned=0", "phases.video=2", "losses.flow_where_consistent=true"]


def call(command, *arguments, folder, code=0):
    """What a command prints to stdout and stderr when it runs in this process."""
    main = importlib.import_module(f"sflowgan_tf.{command}").main
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        returned = main([*map(str, arguments)])
    assert returned == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def weights(run_folder):
    """All variables of a run's latest checkpoint."""
    reader = tf.train.load_checkpoint(str(run_folder / "checkpoints"))
    names = [n for n in reader.get_variable_to_shape_map() if "CHECKPOINTABLE" not in n]
    return {
        name: reader.get_tensor(name)
        for name in names
        if name != "save_counter/.ATTRIBUTES/VARIABLE_VALUE"
    }


def assert_same_weights(run_folder, other):
    expected, got = weights(run_folder), weights(other)
    assert expected.keys() == got.keys() and len(expected) > 100
    for name, value in expected.items():
        np.testing.assert_array_equal(value, got[name], err_msg=name)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with records and one whole run in it, and what `fit` printed."""
    folder = tmp_path_factory.mktemp("home")
    return folder, *processes.run("fit", *FIT, "--run", "whole", cwd=folder)


@pytest.fixture(scope="module")
def home(fitted):
    return fitted[0]


def test_fit_makes_records_trains_and_says_where_things_are(fitted):
    home, out, err = fitted
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
    assert "oneDNN" not in err and "WARNING" not in err
    assert "step/s" in err, "no progress with a rate"


def test_the_same_command_again_has_nothing_to_do(home):
    before = weights(home / "runs/whole")
    call("fit", *FIT, "--run", "whole", folder=home)
    after = weights(home / "runs/whole")
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder where `fit` was killed while it prepared, and in the midst of its first epoch."""
    folder = tmp_path_factory.mktemp("killed")
    for moment in (
        "datasets/minicity/plan.json",
        "runs/killed/checkpoints/step-6.index",
    ):
        kill = (signal.SIGKILL, moment)
        processes.signalled(*kill, "fit", *FIT, "--run", "killed", code=-signal.SIGKILL, cwd=folder)
    processes.run("fit", *FIT, "--run", "killed", cwd=folder)
    return folder


def test_killed_at_any_moment_and_taken_up_again_it_ends_with_the_same_bits(home, killed):
    assert_same_weights(home / "runs/whole", killed / "runs/killed")


def test_records_whose_making_was_killed_have_the_same_bytes(home, killed):
    shards = sorted((home / "datasets/minicity").glob("*.tfrecord"))
    assert len(shards) == 2
    for shard in shards:
        assert shard.read_bytes() == (killed / "datasets/minicity" / shard.name).read_bytes()


def test_an_interrupt_saves_and_says_how_to_go_on(home):
    interrupt = (signal.SIGINT, "runs/stopped/samples/scenes-*.png")
    more = ("--run", "stopped", "checkpoint_steps=1000", "phases.edges=50")
    out, _ = processes.signalled(*interrupt, "fit", *FIT, *more, code=130, cwd=home)
    assert "the same command goes on" in out
    step = int(out.rpartition("Stopped at step ")[2].split()[0])
    latest = tf.train.latest_checkpoint(str(home / "runs/stopped/checkpoints"))
    assert latest.endswith(f"step-{step}")


@pytest.fixture(scope="module")
def filmed(home):
    """The home, with a run of phase video that started from the whole one."""
    processes.run("fit", *FIT, "--run", "filmed", "--from", "whole", *FILM, cwd=home)
    return home


def test_a_phase_video_starts_from_another_run_and_shows_what_it_does(filmed):
    samples = filmed / "runs/filmed/samples"
    assert sorted(path.name for path in samples.glob("f*")) == [
        "film-0001.gif",
        "film-0002.gif",
        "flow-0001.png",
        "flow-0002.png",
    ]
    with Image.open(samples / "film-0002.gif") as film:
        assert (film.n_frames, film.size) == (4, (3 * 64, 32))
    latest = tf.train.latest_checkpoint(str(filmed / "runs/filmed/checkpoints"))
    assert latest.endswith("step-12")  # two epochs of two sequences of three pairs
    config = (filmed / "runs/filmed/config.yaml").read_text()
    assert "start_run: whole" in config


def test_a_killed_phase_video_ends_with_the_same_bits_even_if_its_start_is_gone(filmed):
    flags = (*FIT, "--run", "cut", "--from", "whole", *FILM)
    kill = (signal.SIGKILL, "runs/cut/checkpoints/step-3.index")
    processes.signalled(*kill, "fit", *flags, code=-signal.SIGKILL, cwd=filmed)
    whole = filmed / "runs/whole"
    whole.rename(filmed / "runs/moved")
    try:
        processes.run("fit", *flags, cwd=filmed)
    finally:
        (filmed / "runs/moved").rename(whole)
    assert_same_weights(filmed / "runs/filmed", filmed / "runs/cut")


def test_another_configuration_is_refused_with_the_keys(home):
    more = ("--run", "whole", "generator.blocks=2", "--seed", "7")
    _, err = call("fit", *FIT, *more, folder=home, code=2)
    assert "generator.blocks: 1 -> 2; seed: 0 -> 7" in err


def test_labels_and_frames_become_pictures_that_say_how_they_were_made(home):
    scene = next((home / "datasets/minicity/raw").glob("MINICITY-SEQS-01-*"))
    labels, frames = (scene / d / "Stereo_Left/Omni_F" for d in ("GT/LABELS", "RGB"))
    flags = ["--run", "whole", "--labels", labels, "--frames", frames, "--output", "painted"]
    out, _ = call("translate", *flags, "--variations", "3", "--seed", "5", folder=home)
    names = sorted(path.name for path in frames.glob("*.png"))
    for variation in (1, 2, 3):
        folder = home / f"painted/variation-{variation}"
        assert sorted(path.name for path in folder.glob("*.png")) == names
    with Image.open(home / "painted/variation-2" / names[0]) as picture:
        assert picture.size == (64, 32)
        texts = picture.text
    assert (texts["run"], texts["step"], texts["seed"]) == ("whole", "24", "5")
    assert len(texts["ensemble_weights"].split()) == 6
    assert (home / "painted/contact-sheet.png").is_file()
    assert "12 pictures" in out


def test_a_killed_film_goes_on_and_ends_with_the_same_bytes(home, tmp_path):
    scene = next((home / "datasets/minicity/raw").glob("MINICITY-SEQS-01-*"))
    for name, kind in (("labels", "GT/LABELS"), ("frames", "RGB")):
        drawn = sorted((scene / kind / "Stereo_Left/Omni_F").glob("*.png"))
        (tmp_path / name).mkdir()
        for number in range(264):  # to and fro
            there_and_back = [*drawn, *drawn[-2:0:-1]]
            shutil.copy(there_and_back[number % 6], tmp_path / name / f"{number}.png")
    flags = ["--run", "whole", "--labels", tmp_path / "labels", "--frames", tmp_path / "frames"]
    flags += ["--variations", "2", "--side-by-side", "--fps", "10", "--output"]
    kill = (signal.SIGKILL, "killed/.film.mp4.pieces/000001-2.mp4")
    processes.signalled(
        *kill, "translate", *flags, "killed/film.mp4", code=-signal.SIGKILL, cwd=home
    )
    assert not list(home.glob("killed/film*.mp4"))
    out, err = processes.run("translate", *flags, "killed/film.mp4", cwd=home)
    assert "film-2.mp4, 264 frames, 192x32, 10 a second" in out
    assert "frame/s" in err, "no progress with a rate"
    processes.run("translate", *flags, "whole/film.mp4", cwd=home)
    names = sorted(path.name for path in (home / "killed").iterdir())
    assert names == ["film-1.mp4", "film-2.mp4"]
    films = {
        path.name: [path.read_bytes(), (home / "whole" / path.name).read_bytes()]
        for path in (home / "killed").iterdir()
    }
    assert films["film-1.mp4"][0] != films["film-2.mp4"][0]
    assert all(killed == whole for killed, whole in films.values())


SEGMENTER = [
    "segmenter.kind=small",
    "segmenter.filters=2",
    "segmenter.epochs=2",
    "segmenter.pipeline.batch_size=2",
    "segmenter.pipeline.max_scale=1.5",
]


def test_a_segmenter_is_trained_beside_the_gan(home):
    segment = functools.partial(call, "segment", "fit", *FIT, *SEGMENTER, folder=home)
    out, _ = segment()
    lines = out.splitlines()
    assert lines[0] == "Scores of the validation frames, void ignored (void counted as wrong):"
    assert 0 < float(lines[1].split()[2]) < 1
    assert lines[-4:][1].split() == ["Run:", "runs/minicity-segmenter"]
    again, _ = segment("generator.filters=8", "phases.edges=7")
    assert again == out
    _, err = segment("--seed", "3", "segmenter.filters=4", code=2)
    assert "segmenter.filters: 2 -> 4; seed: 0 -> 3" in err
    _, err = segment("--run", "whole", code=2)
    assert "task: translation -> segmentation" in err


def test_an_id_outside_the_table_is_named_with_its_file(home, tmp_path):
    for folder in ("labels", "frames"):
        (tmp_path / folder).mkdir()
    ids = np.zeros((32, 64, 3), np.uint16)
    ids[..., 2] = 77
    cv2.imwrite(str(tmp_path / "labels/000000.png"), ids)
    cv2.imwrite(str(tmp_path / "frames/000000.png"), np.zeros((32, 64, 3), np.uint8))
    flags = ["--labels", tmp_path / "labels", "--frames", tmp_path / "frames"]
    flags += ["--run", "whole", "--output", tmp_path / "out"]
    _, err = call("translate", *flags, folder=home, code=2)
    assert "labels/000000.png" in err and "77" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("split", "record"), [("train", 7), ("validation", 3)])
def test_a_damaged_record_is_named(home, split, record):
    (shard,) = (home / "datasets/minicity").glob(f"{split}-*.tfrecord")
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[:-50])
        _, err = call("fit", *FIT, "--run", "damaged", folder=home, code=2)
        assert shard.name in err and f"record {record}" in err
    finally:
        shard.write_bytes(whole)


def test_a_run_does_not_go_on_with_other_records(home):
    flags = ("--dataset", "minicity", "--output", "others", "--workers", "1", *TINY)
    out, _ = call("prepare", *flags, "records.frames_per_shard=3", folder=home)
    assert "Records: others" in out
    before = (home / "runs/whole/manifest.json").read_bytes()
    _, err = call("fit", *FIT, "--run", "whole", "--data", "others", folder=home, code=2)
    assert "was begun on other records" in err
    assert (home / "runs/whole/manifest.json").read_bytes() == before


def test_missing_records_name_the_command_that_makes_them(home):
    _, err = call("fit", "--dataset", "synthia", folder=home, code=2)
    assert "python -m sflowgan_tf.prepare --dataset synthia" in err
    flags = ("--run", "paris", "--labels", ".", "--frames", ".", "--output", "x")
    _, err = call("translate", *flags, folder=home, code=2)
    assert "paris" in err and "whole" in err
