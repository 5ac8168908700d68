"""The experiments' plans; what the commands do is tested elsewhere."""

from pathlib import Path

import pytest

from benchmarks import tables
from sflowgan_tf import config as settings
from sflowgan_tf.data.manifest import Split
from sflowgan_tf.training import assembly
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError

FRAMES, PAIRS = 800, 600  # 200 streets of 4 frames
MINICITY = tables.minicity()
REAL = tables.real(Path("streets"), "judge", "classes.yaml", "train/0[79]", Path("home"))


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def loaded(experiment, changes):
    return settings.load(experiment.dataset, Path(experiment.config), list(changes))


def updates(experiment, pairs):
    split = Split(records=FRAMES, pairs=pairs, sequences=[], shards=[])
    return {
        row: assembly.curriculum(loaded(experiment, changes), split)[-1].last_step
        for row, changes in experiment.rows.items()
    }


def test_no_row_makes_more_updates_than_the_others():
    config = loaded(MINICITY, ())
    assert config.minicity.sequences * config.minicity.frames == FRAMES
    assert config.minicity.sequences * (config.minicity.frames - 1) == PAIRS
    films = {"vid2vid": 1400, "ours-video": 1400}
    assert updates(MINICITY, PAIRS) == dict.fromkeys(tables.ROWS, 1600) | films
    assert set(updates(REAL, 0).values()) == {3 * FRAMES}


@pytest.mark.parametrize("experiment", [MINICITY, REAL], ids=["minicity", "real"])
def test_rows_differ_in_what_they_say_alone(experiment):
    plain = loaded(experiment, ())
    for row, changes in experiment.rows.items():
        differing = settings.differences(plain, loaded(experiment, changes))
        named = {change.partition("=")[0] for change in changes}
        assert {text.partition(":")[0] for text in differing} <= named, row


def test_no_streets_are_in_two_sets():
    seeds = [
        settings.load("minicity", Path(made.config), [*made.overrides]).minicity.seed
        for made in MINICITY.sets.values()
    ]
    assert len({*seeds}) == len(seeds) == 3


def test_films_are_long_enough_for_errors_to_add_up():
    made = MINICITY.sets[MINICITY.test]
    config = settings.load("minicity", Path(made.config), [*made.overrides])
    assert config.minicity.frames == 30


@pytest.mark.parametrize(
    ("experiment", "oracles"), [(MINICITY, 1), (REAL, 0)], ids=["mini", "real"]
)
def test_every_run_is_trained_and_scored(experiment, oracles):
    trained, scored = experiment.trainings(), experiment.evaluations()
    rows, seeds = len(experiment.rows), len(tables.SEEDS)
    assert len({job.result for job in trained}) == rows * seeds + oracles
    assert len({job.result for job in scored}) == (rows + len(experiment.steadied)) * seeds
    assert len({job.log for job in (*trained, *scored)}) == len(trained) + len(scored)


def test_the_oracle_is_trained_at_the_size_of_the_frames():
    first = MINICITY.trainings()[0].call
    assert first[:2] == ("segment", "fit")
    assert f"records.size={loaded(MINICITY, ()).records.size}" in first


def test_runs_are_named_by_their_rows():
    run = MINICITY.run("ours, DNED, 3 scales", 2)
    assert str(run.folder) == "runs/tables/ours-DNED-3-scales-2"


@pytest.mark.parametrize(
    ("name", "config", "changes", "said"),
    [
        ("ours-DNED-0", "minicity-tables", ["seed=7"], "seed: 7 -> 0"),
        (
            "oracle",
            "minicity-segmenter",
            ["task=segmentation", "records.size=256x128", "segmenter.epochs=2"],
            "segmenter.epochs: 2 -> 12",
        ),
    ],
)
def test_a_run_of_other_settings_is_refused(name, config, changes, said):
    folder = Path("runs/tables") / name
    (folder / "checkpoints").mkdir(parents=True)
    settings.save(settings.load("minicity", Path(config), changes), folder / "config.yaml")
    (folder / "checkpoints/step-1.index").touch()
    with pytest.raises(UserError, match=f"was begun with another configuration.*{said}"):
        MINICITY.trainings()


def test_films_with_a_past_are_scored_beside_those_without():
    row = "ours-video, history"
    assert MINICITY.run(row, 1).folder == MINICITY.run("ours-video", 1).folder
    output = MINICITY.evaluation(row, 1)
    (job,) = (job for job in MINICITY.evaluations() if job.result.parent == output)
    assert job.call[1:3] == ("--run", "runs/tables/ours-video-1")
    assert job.call[-4:] == ("--history", "0.9", "--output", str(output))
    assert MINICITY.evaluation("ours-video", 1) != output


def test_real_frames_are_scored_by_the_judge_on_what_was_not_trained_on():
    (prepared,) = REAL.preparations()
    assert prepared.call[-1] == "records.left_out='train/0[79]'"
    loaded(REAL, prepared.call[-1:])  # the override parses
    for job in REAL.evaluations():
        flags = dict(zip(job.call[1::2], job.call[2::2], strict=True))
        assert flags["--split"] == "validation"
        assert (flags["--segmenter"], flags["--segmenter-classes"]) == ("judge", "classes.yaml")


def test_real_frames_need_a_judge(capsys):
    assert cli.run(tables.flags(), tables.work, ["--real", "streets"]) == 2
    assert "--judge: expected" in capsys.readouterr().err
