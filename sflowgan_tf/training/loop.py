"""What `fit` and `segment fit` share: a run from its latest checkpoint to its end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import keras
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training import assembly, resuming
from sflowgan_tf.training.assembly import Epoch
from sflowgan_tf.training.callbacks import Curves, Progress, SheetWriter, StopOnNonFinite, Summaries
from sflowgan_tf.training.checkpoints import Checkpoints, State
from sflowgan_tf.training.runs import Run
from sflowgan_tf.training.tensorflow_errors import explained


class Trainable(Protocol):
    """A Keras model that counts its updates and says what a checkpoint of it holds."""

    step: tf.Variable
    fit: Any

    def state(self) -> State:
        """All state of the training."""
        ...


class Training(ABC):
    """A model with its records, epochs, callbacks and run.

    Attributes:
        LOSS_LABELS: short names of the losses beside the progress bar.
        SHEET: the name of the sheet of pictures that each epoch has.
        model: built, and restored where the run has a checkpoint.
        epochs: of the whole training, those too that are done.
        checkpoints: of the run.
    """

    LOSS_LABELS: ClassVar[dict[str, str]]
    SHEET: ClassVar[str]

    def __init__(
        self,
        model: Trainable,
        epochs: Sequence[Epoch],
        config: Config,
        manifest: Manifest,
        folder: Path,
        run: Run,
    ):
        """Restores the model, which has fresh weights, or starts it.

        Raises:
            UserError: the run's checkpoint is of other networks, or it can't start as configured.
            Failure: no checkpoint of the run can be read.
        """
        self.model, self.epochs = model, epochs
        self.config, self.manifest, self.folder, self.run_paths = config, manifest, folder, run
        self.checkpoints = Checkpoints(model.state(), run.checkpoints, config.checkpoint_steps)
        looks = (config.log_steps, config.checkpoint_steps)
        self.watch = StopOnNonFinite(self._advice, looks)
        if not self.checkpoints.restore():
            self.start()

    def start(self) -> None:
        """Fills networks from elsewhere in a run that has no checkpoint."""
        return

    def enter(self, epoch: Epoch) -> None:
        """Prepares the model for an epoch."""
        return

    @abstractmethod
    def batches(self, epoch: Epoch, skip: int) -> tf.data.Dataset:
        """The batches of an epoch; `skip` of them were trained on already."""

    @abstractmethod
    def curves(self, summaries: Summaries) -> Curves:
        """What writes the curves."""

    @abstractmethod
    def sheets(self) -> Callable[[], dict[str, Any]]:
        """What draws the sheets of an epoch for `SheetWriter`."""

    def scores(self, summaries: Summaries) -> list[keras.callbacks.Callback]:
        """What measures after an epoch; nothing by default."""
        return []

    def run(self) -> None:
        """Trains to the end of the last epoch; Ctrl-C saves first.

        Raises:
            UserError: a record is damaged.
            Failure: a loss is no number any more, there is not enough memory, or a disk is full.
        """
        try:
            advice = partial(resuming.smaller, self.config, self.run_paths)
            with explained(self.folder, self.manifest, advice):
                self._run()
        except KeyboardInterrupt:
            self.watch.check()
            self.checkpoints.save()
            print(f"\nStopped at step {int(self.model.step)} and saved; the same command goes on.")
            raise

    def _run(self) -> None:
        last_step = self.epochs[-1].last_step if self.epochs else 0
        progress = Progress(int(self.model.step), last_step, self.LOSS_LABELS)
        with progress.bar, Summaries(self.run_paths.logs) as summaries:
            sheets = SheetWriter(self.sheets(), self.SHEET, summaries, self.run_paths.samples)
            after_epoch = [*self.scores(summaries), sheets]
            callbacks = [
                self.watch,
                self.curves(summaries),
                *after_epoch,
                self.checkpoints,  # behind them: an epoch that is saved as whole has its sheet
                progress,
            ]
            for epoch in self.epochs:
                skip = max(int(self.model.step) - epoch.first_step, 0)
                if skip > epoch.steps or skip == epoch.steps and sheets.is_drawn(epoch.index):
                    continue
                self.enter(epoch)
                if skip == epoch.steps:  # stopped between its last step and its sheet
                    for callback in after_epoch:
                        callback.set_model(self.model)
                        callback.on_epoch_end(epoch.index)
                    continue
                progress.bar.set_description(epoch.phase)
                self.model.fit(
                    self.batches(epoch, skip),
                    initial_epoch=epoch.index,
                    epochs=epoch.index + 1,
                    steps_per_epoch=epoch.steps - skip,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,  # an int, as Keras documents it
                )

    def _advice(self, step: int) -> str:
        """What to do where the losses of a step are no numbers.

        They are those of the weights that the step before has left, so its checkpoint, if there is
        one, is taken out of use.
        """
        usable = self.checkpoints.set_aside(step - 1)
        return resuming.gentler(self.config, self.run_paths, usable)


T = TypeVar("T", bound=Training)


def train(
    kind: Callable[[Config, Manifest, Path, Run], T], config: Config, folder: Path, run: Run
) -> T:
    """Finds or makes the records in `folder`, then trains a run to its end.

    `kind` makes the training, which is returned, of checked settings; no other process trains the
    run.

    Raises:
        UserError: the records do not fit, or the training can't start or go on with them.
        Failure: see `Training.run`.
    """
    manifest = assembly.records(config, folder)
    resuming.check_records(config, manifest, folder, run)
    if not run.is_begun:
        resuming.remember(config, manifest, run)
    assembly.reproducible(config.seed, jit_compile=config.jit_compile)
    training = kind(config, manifest, folder, run)
    resuming.remember(config, manifest, run)  # of a run that goes on: now that it can
    training.run()
    return training
