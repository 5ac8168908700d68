from pathlib import Path

import pytest

from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError


def test_a_path_to_a_folder_here_is_no_name():
    assert Run.named("./first").folder == Path("first")


def test_a_name_lies_in_runs_and_a_path_where_it_says():
    assert Run.named("first").folder == Path("runs/first")
    assert Run.named("elsewhere/first").folder == Path("elsewhere/first")
    assert Run.named("/x").folder == Path("/x")


@pytest.mark.parametrize("name", ["", ".", "..", "./", "../", "a/..", "/", "a\nb", " a"])
def test_what_can_not_be_a_runs_folder_is_refused(name):
    with pytest.raises(UserError, match="^--run .*expected a plain name"):
        Run.named(name)


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "notes").write_text("")
    for name in ("notes", "notes/first"):
        with pytest.raises(UserError, match=f"{tmp_path}/notes is a file; choose another"):
            Run.named(str(tmp_path / name))


def test_a_run_that_does_not_exist_lists_those_that_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there are no runs yet"):
        Run.existing("first")
    for name in ("b", "a"):
        run = Run.named(name)
        run.folder.mkdir(parents=True)
        run.config.touch()
    assert Run.existing("a").folder == Path("runs/a")
    with pytest.raises(UserError, match="runs/first: .*: a, b$"):
        Run.existing("first")
