"""What happens beside the training: curves, pictures, checkpoints, a stop on numbers gone wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from sflowgan_tf.errors import Failure


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
            self.model.generator_optimizer,  # type: ignore[attr-defined]
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
                    "Try a lower optimizer.learning_rate, or precision=float32"
                )


class Checkpoints(keras.callbacks.Callback):
    """Writes all state every so many steps and after each epoch; keeps the last two."""

    def __init__(self, checkpoint: tf.train.Checkpoint, folder: Path, every_steps: int):
        """`restore` before the first batch."""
        super().__init__()
        self.folder = folder
        self.manager = tf.train.CheckpointManager(
            checkpoint, str(folder), max_to_keep=2, checkpoint_name="step"
        )
        self.every_steps = every_steps

    def restore(self) -> bool:
        """Takes up the latest checkpoint, every variable of it; False where there is none."""
        latest = self.manager.latest_checkpoint
        if latest is None:
            return False
        self.manager.checkpoint.restore(latest).assert_consumed()
        return True

    def save(self) -> None:
        """Writes a checkpoint of the present step; Failure where the disk refuses it."""
        step = int(self.manager.checkpoint.step)
        kept = self.manager.latest_checkpoint
        try:
            self.manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            for partial in self.folder.glob(f"step-{step}*"):
                partial.unlink(missing_ok=True)
            raise Failure(
                f"the checkpoint of step {step} could not be written to {self.folder} "
                f"({str(error).partition(chr(10))[0][:120]}); kept: {kept}. Make room, then run "
                "the same command again"
            ) from None

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Saves where it is time."""
        if int(self.manager.checkpoint.step) % self.every_steps == 0:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves."""
        self.save()


class Curves(keras.callbacks.Callback):
    """Losses, D's outputs, gradients, learning rates and images a second for TensorBoard."""

    def __init__(self, writer: tf.summary.SummaryWriter, every_steps: int, batch_size: int):
        """One point each `every_steps` steps."""
        super().__init__()
        self.writer, self.every_steps, self.batch_size = writer, every_steps, batch_size
        self._since, self._steps = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Writes a point where it is time."""
        self._steps += 1
        gan = self.model
        if int(gan.step) % self.every_steps:  # type: ignore[attr-defined]
            return
        with self.writer.as_default(step=gan.step):  # type: ignore[attr-defined]
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"{_group(name)}/{name}", value)
            for network in ("generator", "discriminator", "dned"):
                optimizer = getattr(gan, f"{network}_optimizer")
                tf.summary.scalar(f"learning_rate/{network}", optimizer.learning_rate)
            now = time.monotonic()
            rate = self._steps * self.batch_size / (now - self._since)
            tf.summary.scalar("images_per_second", rate)
        self._since, self._steps = now, 0


def _group(name: str) -> str:
    return {"loss": "losses", "gradient": "gradients"}.get(name.rpartition("_")[2], "discriminator")


class Progress(keras.callbacks.Callback):
    """One bar for the whole run: steps, rate, time left, phase and the main losses."""

    _SHOWN = {"generator_loss": "G", "discriminator_loss": "D", "perceptual_loss": "VGG"}

    def __init__(self, step: int, total_steps: int):
        """The bar starts at `step`."""
        super().__init__()
        self.bar = tqdm(
            initial=step, total=total_steps, unit="step", smoothing=0.05, dynamic_ncols=True
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Moves the bar."""
        if self.bar.update():
            shown = {short: float((logs or {})[name]) for name, short in self._SHOWN.items()}
            self.bar.set_postfix({"phase": self.model.phase} | shown, refresh=False)  # type: ignore[attr-defined]


class Sheets(keras.callbacks.Callback):
    """Pictures of fixed validation frames after each epoch, for TensorBoard and as PNG."""

    def __init__(
        self,
        draw: Callable[[], dict[str, np.ndarray]],
        writer: tf.summary.SummaryWriter,
        folder: Path,
    ):
        """`draw` gives sheets by name, (height, width, 3) uint8 RGB."""
        super().__init__()
        self.draw, self.writer, self.folder = draw, writer, folder

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Draws."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, sheet in self.draw().items():
            write_png(self.folder / f"{name}-{epoch + 1:04d}.png", sheet)
            with self.writer.as_default(step=self.model.step):  # type: ignore[attr-defined]
                tf.summary.image(name, sheet[None])


def write_png(file: Path, image: np.ndarray) -> None:
    """Writes (height, width, 3) uint8 RGB; the file appears whole or not at all."""
    partial = file.with_suffix(".partial.png")
    if not cv2.imwrite(str(partial), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise Failure(f"{file} could not be written")
    partial.rename(file)
