"""The experiment's plan and its crew; what the commands do is tested elsewhere."""

import os

import pytest

from benchmarks import tables
from sflowgan_tf import config as settings
from sflowgan_tf.data.manifest import Split
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import Failure, UserError

FRAMES, PAIRS = 800, 400  # 400 streets of 2 frames


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.getcwd())  # the commands run from the folder of the results
    monkeypatch.chdir(tmp_path)


def loaded(changes):
    return settings.load("minicity", tables.CONFIG, list(changes))


def test_all_rows_make_as_many_updates():
    config = loaded(())
    assert config.minicity.sequences * config.minicity.frames == FRAMES
    assert config.minicity.sequences * (config.minicity.frames - 1) == PAIRS
    split = Split(records=FRAMES, pairs=PAIRS, sequences=[], shards=[])
    updates = {
        row: assembly.curriculum(loaded(changes), split)[-1].last_step
        for row, changes in tables.ROWS.items()
    }
    assert set(updates.values()) == {2400}, updates


def test_rows_differ_in_what_they_say_alone():
    plain = loaded(())
    for row, changes in tables.ROWS.items():
        differing = settings.differences(plain, loaded(changes))
        named = {change.partition("=")[0] for change in changes}
        assert {text.partition(":")[0] for text in differing} <= named, row


def test_no_streets_are_in_two_sets():
    seeds = [
        settings.load("minicity", config, [*changes]).minicity.seed
        for config, changes in tables.SETS.values()
    ]
    assert len({*seeds}) == len(seeds) == 3


def test_every_run_is_trained_and_scored():
    trained, scored = tables.trainings(), tables.evaluations()
    rows, seeds = len(tables.ROWS), len(tables.SEEDS)
    assert len({job.result for job in trained}) == rows * seeds + 1
    assert len({job.result for job in scored}) == (rows + 2) * seeds
    assert len({job.log for job in (*trained, *scored)}) == len(trained) + len(scored)
    assert trained[0].call[:2] == ("segment", "fit")
    assert (
        str(tables.run_of("ours, DNED, 3 scales", 2).folder) == "runs/tables/ours-DNED-3-scales-2"
    )


@pytest.mark.parametrize(
    ("run", "config", "changes", "said"),
    [
        (tables.run_of("ours, DNED", 0), tables.CONFIG, ["seed=7"], "seed: 7 -> 0"),
        (
            Run(tables.ORACLE),
            tables.ORACLE_CONFIG,
            ["task=segmentation", "segmenter.epochs=2"],
            "segmenter.epochs: 2 -> 12",
        ),
    ],
)
def test_a_run_of_other_settings_is_refused(run, config, changes, said):
    run.checkpoints.mkdir(parents=True)
    settings.save(settings.load("minicity", config, changes), run.config)
    (run.checkpoints / "step-1.index").touch()
    with pytest.raises(UserError, match=f"was begun with another configuration.*{said}"):
        tables.trainings()


def job(name, *call):
    return tables.Job(name=name, call=call, result=tables.HOME / name)


def test_jobs_are_done_once_and_timed():
    tables.HOME.mkdir(parents=True)
    crew = tables.Crew()
    assert crew.count == len(os.sched_getaffinity(0))
    jobs = [
        job("one", "utils.cli"),
        job("two", "utils.cli"),
    ]  # a module that does nothing when it is run
    crew.work("jobs", jobs)
    assert all(one.result.exists() for one in jobs)
    before = jobs[0].log.read_text()
    crew.work("jobs", jobs)
    assert jobs[0].log.read_text() == before
    jobs[0].log.write_text("fit\ntook 90 s\nfit\ntook 30 s\n")
    jobs[1].log.write_text("took 60 s\n")
    assert tables.core_minutes() == 3
    assert len(os.sched_getaffinity(0)) == crew.count, "the main thread was pinned"


def test_a_failed_job_is_named_with_its_reason():
    tables.HOME.mkdir(parents=True)
    broken = job("broken", "prepare", "--dataset", "nothing")
    with pytest.raises(Failure, match=r"broken: exit code 2; .*no configuration .*broken\.txt"):
        tables.Crew().work("jobs", [broken])
    assert not broken.result.exists()


@pytest.mark.parametrize(("oracle", "run", "done"), [(1, 2, True), (3, 2, True), (4, 2, False)])
def test_what_is_older_than_its_inputs_is_not_done(tmp_path, oracle, run, done):
    for name, time in (("report", 3), ("oracle", oracle), ("run", run)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    needs = (tmp_path / "oracle", tmp_path / "run")
    score = tables.Job(name="score", call=("evaluate",), result=tmp_path / "report", needs=needs)
    assert score.is_done is done
    (tmp_path / "report").unlink()
    assert not score.is_done


def test_films_with_a_past_are_scored_beside_those_without():
    row = "ours-video, history"
    assert tables.run_of(row, 1).folder == tables.run_of("ours-video", 1).folder
    output = tables.evaluation_of(row, 1)
    (job,) = (job for job in tables.evaluations() if job.result.parent == output)
    assert job.call[1:3] == ("--run", "runs/tables/ours-video-1")
    assert job.call[-4:] == ("--history", "0.9", "--output", str(output))
    assert tables.evaluation_of("ours-video", 1) != output
