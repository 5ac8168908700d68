"""What happens beside the training: curves, pictures, scores, a stop on numbers gone wrong."""

import io
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
