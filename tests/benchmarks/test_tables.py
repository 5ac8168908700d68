import os

import pytest

from benchmarks.tables import Job


@pytest.mark.parametrize(("oracle", "run", "done"), [(1, 2, True), (3, 2, True), (4, 2, False)])
def test_what_is_older_than_its_inputs_is_not_done(tmp_path, oracle, run, done):
    for name, time in (("report", 3), ("oracle", oracle), ("run", run)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    needs = (tmp_path / "oracle", tmp_path / "run")
    job = Job(name="score", call=("evaluate",), result=tmp_path / "report", needs=needs)
    assert job.is_done is done
    (tmp_path / "report").unlink()
    assert not job.is_done
