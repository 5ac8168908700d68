import subprocess
from datetime import datetime

import sflowgan_tf
from sflowgan_tf.provenance import made


def test_it_says_when_how_and_with_what():
    found = made("python -m sflowgan_tf.export --run r")
    assert datetime.fromisoformat(found["date"]).tzinfo is not None
    assert found["command"] == "python -m sflowgan_tf.export --run r"
    assert found["version"] == sflowgan_tf.__version__


def test_without_git_there_is_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert made("")["commit"] == ""
