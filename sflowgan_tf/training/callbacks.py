"""What happens beside the training: curves, pictures, checkpoints, a stop on numbers gone wrong."""

import io
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.image.metadata import create_summary_metadata
from tqdm import tqdm

from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import written_whole


class StopOnNonFinite(keras.callbacks.Callback):
    """Stops before a loss or gradient that is no number reaches a checkpoint.

    With loss scaling a gradient may overflow; its step is then left out by the optimizer, so only
    the losses are watched.

    Raises:
        Failure: names the quantity and the step.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Looks at all of the step's numbers at once, and for the culprit only if there is one."""
        scaling = isinstance(
            self.model.optimizer,
            keras.optimizers.LossScaleOptimizer,
        )
        watched = {
            name: value
            for name, value in (logs or {}).items()
            if name.endswith("_loss") or not scaling
        }
        if np.isfinite(float(tf.add_n(list(watched.values())))):
            return
        step = int(self.model.step)  # type: ignore[attr-defined]
        for name, value in watched.items():
            if not np.isfinite(float(value)):
                raise Failure(
                    f"{name} is {float(value)} at step {step}; the last good checkpoint is kept. "
                    "Try a lower learning rate, or precision=float32"
                )


class Checkpoints(keras.callbacks.Callback):
    """Writes all state every so many steps and after each epoch; keeps the last two."""

    def __init__(self, checkpoint: tf.train.Checkpoint, folder: Path, every_steps: int):
        """`restore` before the first batch."""
        super().__init__()
        self.folder, self.every_steps = folder, every_steps
        for abandoned in folder.glob("*_temp"):
            shutil.rmtree(abandoned)
        self.manager = self._manager(checkpoint)

    def _manager(self, checkpoint: tf.train.Checkpoint) -> tf.train.CheckpointManager:
        try:
            return tf.train.CheckpointManager(
                checkpoint, str(self.folder), max_to_keep=2, checkpoint_name="step"
            )
        except ValueError:  # the list of checkpoints is damaged; they are found without it
            (self.folder / "checkpoint").unlink()
            return self._manager(checkpoint)

    def restore(self) -> bool:
        """Takes up the latest whole checkpoint, every variable of it; False where there is none.

        Newer ones, which are damaged, are removed.

        Raises:
            Failure: there are checkpoints, but none of them can be read.
        """
        if restore_latest(self.manager.checkpoint, self.folder) is None:
            return False
        taken = int(self.manager.checkpoint.step)
        for damaged in (step for step in _steps(self.folder) if step > taken):
            self._remove(damaged)
        return True

    def save(self) -> None:
        """Writes a checkpoint of the present step, unless it is there already.

        Raises:
            Failure: the disk refuses it; the last good one is kept.
        """
        step = int(self.manager.checkpoint.step)
        kept = self.manager.latest_checkpoint
        if step in _steps(self.folder):
            return
        try:
            self.manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            self._remove(step)
            reason = str(error).partition("\n")[0][:120]
            raise Failure(
                f"the checkpoint of step {step} could not be written to {self.folder} ({reason}); "
                f"kept: {kept}. Make room, then run the same command again"
            ) from None

    def _remove(self, step: int) -> None:
        for part in self.folder.glob(f"step-{step}[._]*"):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Saves where it is time."""
        if int(self.manager.checkpoint.step) % self.every_steps == 0:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves."""
        self.save()


def _steps(folder: Path) -> list[int]:
    """Steps of the checkpoints in a folder, newest first."""
    return sorted((int(file.stem[5:]) for file in folder.glob("step-*.index")), reverse=True)


def restore_latest(checkpoint: tf.train.Checkpoint, folder: Path) -> str | None:
    """Fills `checkpoint` from the newest one in a folder that can be read.

    All that `checkpoint` holds must be in it; it may hold a part only of what was saved.

    Args:
        checkpoint: networks and optimizers, built.
        folder: of a run's checkpoints.

    Returns:
        The path of the one that was taken, or None where there is none.

    Raises:
        Failure: there are some, but all are damaged.
    """
    steps = _steps(folder)
    for path in (str(folder / f"step-{step}") for step in steps):
        try:
            status = checkpoint.restore(path)
            status.assert_existing_objects_matched().expect_partial()
        except (tf.errors.OpError, IndexError, ValueError) as error:
            print(f"{path} is damaged ({str(error).partition(chr(10))[0][:80]})", file=sys.stderr)
        else:
            return path
    if steps:
        raise Failure(f"{folder}: no checkpoint can be read; delete the run's folder to begin anew")
    return None


class Curves(keras.callbacks.Callback):
    """Losses, D's outputs, gradients, learning rates and images a second for TensorBoard."""

    def __init__(
        self,
        writer: tf.summary.SummaryWriter,
        every_steps: int,
        optimizers: dict[str, keras.optimizers.Optimizer],
        images_per_step: Callable[[], int],
    ):
        """One point each `every_steps` steps; the optimizers by their networks' names."""
        super().__init__()
        self.writer, self.every_steps = writer, every_steps
        self.optimizers, self.images_per_step = optimizers, images_per_step
        self._since, self._steps = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Writes a point where it is time."""
        self._steps += 1
        step = self.model.step  # type: ignore[attr-defined]
        if int(step) % self.every_steps:
            return
        with self.writer.as_default(step=step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"{_group(name)}/{name}", value)
            for network, optimizer in self.optimizers.items():
                tf.summary.scalar(f"learning_rate/{network}", optimizer.learning_rate)
            now = time.monotonic()
            rate = self._steps * self.images_per_step() / (now - self._since)
            tf.summary.scalar("images_per_second", rate)
        self._since, self._steps = now, 0


def _group(name: str) -> str:
    return {"loss": "losses", "gradient": "gradients"}.get(name.rpartition("_")[2], "discriminator")


class Progress(keras.callbacks.Callback):
    """One bar for the whole run: steps, rate, time left and the main losses."""

    def __init__(self, step: int, total_steps: int, shown: dict[str, str]):
        """The bar starts at `step`; `shown` has the losses' short names."""
        super().__init__()
        self.shown = shown
        self.bar = tqdm(
            initial=step, total=total_steps, unit="step", smoothing=0.05, dynamic_ncols=True
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Moves the bar."""
        if self.bar.update():
            logs = logs or {}
            shown = {self.shown[name]: float(logs[name]) for name in self.shown if name in logs}
            self.bar.set_postfix(shown, refresh=False)


class Scores(keras.callbacks.Callback):
    """Scores of the validation frames after each epoch, for TensorBoard."""

    def __init__(self, measure: Callable[[], dict[str, float]], writer: tf.summary.SummaryWriter):
        """`measure` gives the scores by name."""
        super().__init__()
        self.measure, self.writer = measure, writer

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Measures."""
        with self.writer.as_default(step=self.model.step):  # type: ignore[attr-defined]
            for name, score in self.measure().items():
                tf.summary.scalar(name, score)


class Sheets(keras.callbacks.Callback):
    """Pictures and films of fixed validation frames after each epoch, for TensorBoard and as files.

    A picture becomes a PNG, a film an animated GIF.
    """

    def __init__(
        self,
        draw: Callable[[], dict[str, np.ndarray]],
        writer: tf.summary.SummaryWriter,
        folder: Path,
    ):
        """`draw` gives sheets by name, ([frames,] height, width, 3) uint8 RGB."""
        super().__init__()
        self.draw, self.writer, self.folder = draw, writer, folder

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Draws."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, sheet in self.draw().items():
            kind = "png" if sheet.ndim == 3 else "gif"
            coded = _coded(sheet, kind)
            with written_whole(self.folder / f"{name}-{epoch + 1:04d}.{kind}") as file:
                file.write_bytes(coded)
            height, width = sheet.shape[-3:-1]
            with self.writer.as_default(step=self.model.step):  # type: ignore[attr-defined]
                tf.summary.write(
                    name,
                    tf.constant([str(width), str(height), coded]),
                    metadata=create_summary_metadata(display_name=None, description=None),
                )


def _coded(sheet: np.ndarray, kind: str) -> bytes:
    """A picture as PNG, or a film as GIF that repeats, five frames a second."""
    first, *others = map(Image.fromarray, sheet if kind == "gif" else [sheet])
    file = io.BytesIO()
    animation = {"append_images": others, "duration": 200, "loop": 0, "save_all": True}
    first.save(file, format=kind, **(animation if others else {}))
    return file.getvalue()
