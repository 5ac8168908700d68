import subprocess
from datetime import datetime

import sflowgan_tf
from sflowgan_tf.utils.provenance import provenance


def test_it_says_when_how_and_with_what():
    values = provenance("python -m sflowgan_tf.export --run r")
    assert datetime.fromisoformat(values["date"]).tzinfo is not None
    assert values["command"] == "python -m sflowgan_tf.export --run r"
    assert values["version"] == sflowgan_tf.__version__


def test_the_commit_is_this_programs_own(tmp_path, monkeypatch):
    assert provenance("")["commit"] != ""
    package = tmp_path / "outer/.venv/site-packages/sflowgan_tf/__init__.py"
    package.parent.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", tmp_path / "outer"], check=True)
    monkeypatch.setattr(sflowgan_tf, "__file__", str(package))
    assert provenance("")["commit"] == "", "of the repository that the environment lies in"


def test_without_git_there_is_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert provenance("")["commit"] == ""
