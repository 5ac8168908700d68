"""Many calls of commands, each done once and timed."""

import os

import pytest

from benchmarks.crew import Crew, Job, core_minutes
from sflowgan_tf.utils.errors import Failure


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.getcwd())  # the commands run from the folder of the results
    monkeypatch.chdir(tmp_path)


def job(folder, name, *call):
    return Job(call=call, result=folder / name, log=folder / f"logs/{name}.txt")


def test_jobs_are_done_once_and_timed(tmp_path):
    crew = Crew()
    assert crew.count == len(os.sched_getaffinity(0))
    # a module that does nothing when it is run
    jobs = [job(tmp_path, name, "utils.cli") for name in ("one", "two")]
    crew.work("jobs", jobs)
    assert all(one.result.exists() for one in jobs)
    before = jobs[0].log.read_text()
    crew.work("jobs", jobs)
    assert jobs[0].log.read_text() == before
    jobs[0].log.write_text("fit\ntook 90 s\nfit\ntook 30 s\n")
    jobs[1].log.write_text("took 60 s\n")
    assert core_minutes(tmp_path / "logs") == 3
    assert len(os.sched_getaffinity(0)) == crew.count, "the main thread was pinned"


def test_what_it_will_take_is_said_before_it_starts(tmp_path, capsys):
    crew = Crew()
    crew.count = 2
    jobs = [job(tmp_path, str(number), "utils.cli") for number in range(3)]
    jobs[0].result.touch()
    crew.work("trainings", jobs, minutes=30)
    assert "trainings: 2 of 3 to do, about 30 minutes each" in capsys.readouterr().out
    crew.work("trainings", jobs, minutes=30)
    assert "to do" not in capsys.readouterr().out, "nothing is left"


def test_a_failed_job_is_named_with_its_reason(tmp_path):
    broken = job(tmp_path, "broken", "prepare", "--dataset", "nothing")
    with pytest.raises(Failure, match=r"broken: exit code 2; .*no configuration .*broken\.txt"):
        Crew().work("jobs", [broken])
    assert not broken.result.exists()


@pytest.mark.parametrize(("oracle", "run", "done"), [(1, 2, True), (3, 2, True), (4, 2, False)])
def test_what_is_older_than_its_inputs_is_not_done(tmp_path, oracle, run, done):
    for name, time in (("report", 3), ("oracle", oracle), ("run", run)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    needs = (tmp_path / "oracle", tmp_path / "run")
    log = tmp_path / "log.txt"
    score = Job(call=("evaluate",), result=tmp_path / "report", log=log, needs=needs)
    assert score.is_done is done
    (tmp_path / "report").unlink()
    assert not score.is_done
