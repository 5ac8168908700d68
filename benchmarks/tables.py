"""The paper's tables 1 to 3 in small, on minicity: rows trained alike, scored alike.

    make tables

draws three sets of streets (to train on, to test on, for the oracle), trains the oracle and each
row with each seed, scores all of them on the test streets, and writes docs/tables.md and
docs/tables.png. Every step is one of the real commands; as many run at once as there are cores,
each on a core of its own. Interrupted, the same call goes on where it stopped.
"""

import argparse
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

from sflowgan_tf import config as settings
from sflowgan_tf.evaluation.result import FOLDER
from sflowgan_tf.training import resuming
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.quiet import import_tensorflow

HOME = Path("runs/tables")
DATA = Path("datasets/minicity-tables")
CONFIG, ORACLE_CONFIG = Path("minicity-tables"), Path("minicity-segmenter")
ORACLE = HOME / "oracle"
SETS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "train": (CONFIG, ()),
    "test": (CONFIG, ("minicity.sequences=32", "minicity.frames=6", "minicity.seed=1011")),
    "oracle": (ORACLE_CONFIG, ()),
}
PAGE = Path("docs")
SEEDS = (0, 1, 2)
_TOOK = "took"  # with its seconds, the last line of a job's log

_LABELS = ("edge_map=none",)
# without skips a second downsampling loses poles and signs at this size
_PIX2PIXHD = ("discriminator.num_scales=3", "generator.downsamplings=1")
_OURS = ("generator.skips=true", "discriminator.depth=2", "losses.l1=60")
_DNED = (*_OURS, "phases.edges=1", "phases.dned=2")
ROWS: dict[str, tuple[str, ...]] = {
    "pix2pix": (
        *_LABELS,
        "generator.kind=unet",
        "generator.downsamplings=6",
        "losses.gan=log",
        "losses.l1=100",
        "losses.feature_matching=0",
        "losses.perceptual=0",
    ),
    "pix2pixHD": (*_LABELS, *_PIX2PIXHD),
    "pix2pixHD, instances": (
        *_PIX2PIXHD,
        "edge_map=instances",
        "discriminator.sees_edges=true",
    ),
    "ours, labels only": (*_LABELS, *_OURS),  # what the edges bring, and what the rest
    "ours, Laplacian": _OURS,
    "ours, DNED": _DNED,
    "ours, DNED, 3 scales": (*_DNED, "discriminator.num_scales=3"),
    "ours-video": (
        *_OURS,
        "phases.edges=1",
        "phases.video=4",  # of 400 pairs each: as many updates as two epochs of 800 frames
        "losses.flow_where_consistent=true",
        "losses.warping=30",
    ),
}
_HISTORY = ", history"
STEADIED = [f"{row}{_HISTORY}" for row in ("pix2pixHD", "ours-video")]  # the same runs, scored anew
_HISTORY_WEIGHT = 0.9


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of a command.

    Attributes:
        name: of its log.
        call: module and flags.
        result: the file that is there once it is done.
        needs: files that its result must not be older than.
    """

    name: str
    call: tuple[str, ...]
    result: Path
    needs: tuple[Path, ...] = ()

    @property
    def log(self) -> Path:
        """The file with what it prints."""
        return HOME / "logs" / f"{self.name}.txt"

    @property
    def is_done(self) -> bool:
        """Whether its result is there and of the present inputs."""
        if not self.result.exists():
            return False
        made = self.result.stat().st_mtime
        return all(made >= needed.stat().st_mtime for needed in self.needs)


def run_of(row: str, seed: int) -> Run:
    """A row's run with one seed."""
    row = row.removesuffix(_HISTORY)
    name = "-".join("".join(c if c.isalnum() else " " for c in row).split())
    return Run(HOME / f"{name}-{seed}")


def preparations() -> list[Job]:
    """The sets of streets."""
    return [
        Job(
            name=f"prepare {name}",
            call=("prepare", *_given(config), "--output", str(DATA / name), *changes),
            result=DATA / name / "manifest.json",
        )
        for name, (config, changes) in SETS.items()
    ]


def trainings() -> list[Job]:
    """Of the oracle, which takes longest, and of all rows.

    Raises:
        UserError: one was begun with other settings.
    """
    _check_settings(settings.load("minicity", ORACLE_CONFIG, ["task=segmentation"]), Run(ORACLE))
    given = (*_given(ORACLE_CONFIG), "--data", str(DATA / "oracle"), "--run", str(ORACLE))
    oracle = Job(name="oracle", call=("segment", "fit", *given), result=ORACLE / "done")
    jobs = [oracle]
    for seed in SEEDS:
        for row, changes in ROWS.items():
            run = run_of(row, seed)
            overrides = [*changes, f"seed={seed}"]
            _check_settings(settings.load("minicity", CONFIG, overrides), run)
            given = (*_given(CONFIG), "--data", str(DATA / "train"), "--run", str(run.folder))
            jobs.append(
                Job(
                    name=run.folder.name,
                    call=("fit", *given, *overrides),
                    result=run.folder / "done",
                )
            )
    return jobs


def _check_settings(config: settings.Config, run: Run) -> None:
    """Refuses a run with other settings; a shorter one too, which `fit` would make longer."""
    if run.is_begun:
        begun = settings.read(run.config)
        length = "segmenter.epochs:" if config.task == "segmentation" else "phases."
        differing = settings.differences(begun, config)
        if any(difference.startswith(length) for difference in differing):
            raise UserError(
                f"{run.folder} was begun with another configuration ({'; '.join(differing)}); "
                "move it away, and the tables train it anew"
            )
    resuming.check_same(config, run)


def evaluations() -> list[Job]:
    """Of all rows, on the test streets."""
    given = ("--reference", str(DATA / "test"), "--split", "train", "--segmenter", str(ORACLE))
    jobs = []
    for seed in SEEDS:
        for row in (*ROWS, *STEADIED):
            run, output = run_of(row, seed).folder, evaluation_of(row, seed)
            more = ("--history", str(_HISTORY_WEIGHT)) if row in STEADIED else ()
            call = ("evaluate", "--run", str(run), *given, *more, "--output", str(output))
            jobs.append(
                Job(
                    name=f"{output.name} {run.name}",
                    call=call,
                    result=output / "report.html",
                    needs=(ORACLE / "done", run / "done", DATA / "test/manifest.json"),
                )
            )
    return jobs


def evaluation_of(row: str, seed: int) -> Path:
    """The folder of a row's scores with one seed."""
    return run_of(row, seed).folder / (f"{FOLDER}-history" if row in STEADIED else FOLDER)


def _given(config: Path) -> tuple[str, ...]:
    return ("--dataset", "minicity", "--config", str(config))


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

    def work(self, title: str, jobs: Sequence[Job]) -> None:
        """Does those that are not done.

        Args:
            title: of the progress bar.
            jobs: in the order in which they are begun.

        Raises:
            Failure: a command failed; those that run beside it are finished first.
        """
        left = [job for job in jobs if not job.is_done]
        with (
            tqdm(total=len(jobs), initial=len(jobs) - len(left), desc=title, unit="job") as bar,
            ThreadPoolExecutor(self.count, initializer=self._take_core) as pool,
        ):
            begun = [pool.submit(self._do, job) for job in left]
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

    def _do(self, job: Job) -> None:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        call = [sys.executable, "-m", f"sflowgan_tf.{job.call[0]}", *job.call[1:]]
        with open(job.log, "a") as log:
            code = subprocess.run(call, stdout=log, stderr=log).returncode
            last = job.log.read_text().strip().rpartition("\n")[2].rpartition("\r")[2]
            log.write(f"\n{_TOOK} {time.perf_counter() - start:.0f} s\n")
        if code:
            raise Failure(f"{job.name}: exit code {code}; {last} (all of it: {job.log})")
        job.result.touch()


def core_minutes() -> float:
    """What all jobs took so far, of all calls."""
    texts = [log.read_text() for log in (HOME / "logs").glob("*.txt")]
    return sum(int(s) for text in texts for s in re.findall(rf"^{_TOOK} (\d+) s$", text, re.M)) / 60


def flags() -> argparse.ArgumentParser:
    """What the experiment takes: nothing."""
    return argparse.ArgumentParser(
        prog="python -m benchmarks.tables", description="The paper's tables in small."
    )


def work(parsed: argparse.Namespace) -> None:
    """All of it, from the streets to the page."""
    crew = Crew()
    crew.work("streets", preparations())
    crew.work("trainings", trainings())
    import_tensorflow()
    from benchmarks import tables_page
    from sflowgan_tf.training import assembly

    config, changes = SETS["test"]
    assembly.records(settings.load("minicity", config, [*changes]), DATA / "test")
    crew.work("evaluations", evaluations())

    tables_page.write(
        {row: [evaluation_of(row, seed) for seed in SEEDS] for row in (*ROWS, *STEADIED)},
        {row: run_of(row, SEEDS[0]) for row in ROWS},
        DATA / "test",
        PAGE,
        f"{core_minutes():.0f} core minutes, {crew.count} cores",
    )
    print(f"Tables: {PAGE / 'tables.md'}")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
