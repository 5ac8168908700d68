"""How a run goes on: what may differ from its beginning, and what to do about the rest.

A call that goes on with a run may write curves, sheets and checkpoints more or less often, and
train for longer or shorter: the epochs that are not begun yet may be others. The learning rate then
follows the schedule of the new length from the step where it stands.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config, Optimizer, Phases, Segmenter
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError

# Beginnings of the keys that do not matter to a task.
_APART = {
    "translation": ("segmenter.",),
    "segmentation": (
        *(
            "pipeline.",
            "generator.",
            "discriminator.",
            "dned.",
            "appearance.",
            "perceptual.",
            "losses.",
        ),
        *("phases.", "optimizer.", "edge_map", "start_run", "ema_decay"),
    ),
}
_FREE = ("log_steps:", "samples:", "checkpoint_steps:")  # they do not change what is trained
_SHAPING = (  # keys that networks are made by
    "generator.",
    "discriminator.",
    "dned.filters:",
    "dned.sees:",
    "appearance.kind:",
)
_SHAPELESS = ("generator.global_run:", "generator.frozen_epochs:")


def check_same(config: Config, run: Run) -> None:
    """Refuses to go on under another configuration with a run that has trained something.

    Settings that its task does not use may differ, and the number of epochs that are not begun yet.

    Raises:
        UserError: it names the keys that differ, and how to go on with them in another run.
    """
    if not run.is_begun:
        return
    begun = settings.read(run.config)
    as_long = _as_long(begun, config, run)
    differing = [
        difference
        for difference in settings.differences(as_long, config)
        if not difference.startswith((*_APART[config.task], *_FREE))
    ]
    if differing:
        other_classes = any(d.startswith(("dataset:", "records.classes:")) for d in differing)
        other_networks = begun.task != config.task or network_differences(begun, config)
        fits = not other_classes and not other_networks
        raise UserError(
            f"{run.folder} was begun with another configuration ({'; '.join(differing)}); "
            f"go on with the same one or, to train with yours, {_elsewhere(run, config, fits=fits)}"
        )


def _as_long(begun: Config, config: Config, run: Run) -> Config:
    """What a run was begun with, but as long as another configuration where that can be.

    It can where both agree on the epochs that the run's last checkpoint has begun.
    """
    if (begun.phases, begun.segmenter.epochs) == (config.phases, config.segmenter.epochs):
        return begun
    train, step = Manifest.load(run.manifest).splits["train"], run.steps[0]
    if config.task == "segmentation":
        batches = train.batches(begun.segmenter.pipeline.batch_size)
        if config.segmenter.epochs * batches < step:
            return begun
        return replace(begun, segmenter=replace(begun.segmenter, epochs=config.segmenter.epochs))
    first, steps = [], 0
    for phase in _phases(begun.phases):
        if steps >= step:
            break
        first.append(phase)
        steps += train.batches(begun.pipeline.batch_size, pair=phase == "video")
    agree = _phases(config.phases)[: len(first)] == first
    return replace(begun, phases=config.phases) if agree else begun


def _phases(phases: Phases) -> list[str]:
    """The phase of each epoch."""
    return ["edges"] * phases.edges + ["dned"] * phases.dned + ["video"] * phases.video


def network_differences(there: Config, here: Config) -> list[str]:
    """The keys on which two configurations make different networks, as "key: there -> here"."""
    return [
        difference
        for difference in settings.differences(there, here)
        if difference.startswith(_SHAPING) and not difference.startswith(_SHAPELESS)
    ]


def _elsewhere(run: Run, config: Config, *, fits: bool) -> str:
    """How to train with other settings than a run's, whose networks and classes fit or not."""
    if config.task == "translation" and fits:
        return f"start another run from its networks: {_from(run)} --run NAME"
    return "choose another --run"


def _from(run: Run) -> str:
    return f"--from {shlex.quote(str(run.folder))}"


def gentler(config: Config, run: Run, step: int | None) -> str:
    """What to do about losses that are no numbers any more, for a message.

    `step` is of the run's latest checkpoint that can be trained on, None without any.
    """
    if config.task == "translation":
        key, rate, usual = "optimizer", config.optimizer.learning_rate, Optimizer().learning_rate
    else:
        key, rate, usual = "segmenter", config.segmenter.learning_rate, Segmenter().learning_rate
    precision = " precision=float32" if config.precision != "float32" else ""
    lower = f"{key}.learning_rate={min(rate / 10, usual):.2g}{precision}"
    if step is None:
        return f"begin again in another run: --run NAME {lower}"
    if config.task == "translation":
        start = f"{_from(run)} --run NAME {lower}"
        return f"go on in another run from the checkpoint of step {step}: {start}"
    return f"begin again in another run: --run NAME {lower}; the checkpoint of step {step} stays"


def smaller(config: Config, run: Run) -> str:
    """What to do where a step of a run needs more memory than there is, for a message."""
    if config.task == "translation":
        key, pipeline = "pipeline", config.pipeline
    else:
        key, pipeline = "segmenter.pipeline", config.segmenter.pipeline
    batch_size = pipeline.batch_size
    changes = [f"{key}.batch_size={batch_size // 2}"] if batch_size > 1 else []
    changes.append(f"a smaller {key}.crop")
    if config.precision == "float32":
        changes.append("precision=mixed_bfloat16")
    way = f"; to train with that, {_elsewhere(run, config, fits=True)}" if run.is_begun else ""
    return f"close what else uses the memory, or set {' or '.join(changes)}{way}"


def check_start(config: Config, run: Run) -> None:
    """Refuses early what a new run can't start from: `start_run` or `generator.global_run`.

    The start of a run that is begun no longer matters.

    Raises:
        UserError: the start is no run, has no checkpoint, or is the run itself; or the run is a
            released model, which holds no optimizers.
    """
    if run.weights.is_file():
        raise UserError(
            f"{run.folder}: is a released model, which is not trained on; start another run from "
            f"its networks: {_from(run)} --run NAME"
        )
    name, flag = config.start_run, "--from"
    if name is None:
        name, flag = config.generator.global_run, "generator.global_run"
    if name is None or config.task != "translation" or run.is_begun:
        return
    start = Run.named(name, flag)
    if start.folder.resolve() == run.folder.resolve():
        raise UserError(f"{flag} {name}: is the new run itself; choose another --run")
    if not Run.existing(name, flag).is_begun:
        raise UserError(f"{flag} {name}: has no checkpoint yet; let fit train it for longer")


def check_records(config: Config, manifest: Manifest, folder: Path, run: Run) -> None:
    """Refuses to go on with a run on other records.

    Raises:
        UserError: it has trained on other records than those of the manifest in `folder`.
    """
    if run.is_begun and (begun := Manifest.load(run.manifest)) != manifest:
        same = begun.classes.names == manifest.classes.names
        raise UserError(
            f"{run.folder} was begun on other records than those in {folder}; name the same ones "
            f"with --data or, to train on these, {_elsewhere(run, config, fits=same)}"
        )


def remember(config: Config, manifest: Manifest, run: Run) -> None:
    """Writes down what a run is, checked before, and how long it is to be trained.

    Raises:
        Failure: the file system refuses the files.
    """
    with writing(run.folder):
        run.folder.mkdir(parents=True, exist_ok=True)
        if not run.is_begun:
            manifest.save(run.manifest)
        if not (run.is_begun and settings.read(run.config) == config):
            settings.save(config, run.config)


def say_where(run: Run, sheet: str) -> None:
    """Prints where the results lie, and those of the `sheet`, a name without number and ending."""
    print(f"Sample sheet:  {max(run.samples.glob(f'{sheet}-*.png'), default=run.samples)}")
    print(f"Run:           {run.folder}")
    print(f"Curves:        {run.logs}")
    print(f"Look at them:  {sys.executable} -m tensorboard.main --logdir {run.logs}")
