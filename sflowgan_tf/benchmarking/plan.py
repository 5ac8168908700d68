"""Which tasks a call measures, against whom, and the work itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sflowgan_tf import config as settings
from sflowgan_tf.benchmarking import pytorch
from sflowgan_tf.benchmarking.contender import Contender
from sflowgan_tf.benchmarking.figures import Row
from sflowgan_tf.benchmarking.measuring import WARM_UP, Start, measure
from sflowgan_tf.benchmarking.task import (
    ALL,
    BARE,
    DECODING,
    FILM,
    FORWARD,
    FRECHET,
    KID,
    ONE_PROCESS,
    OPENCV,
    READING,
    STEADIED,
    TWO_PROCESSES,
    WITH_GRADIENT,
    Task,
)
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.ops.classes import TABLES, VOID, table
from sflowgan_tf.utils.errors import Failure, UserError

PEER_CONFIG, PEER_CLASSES = Path("cityscapes-pix2pixhd"), "35"
_MEASURED = ("distribution", "paired", "temporal", "appearance")  # groups without a painter's help
_FORMS = {
    "flow": (FORWARD, WITH_GRADIENT),
    "prepare": (ONE_PROCESS, TWO_PROCESSES),
    "film": (FILM, STEADIED),
    "evaluate": (ALL, READING, *_MEASURED, FRECHET, KID),
}
_RIVALS = {  # the form that a form is compared with
    FORWARD: OPENCV,
    WITH_GRADIENT: OPENCV,
    ONE_PROCESS: DECODING,
    TWO_PROCESSES: ONE_PROCESS,
    FILM: BARE,
    STEADIED: BARE,
}
_PHASES = ("edges", "dned", "video")
_NETWORKS = ("step", "training", "inference")  # which need to know how many classes there are
_WITHOUT_BATCHES = ("film", "minicity", "prepare", "evaluate")  # which take one or all at once


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a call measures.

    Attributes:
        workloads: one or several.
        dataset: its name.
        file: of the configuration; None for the dataset's.
        overrides: such as ["generator.filters=32"].
        sizes: "WIDTHxHEIGHT" each.
        batches: examples at once.
        repeats: of the runs that are timed.
        classes: of networks: name of a class table, or a number; empty for the dataset's.
        phase: of the training; empty for the last one that is configured.
        data: folder of records, whose size is measured instead of `sizes`.
        torch: Python with PyTorch, to compare with; None to compare with none.
        profile: whether operations are profiled.
        seed: of what is drawn.
        raw: "WIDTHxHEIGHT" of the raw frames of `prepare`.
        model: a trained one, of `film`.
    """

    workloads: Sequence[str]
    dataset: str
    file: Path | None
    overrides: Sequence[str]
    sizes: Sequence[str]
    batches: Sequence[int]
    repeats: int
    classes: str
    phase: str
    data: Path | None
    torch: str | None
    profile: bool
    seed: int
    raw: str
    model: str

    def measure(self, keep: Callable[[list[Row]], object]) -> list[Row]:
        """Measures all, a row after the other.

        Args:
            keep: called with all rows so far: with none, so that a place that can't be written is
                known before anything is measured, and after each.

        Returns:
            The rows; one whose process failed has its sentence instead of figures.

        Raises:
            UserError: something can't be measured as it is asked for.
        """
        rows: list[Row] = []
        with tempfile.TemporaryDirectory() as folder:
            tasks = [*self._tasks(Path(folder))]
            rivals = [self._rivals(config, task) for config, task in tasks]
            keep(rows)
            with tqdm(total=len(tasks) * (WARM_UP + self.repeats), unit="run") as bar:
                for (_, task), others in zip(tasks, rivals, strict=True):
                    bar.set_description(task.title)
                    end = bar.n + WARM_UP + self.repeats
                    try:
                        row = measure(
                            task, self.repeats, others, profile=self.profile, on_run=bar.update
                        )
                    except Failure as failure:
                        row = Row(task=task, failure=str(failure))
                    bar.update(end - bar.n)
                    rows.append(row)
                    keep(rows)
        return rows

    def _tasks(self, folder: Path) -> list[tuple[Config, Task]]:
        """Each with its configuration, which is written to `folder` for its process."""
        sizes, classes = self.sizes, self.classes
        if classes.isdecimal() and not 0 < int(classes) <= VOID:
            raise UserError(f"--classes {classes}: expected 1 to {VOID} classes, or a class table")
        if classes and not classes.isdecimal():
            table(classes)  # or an error at once
        settings.size(self.raw, "--raw")
        if self.data is not None:
            manifest = Manifest.load(self.data)
            sizes = ["{}x{}".format(*manifest.size)]
        tasks = []
        for size in sizes:
            settings.size(size, "--sizes")
            overrides = [*self.overrides, f"records.size='{size}'"]
            config = settings.load(self.dataset, self.file, overrides, seed=self.seed)
            config = _without_download(config)
            file = folder / f"{size}.yaml"
            settings.save(config, file)
            common = Task(
                workload=self.workloads[0],
                config=str(file),
                classes=classes or self._classes(config),
                size=size,
                batch=1,
                data=None if self.data is None else str(self.data),
                phase=self.phase or _last_phase(config),
                seed=self.seed,
                raw=self.raw,
                model=self.model,
                pictures=None if self.torch is None else str(folder / f"{size}-pictures"),
            )
            tasks += [
                (config, replace(common, workload=workload, batch=batch, form=form))
                for workload in self.workloads
                for form in _FORMS.get(workload, ("",))
                for batch in ((1,) if workload in _WITHOUT_BATCHES else self.batches)
            ]
        return tasks

    def _classes(self, config: Config) -> str:
        """The class table of the dataset, by name; empty where no network needs one.

        Raises:
            UserError: the dataset brings its own.
        """
        if not {*_NETWORKS} & {*self.workloads}:
            return ""
        if config.records.classes == "cityscapes":
            return "cityscapes"
        name = "synthia" if self.dataset == "minicity" else self.dataset
        if name not in TABLES:
            raise UserError(
                f"--classes: {self.dataset} brings its own classes; say how many, or name a class "
                "table"
            )
        return name

    def _rivals(self, config: Config, task: Task) -> list[tuple[str, Start]]:
        """Whom a task is compared with."""
        if rival := _RIVALS.get(task.form):
            return [(rival, lambda task: Contender.of_task(replace(task, form=rival)))]
        if self.torch is None:
            return []
        if task.workload == "pipeline":
            order = pytorch.loader_order(config, task)
            return [("PyTorch", partial(_in_pytorch, python=self.torch, order=order))]
        classes = int(task.classes) if task.classes.isdigit() else table(task.classes).num_classes
        precisions = ["float32"]
        if task.workload == "step" and config.precision != "float32":
            precisions.insert(0, config.precision)  # theirs by default is float32
        return [
            (
                f"PyTorch, {precision}",
                partial(
                    _in_pytorch,
                    python=self.torch,
                    order=pytorch.order(config, task, classes, precision),
                ),
            )
            for precision in precisions
        ]


def _in_pytorch(task: Task, *, python: str, order: dict[str, Any]) -> Contender:
    return Contender.in_pytorch(python, task.title, order)


def _without_download(config: Config) -> Config:
    """With random weights where VGG19's would be fetched: they cost the same."""
    if config.perceptual.weights != "imagenet":
        return config
    return replace(config, perceptual=replace(config.perceptual, weights="random"))


def _last_phase(config: Config) -> str:
    epochs = asdict(config.phases)
    return [phase for phase in _PHASES if epochs[phase]][-1]


def peer_figures(rows: Sequence[Row]) -> dict[str, float | int | None]:
    """What is to be held against another program's figures, of a `step` and an `inference` row.

    Returns:
        "step_s" and "inference_s", medians, and "peak_bytes" of the process that trained; nothing
        of a row that is not there or failed.
    """
    figures: dict[str, float | int | None] = {}
    for row in rows:
        if row.ours is not None:
            figures[f"{row.task.workload}_s"] = row.ours.seconds.median
            if row.task.workload == "step":
                figures["peak_bytes"] = row.ours.figures["peak_bytes"]
    return figures
