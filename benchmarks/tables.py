"""The paper's tables in small: rows trained alike, scored alike, on minicity or on real frames.

    make tables
    make tables-real DATA=FOLDER JUDGE=SEGMENTER [CLASSES=FILE] [LEFT_OUT=REGEX]

On minicity: three sets of streets (to train on, to test on, for the oracle), the oracle, each row
with each seed, and its scores on the test streets, as docs/tables.md and docs/tables.png. On real
frames with label maps (`--dataset folder`): the rows of the paper's table 1, trained on the
source's training frames and scored on its validation frames by a segmenter from elsewhere; the page
stays in runs/tables-real, since its pictures show what others may own. Every step is one of the
real commands; as many run at once as there are cores, each on a core of its own. Interrupted, the
same call goes on where it stopped.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crew import Crew, Job, core_minutes
from sflowgan_tf import config as settings
from sflowgan_tf.evaluation.result import FOLDER
from sflowgan_tf.training import resuming
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.quiet import import_tensorflow

SEEDS = (0, 1, 2)
_HISTORY = ", history"
_HISTORY_WEIGHT = 0.9

_LABELS = ("edge_map=none",)
_PIX2PIX = (
    *_LABELS,
    "generator.kind=unet",
    "generator.downsamplings=6",
    "losses.gan=log",
    "losses.l1=100",
    "losses.feature_matching=0",
    "losses.perceptual=0",
)
# without skips a second downsampling loses poles and signs at this size
_PIX2PIXHD = ("discriminator.num_scales=3", "generator.downsamplings=1")
_OURS = (
    "generator.skips=true",
    "generator.grain=true",
    "discriminator.depth=2",
    "losses.l1=10",
)
_DNED = (*_OURS, "phases.edges=1", "phases.dned=1")

ROWS: dict[str, tuple[str, ...]] = {
    "pix2pix": _PIX2PIX,
    "pix2pixHD": (*_LABELS, *_PIX2PIXHD),
    "pix2pixHD, instances": (
        *_PIX2PIXHD,
        "edge_map=instances",
        "discriminator.sees_edges=true",
    ),
    "vid2vid": (
        *_LABELS,
        *_PIX2PIXHD,
        "generator.kind=sequential",
        "phases.edges=1",
        "phases.video=1",
    ),
    "ours, labels only": (*_LABELS, *_OURS),  # what the edges bring, and what the rest
    "ours, Laplacian": _OURS,
    "ours, DNED": _DNED,
    "ours, DNED, 3 scales": (*_DNED, "discriminator.num_scales=3"),
    "ours-video": (
        *_OURS,
        "phases.edges=1",
        "phases.video=1",
        "losses.flow_where_consistent=true",
        "losses.warping=30",
    ),
}
# Without colours and drawn details walls and leaves are flat, and grain would stand in for them.
_REAL_OURS = ("generator.skips=true", "discriminator.depth=2")
_HED = ("dned.weights=hed", "dned.sees=image", "phases.edges=0", "phases.dned=3")
_COLORS = ("appearance.kind=regions", "appearance.cell=8", "generator.grain=true")
REAL_ROWS: dict[str, tuple[str, ...]] = {
    **{row: ROWS[row] for row in ("pix2pix", "pix2pixHD")},
    "ours, labels only": (*_LABELS, *_REAL_OURS),
    "ours, Laplacian": _REAL_OURS,
    "ours, HED": (*_REAL_OURS, *_HED, "dned.trained=false"),
    "ours, DNED": (*_REAL_OURS, *_HED),
    "ours, DNED, appearance": (*_REAL_OURS, *_HED, *_COLORS),
}


@dataclass(frozen=True, kw_only=True)
class Records:
    """How a set of records is made.

    Attributes:
        config: their configuration, and
        overrides: what differs from it.
        source: of the raw frames; None for minicity.
    """

    config: str
    overrides: tuple[str, ...] = ()
    source: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is trained on what, and scored by whom.

    Attributes:
        command: that makes the page.
        story: what the rows are trained on and scored on, for the page.
        dataset: its name, as `prepare --dataset` takes it.
        config: the rows' configuration, beside what each says itself.
        rows: each with its settings.
        steadied: rows whose runs are scored once more, with history.
        home: of the runs and their logs.
        sets: of records, by their folders.
        train: the set that rows are trained on.
        test: the set that they are scored on, and
        split: which part of it.
        judge: flags of `evaluate` that name the segmenter.
        oracle: the judge's run, where it is trained here; and
        oracle_set: on which of the sets.
        minutes: that a training takes on a core like that of docs/tables.md.
        page: the folder of the page.
    """

    command: str
    story: str
    dataset: str
    config: str
    rows: dict[str, tuple[str, ...]]
    steadied: tuple[str, ...] = ()
    home: Path
    sets: dict[Path, Records]
    train: Path
    test: Path
    split: str
    judge: tuple[str, ...]
    oracle: Run | None = None
    oracle_set: Path | None = None
    minutes: float
    page: Path

    @property
    def scored(self) -> tuple[str, ...]:
        """All rows of the page, in its order."""
        return (*self.rows, *(f"{row}{_HISTORY}" for row in self.steadied))

    @property
    def logs(self) -> Path:
        """The folder of what the commands print."""
        return self.home / "logs"

    def run(self, row: str, seed: int) -> Run:
        """A row's run with one seed."""
        row = row.removesuffix(_HISTORY)
        name = "-".join("".join(c if c.isalnum() else " " for c in row).split())
        return Run(self.home / f"{name}-{seed}")

    def evaluation(self, row: str, seed: int) -> Path:
        """The folder of a row's scores with one seed."""
        name = f"{FOLDER}-history" if row.endswith(_HISTORY) else FOLDER
        return self.run(row, seed).folder / name

    def preparations(self) -> list[Job]:
        """The sets of records."""
        jobs = []
        for folder, made in self.sets.items():
            source = () if made.source is None else ("--source", str(made.source))
            call = ("prepare", *self._given(made.config), *source, "--output", str(folder))
            jobs.append(
                Job(
                    call=(*call, *made.overrides),
                    result=folder / "manifest.json",
                    log=self.logs / f"prepare-{folder.name}.txt",
                )
            )
        return jobs

    def trainings(self) -> list[Job]:
        """Of the oracle, which takes longest, and of all rows.

        Raises:
            UserError: one was begun with other settings.
        """
        jobs = []
        if self.oracle is not None and self.oracle_set is not None:
            made = self.sets[self.oracle_set]
            overrides = [*made.overrides, "task=segmentation"]
            _check_settings(settings.load(self.dataset, Path(made.config), overrides), self.oracle)
            call = ("segment", "fit", *self._given(made.config), "--data", str(self.oracle_set))
            call = (*call, "--run", str(self.oracle.folder), *made.overrides)
            jobs.append(self._training(self.oracle, call))
        for seed in SEEDS:
            for row, changes in self.rows.items():
                run, overrides = self.run(row, seed), [*changes, f"seed={seed}"]
                _check_settings(settings.load(self.dataset, Path(self.config), overrides), run)
                call = ("fit", *self._given(self.config), "--data", str(self.train))
                jobs.append(self._training(run, (*call, "--run", str(run.folder), *overrides)))
        return jobs

    def _training(self, run: Run, call: tuple[str, ...]) -> Job:
        log = self.logs / f"{run.folder.name}.txt"
        return Job(call=call, result=run.folder / "done", log=log)

    def evaluations(self) -> list[Job]:
        """Of all rows, on the test set."""
        given = ("--reference", str(self.test), "--split", self.split, *self.judge)
        judged = () if self.oracle is None else (self.oracle.folder / "done",)
        jobs = []
        for seed in SEEDS:
            for row in self.scored:
                run, output = self.run(row, seed).folder, self.evaluation(row, seed)
                more = ("--history", str(_HISTORY_WEIGHT)) if row.endswith(_HISTORY) else ()
                call = ("evaluate", "--run", str(run), *given, *more, "--output", str(output))
                jobs.append(
                    Job(
                        call=call,
                        result=output / "report.html",
                        log=self.logs / f"{output.name}-{run.name}.txt",
                        needs=(*judged, run / "done", self.test / "manifest.json"),
                    )
                )
        return jobs

    def _given(self, config: str) -> tuple[str, ...]:
        return ("--dataset", self.dataset, "--config", config)


def minicity() -> Experiment:
    """The streets that draw themselves, with an oracle that is trained on streets of its own."""
    home, data = Path("runs/tables"), Path("datasets/minicity-tables")
    oracle, config = Run(home / "oracle"), "minicity-tables"
    streets = ("minicity.sequences=12", "minicity.frames=30", "minicity.seed=1011")
    return Experiment(
        command="make tables",
        story="Each row is trained on the same streets of minicity with as many updates (or, where "
        "it is trained on films, a few less) and painted from the simulator's frames of other "
        "streets. The oracle is PSPNet's small variant, trained on real renderings of streets of "
        "its own.",
        dataset="minicity",
        config=config,
        rows=ROWS,
        steadied=("pix2pixHD", "ours-video"),
        home=home,
        sets={
            data / "train": Records(config=config),
            data / "test": Records(config=config, overrides=streets),
            data / "oracle": Records(
                config="minicity-segmenter", overrides=("records.size=256x128",)
            ),
        },
        train=data / "train",
        test=data / "test",
        split="train",
        judge=("--segmenter", str(oracle.folder)),
        oracle=oracle,
        oracle_set=data / "oracle",
        minutes=12,
        page=Path("docs"),
    )


def real(
    source: Path, judge: str, classes: str | None, left_out: str | None, home: Path
) -> Experiment:
    """Real frames with label maps, scored by a segmenter from elsewhere.

    Args:
        source: as `prepare --dataset folder --source` takes it; with validation frames of its own.
        judge: as `evaluate --segmenter` takes it.
        classes: as `evaluate --segmenter-classes` takes it; None for the source's.
        left_out: of the training frames, as `records.left_out` takes it; None for none.
        home: of the records, the runs and the page.
    """
    config, data = "folder-tables", home / "records"
    named = () if classes is None else ("--segmenter-classes", classes)
    without = () if left_out is None else (f"records.left_out='{left_out}'",)
    made = Records(config=config, overrides=without, source=source)
    return Experiment(
        command="make tables-real",
        story=f"Each row is trained on the training frames of {source.name} with as many updates "
        "and painted from the labels and edges of its validation frames, which are scored by "
        f"{judge}.",
        dataset="folder",
        config=config,
        rows=REAL_ROWS,
        home=home,
        sets={data: made},
        train=data,
        test=data,
        split="validation",
        judge=("--segmenter", judge, *named),
        minutes=17,
        page=home,
    )


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


def flags() -> argparse.ArgumentParser:
    """What the experiment takes: nothing for minicity's, the frames and their judge for others."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tables", description="The paper's tables in small."
    )
    add = parser.add_argument
    add("--real", type=Path, metavar="SOURCE", help="real frames, as `prepare --source` takes them")
    add("--judge", metavar="S", help="their segmenter, as `evaluate --segmenter` takes it")
    add("--classes", metavar="C", help="as `evaluate --segmenter-classes` takes them")
    add("--left-out", metavar="REGEX", help="training frames to leave out: records.left_out")
    add("--home", type=Path, default=Path("runs/tables-real"), help="of runs and page; %(default)s")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """All of it, from the frames to the page."""
    if parsed.real is None:
        experiment = minicity()
    elif parsed.judge is None:
        raise UserError("--judge: expected the segmenter that scores the pictures of --real")
    else:
        judged = parsed.judge, parsed.classes, parsed.left_out
        experiment = real(parsed.real, *judged, parsed.home)
    crew = Crew()
    crew.work("records", experiment.preparations())
    crew.work("trainings", experiment.trainings(), experiment.minutes)
    import_tensorflow()
    from benchmarks import tables_page
    from sflowgan_tf.training import assembly

    tested = experiment.sets[experiment.test]
    given = settings.load(experiment.dataset, Path(tested.config), [*tested.overrides])
    assembly.records(given, experiment.test)
    crew.work("evaluations", experiment.evaluations())
    took = f"{core_minutes(experiment.logs):.0f} core minutes, {crew.count} cores"
    page = tables_page.write(
        {row: [experiment.evaluation(row, seed) for seed in SEEDS] for row in experiment.scored},
        {row: experiment.run(row, SEEDS[0]) for row in experiment.rows},
        experiment.test,
        split=experiment.split,
        folder=experiment.page,
        made=f"Made by `{experiment.command}` at commit {{commits}} on {{dates}}: {took}.",
        story=experiment.story,
    )
    print(f"Tables: {page}")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
