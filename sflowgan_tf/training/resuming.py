"""How a run goes on: under the same configuration, on the same records, after a Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import Failure, UserError

if TYPE_CHECKING:  # these import TensorFlow
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.training.checkpoints import Checkpoints


# Beginnings of the keys that do not matter to a task.
_APART = {
    "translation": ("segmenter.",),
    "segmentation": (
        "pipeline.",
        "generator.",
        "discriminator.",
        "dned.",
        "perceptual.",
        "losses.",
        "phases.",
        "optimizer.",
        "edge_map",
        "start_run",
        "ema_decay",
    ),
}


def check_same(config: Config, run: Run) -> None:
    """Refuses to go on under another configuration with a run that has trained something.

    Args:
        config: of this call; settings that its task does not use may differ.
        run: perhaps begun.

    Raises:
        UserError: it names the keys that differ.
    """
    if not run.is_begun:
        return
    differing = [
        difference
        for difference in settings.differences(settings.read(run.config), config)
        if not difference.startswith(_APART[config.task])
    ]
    if differing:
        raise UserError(
            f"{run.folder} was begun with another configuration ({'; '.join(differing)}); "
            "go on with the same one, choose another --run, or delete that folder"
        )


def check_start(config: Config, run: Run) -> None:
    """Refuses early what a new run can't start from.

    Args:
        config: of the run; its `start_run`.
        run: perhaps begun; then its start no longer matters.

    Raises:
        UserError: the start is no run, has no checkpoint, or is the run itself.
    """
    if config.start_run is None or run.is_begun:
        return
    start = Run.named(config.start_run)
    if start.folder.resolve() == run.folder.resolve():
        raise UserError(f"--from {config.start_run}: is the new run itself; choose another --run")
    if not Run.existing(config.start_run).is_begun:
        raise UserError(f"--from {config.start_run}: has no checkpoint yet; let fit run longer")


def remember(config: Config, manifest: Manifest, folder: Path, run: Run) -> None:
    """Writes down what the run is.

    Args:
        config: of the run.
        manifest: of its records.
        folder: where they lie.
        run: begun or not.

    Raises:
        UserError: it has trained on other records already.
    """
    from sflowgan_tf.data.manifest import Manifest

    run.folder.mkdir(parents=True, exist_ok=True)
    if not run.is_begun:
        manifest.save(run.manifest)
        settings.save(config, run.config)
    elif Manifest.load(run.manifest) != manifest:
        raise UserError(
            f"{run.folder} was begun on other records than those in {folder}; name the same ones "
            "with --data, choose another --run, or delete the run's folder"
        )


@contextmanager
def saved_when_stopped(
    checkpoints: Checkpoints, folder: Path, manifest: Manifest
) -> Iterator[None]:
    """Around a training: Ctrl-C saves first; an error of TensorFlow becomes a sentence.

    Args:
        checkpoints: of the run.
        folder: where the records lie.
        manifest: theirs.

    Raises:
        UserError: a record is damaged; looked for where the input failed alone.
        Failure: the memory does not suffice, or the input failed though the records are whole.
    """
    import tensorflow as tf

    from sflowgan_tf.data import pipeline

    try:
        yield
    except KeyboardInterrupt:
        checkpoints.save()
        step = int(checkpoints.manager.checkpoint.step)
        print(f"\nStopped at step {step} and saved; the same command goes on.")
        raise
    except tf.errors.ResourceExhaustedError as error:
        if "No space left" in str(error.message):  # of the disk
            raise
        raise Failure(
            "not enough memory for a training step; train a new --run with a smaller batch_size or "
            "crop of the pipeline, or fewer filters"
        ) from None
    except tf.errors.OpError as error:
        if "IteratorGetNext" not in str(error.message):  # the node that reads the next batch
            raise
        print("The records can't be read; looking for the damaged one.", file=sys.stderr)
        pipeline.blame(folder, manifest)
        raise Failure(
            f"{folder}: reading the records failed, though all of them can be read now; the same "
            "command goes on from the last checkpoint"
        ) from None


def say_where(run: Run, sheet: str) -> None:
    """Prints where the results lie.

    Args:
        run: which is done.
        sheet: the name of its sheets of pictures, without number and ending.
    """
    print(f"Sample sheet:  {max(run.samples.glob(f'{sheet}-*.png'), default=run.samples)}")
    print(f"Run:           {run.folder}")
    print(f"Curves:        {run.logs}")
    print(f"Look at them:  {sys.executable} -m tensorboard.main --logdir {run.logs}")
