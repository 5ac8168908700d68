import subprocess
from datetime import datetime

import sflowgan_tf
from sflowgan_tf.utils.provenance import made


def test_it_says_when_how_and_with_what():
    found = made("python -m sflowgan_tf.export --run r")
    assert datetime.fromisoformat(found["date"]).tzinfo is not None
    assert found["command"] == "python -m sflowgan_tf.export --run r"
    assert found["version"] == sflowgan_tf.__version__


def test_the_commit_is_this_programs_own(tmp_path, monkeypatch):
    assert made("")["commit"] != ""
    package = tmp_path / "outer/.venv/site-packages/sflowgan_tf/__init__.py"
    package.parent.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", tmp_path / "outer"], check=True)
    monkeypatch.setattr(sflowgan_tf, "__file__", str(package))
    assert made("")["commit"] == "", "of the repository that the environment lies in"


def test_without_git_there_is_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert made("")["commit"] == ""
