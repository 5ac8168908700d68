"""What comes of processes that are not as they should be."""

import sys

import pytest

from sflowgan_tf.benchmarking.contender import Contender
from sflowgan_tf.utils.errors import Failure, UserError


def contender(script):
    return Contender("step", [sys.executable, "-c", script], {})


def test_one_that_ends_is_a_failure_with_its_exit_code():
    with pytest.raises(Failure, match="step: its process ended with exit code 3"):
        contender("raise SystemExit(3)")


def test_one_that_is_killed_lacks_memory():
    with pytest.raises(Failure, match="memory does not suffice"):
        contender("import os; os.kill(os.getpid(), 9)")


@pytest.mark.parametrize(("mistake", "kind"), [("true", UserError), ("false", Failure)])
def test_what_it_refuses_is_a_sentence(mistake, kind):
    answer = f'{{"error": "no such thing", "mistake": {mistake}}}'
    with pytest.raises(kind, match="step: no such thing"):
        contender(f"input(); print('{answer}')")


def test_it_ends_with_the_block():
    with contender("""input(); print('{"first_s": 1.5}', flush=True); input()""") as started:
        assert started.first_s == 1.5
    assert started._process.returncode is not None


@pytest.mark.parametrize("python", [sys.executable, "no-such-python"])
def test_a_python_without_pytorch_is_named(python, monkeypatch):
    if python == sys.executable:
        pytest.importorskip("tensorflow")
        monkeypatch.setenv("PYTHONPATH", "nothing")
        if __import__("importlib.util").util.find_spec("torch"):
            pytest.skip("this environment has PyTorch")
    with pytest.raises(UserError, match=f"--torch {python}: "):
        Contender.in_pytorch(python, "step", {})
