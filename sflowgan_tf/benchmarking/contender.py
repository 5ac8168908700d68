"""A process that does a workload when it is told to, as its parent sees it.

Messages are lines of JSON. The first one that goes in says what to do, and when the process was
started; each further one is a word: "run", "figures" or "profile". The answers are: the seconds
from the start to the end of the first run; the seconds of a run, and those of all cores; the
figures; the profile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import sflowgan_tf
from sflowgan_tf.benchmarking.task import Task, line
from sflowgan_tf.utils.errors import Failure, UserError

# This package comes last on the path, so that another environment's own packages are found first.
_START = """
import runpy, sys
sys.path.append(sys.argv[1])
runpy.run_module(sys.argv[2], run_name="__main__")
"""
_ROOT = Path(sflowgan_tf.__file__).parents[1]


class Contender:
    """A fresh process with one workload; it ends with the block that it is opened in.

    Attributes:
        name: for messages.
        first_s: seconds from its start to the end of its first run.
    """

    def __init__(self, name: str, command: Sequence[str], order: dict[str, Any]):
        """Starts the process and waits until its first run is done.

        Args:
            name: for messages.
            command: of the process.
            order: what it shall do, as it reads it.

        Raises:
            UserError: it refuses what it shall do.
            Failure: it failed, or ended.
        """
        self.name = name
        started = time.monotonic()
        waiting = os.environ | {"OMP_WAIT_POLICY": "passive"}  # without keeping a core busy
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=waiting
        )
        try:
            self.first_s: float = self._asked(order | {"started": started})["first_s"]
        except BaseException:
            self._end()
            raise

    @classmethod
    def of_task(cls, task: Task) -> Self:
        """Our own process."""
        return cls(task.title, _command(sys.executable, "worker"), task.to_dict())

    @classmethod
    def in_pytorch(cls, python: str, title: str, order: dict[str, Any]) -> Self:
        """One in PyTorch, by the Python of an environment that has it.

        Raises:
            UserError: it has not.
        """
        try:
            has_torch = subprocess.run([python, "-c", "import torch"], capture_output=True)
        except OSError as error:
            raise UserError(f"--torch {python}: {error.strerror}; name a Python") from None
        if has_torch.returncode:
            raise UserError(f"--torch {python}: has no PyTorch; name a Python that has")
        return cls(f"{title} in PyTorch", _command(python, "torch_process"), order)

    def run(self) -> tuple[float, float]:
        """Seconds of one run by the process's own clock, and those of all its cores together."""
        answer = self._asked("run")
        return answer["seconds"], answer["cpu_seconds"]

    def figures(self) -> dict[str, Any]:
        """What it has measured beside seconds."""
        return self._asked("figures")

    def profile(self) -> list[dict[str, Any]]:
        """The operations that a run spends its time on, of `profiling.profile`."""
        return self._asked("profile")["profile"]

    def _asked(self, message: Any) -> dict[str, Any]:
        process = self._process
        with suppress(BrokenPipeError):  # it has ended; no answer will say so
            process.stdin.write(line(message))  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        answered = process.stdout.readline()  # type: ignore[union-attr]
        if not answered:
            raise Failure(f"{self.name}: {_end_of(process.wait())}")
        answer = json.loads(answered)
        if "error" in answer:
            kind = UserError if answer["mistake"] else Failure
            raise kind(f"{self.name}: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the process."""
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _command(python: str, module: str) -> list[str]:
    """Runs a module of this room, wherever it is run from."""
    return [python, "-c", _START, str(_ROOT), f"sflowgan_tf.benchmarking.{module}"]


def _end_of(code: int) -> str:
    if code == -9:
        return "its process was killed, as where memory does not suffice; choose a smaller size"
    return f"its process ended with exit code {code}, see above"
