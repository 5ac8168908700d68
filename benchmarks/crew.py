"""Many calls of commands, as many at once as there are cores, each done once."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tqdm import tqdm

from sflowgan_tf.utils.errors import Failure

_TOOK = "took"  # with its seconds, the last line of a job's log


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of a command.

    Attributes:
        call: module and flags.
        result: the file that is there once it is done.
        log: the file with what it prints.
        needs: files that its result must not be older than.
    """

    call: tuple[str, ...]
    result: Path
    log: Path
    needs: tuple[Path, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether its result is there and of the present inputs."""
        if not self.result.exists():
            return False
        made = self.result.stat().st_mtime
        return all(made >= needed.stat().st_mtime for needed in self.needs)


class Crew:
    """Does jobs, each on a core of its own.

    Attributes:
        count: of the cores.
    """

    def __init__(self):
        """As many jobs at once as there are cores."""
        cores = os.sched_getaffinity(0)
        self.count = len(cores)
        self._cores = cycle(cores)

    def work(self, title: str, jobs: Sequence[Job], minutes: float = 0) -> None:
        """Does those that are not done.

        Args:
            title: of the progress bar.
            jobs: in the order in which they are begun.
            minutes: that one took elsewhere; 0 where that is not worth a word.

        Raises:
            Failure: a command failed; those that run beside it are finished first.
        """
        left = [job for job in jobs if not job.is_done]
        if left and minutes:
            hours = -(-len(left) // self.count) * minutes / 60
            print(
                f"{title}: {len(left)} of {len(jobs)} to do, about {minutes:.0f} minutes each on a "
                f"core like that of docs/tables.md; about {hours:.1f} hours on these {self.count}. "
                "Interrupted, the same command goes on."
            )
        with (
            tqdm(total=len(jobs), initial=len(jobs) - len(left), desc=title, unit="job") as bar,
            ThreadPoolExecutor(self.count, initializer=self._take_core) as pool,
        ):
            begun = [pool.submit(_do, job) for job in left]
            try:
                for done in as_completed(begun):
                    done.result()
                    bar.update()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _take_core(self) -> None:
        """Pins this thread, and so the commands that it starts."""
        os.sched_setaffinity(0, {next(self._cores)})


def _do(job: Job) -> None:
    job.log.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    call = [sys.executable, "-m", f"sflowgan_tf.{job.call[0]}", *job.call[1:]]
    with open(job.log, "a") as log:
        code = subprocess.run(call, stdout=log, stderr=log).returncode
        last = job.log.read_text().strip().rpartition("\n")[2].rpartition("\r")[2]
        log.write(f"\n{_TOOK} {time.perf_counter() - start:.0f} s\n")
    if code:
        raise Failure(f"{job.log.stem}: exit code {code}; {last} (all of it: {job.log})")
    job.result.touch()


def core_minutes(logs: Path) -> float:
    """What all jobs with logs in a folder took so far, of all calls."""
    texts = [log.read_text() for log in logs.glob("*.txt")]
    return sum(int(s) for text in texts for s in re.findall(rf"^{_TOOK} (\d+) s$", text, re.M)) / 60
