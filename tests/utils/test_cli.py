import argparse
import importlib
import subprocess
import sys
from fractions import Fraction

import pytest

from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import Failure, UserError

COMMANDS = [
    "prepare",
    "fit",
    "segment",
    "evaluate",
    "downstream",
    "export",
    "translate",
    "record",
    "live",
]


def _flags():
    flags = cli.parser("fit", "Trains.", "--size 2x2")
    flags.add_argument("--size")
    flags.add_argument("overrides", nargs="*")
    return flags


def test_flags_and_overrides_mix():
    seen = []
    assert cli.run(_flags(), seen.append, ["a=1", "--size", "2x2", "b=2"]) == 0
    assert seen[0].overrides == ["a=1", "b=2"]
    assert seen[0].size == "2x2"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("no such file"), 2, "python -m sflowgan_tf.fit: error: no such file"),
        (Failure("loss is nan"), 1, "python -m sflowgan_tf.fit: error: loss is nan"),
        (OSError(28, "No space left"), 1, "fit: error: [Errno 28] No space left"),
        (KeyboardInterrupt(), 130, "python -m sflowgan_tf.fit: interrupted"),
    ],
)
def test_errors_are_a_line_and_an_exit_code(capsys, error, code, line):
    def work(_):
        raise error

    assert cli.run(_flags(), work, []) == code
    printed = capsys.readouterr().err
    assert line in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["--dataset", "synthia"], "synthia"),
        (["--dataset", "synthia", "--config", "synthia-768x384"], "synthia-768x384"),
        (["--dataset", "synthia", "--config", "my/v1.5.yaml"], "v1.5"),
    ],
)
def test_a_run_is_called_as_its_configuration(given, name):
    flags = argparse.ArgumentParser()
    cli.add_training_flags(flags, run="the configuration's name")
    assert cli.configuration_name(flags.parse_intermixed_args(given)) == name


def test_a_bug_keeps_its_traceback():
    def work(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli.run(_flags(), work, [])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_without_importing_tensorflow(command):
    code = (
        f"import sys, sflowgan_tf.{command} as command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'numpy', 'omegaconf'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"example: python -m sflowgan_tf.{command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_flag_exits_with_2(command):
    done = subprocess.run(
        [sys.executable, "-m", f"sflowgan_tf.{command}", "--wrong"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["fit", "evaluate", "translate", "record", "live"])
def test_a_seed_is_no_negative_number(command, capsys):
    module = importlib.import_module(f"sflowgan_tf.{command}")
    with pytest.raises(SystemExit) as stopped:
        module.flags().parse_intermixed_args(["--seed", "-1"])
    assert stopped.value.code == 2
    assert "expected a whole number from 0 on, got '-1'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [("25", 25), ("29.97", Fraction(2997, 100)), ("30000/1001", Fraction(30000, 1001))],
)
def test_a_rate(given, expected):
    assert cli.rate(given) == expected


@pytest.mark.parametrize("given", ["0", "-1", "1001", "1/0", "fast"])
def test_no_rate(given):
    with pytest.raises(argparse.ArgumentTypeError, match="expected 25, 29.97 or 30000/1001, got"):
        cli.rate(given)


@pytest.mark.parametrize(("given", "expected"), [("0", 0), ("0.3", 0.3), (".99", 0.99)])
def test_a_share(given, expected):
    assert cli.share(given) == expected


@pytest.mark.parametrize("given", ["1", "-0.1", "nan", "half"])
def test_no_share(given):
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to below 1, got"):
        cli.share(given)
