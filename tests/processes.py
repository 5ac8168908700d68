"""The program's commands as real processes, of which no test leaves one behind.

Nothing here has a deadline: a process is waited for until it ends, however busy the machine is, and
one that shall be stopped half-way stops itself, so that no one else has to be in time for it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests import places

# What conftest.py and commands in this process set; a user's shell has none of them.
OF_TESTS = (
    "KERAS_BACKEND",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_CPU_ALLOCATOR_USE_BFC",
    "TF_ENABLE_ONEDNN_OPTS",
    "XLA_FLAGS",
)

# A command that gets a signal as soon as there is a file of a pattern.
_SIGNALLED = """
import os, runpy, sys, threading, time
from pathlib import Path

number, pattern, module = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def watch():
    while not any(Path().glob(pattern)):
        time.sleep(0.002)
    os.kill(os.getpid(), number)

threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[3:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@contextmanager
def started(*arguments, **options) -> Iterator[subprocess.Popen[str]]:
    """Python with these arguments; if it lives at the block's end, it is killed.

    Args:
        *arguments: for example "-m", "sflowgan_tf.fit".
        **options: of `subprocess.Popen`.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        # A shell starts background jobs with Ctrl-C ignored, and children inherit that.
        **({"env": _environment(), "preexec_fn": _answer_interrupts} | pipes | options),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OF_TESTS}
    return inherited | {"PYTHONPATH": str(places.ROOT), "PYTHONUNBUFFERED": "1"}


def environment_of_tests() -> dict[str, str]:
    """For a process with this one's TensorFlow: what both compute has the same bits."""
    return os.environ | _environment()


def _answer_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Until the condition holds; a process that ends before it fails the test."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def run(command: str, *arguments, code: int = 0, **options) -> tuple[str, str]:
    """What a command of the program prints to stdout and stderr.

    Args:
        command: its name, for example "fit".
        *arguments: its flags.
        code: the exit code that is expected.
        **options: of `subprocess.Popen`.
    """
    return _ended(started("-m", f"sflowgan_tf.{command}", *arguments, **options), code)


def signalled(number: int, pattern: str, command: str, *arguments, code: int, **options):
    """As `run`, but the process gets a signal half-way.

    Args:
        number: of the signal.
        pattern: a glob in the process's working directory; the signal comes when a file fits it.
        command: its name, for example "fit".
        *arguments: its flags.
        code: the exit code that is expected; -number where the signal kills.
        **options: of `subprocess.Popen`.
    """
    module = f"sflowgan_tf.{command}"
    return _ended(
        started("-c", _SIGNALLED, int(number), pattern, module, *arguments, **options), code
    )


def _ended(starting, code: int) -> tuple[str, str]:
    with starting as process:
        out, err = process.communicate()
    assert process.returncode == code, f"{process.args}: {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err
    return out, err
