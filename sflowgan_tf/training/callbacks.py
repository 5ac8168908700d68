"""What happens beside the training: curves, pictures, scores, a stop on numbers gone wrong."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.image.metadata import create_summary_metadata
from tqdm import tqdm

from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import written_whole

Draw = Callable[[], dict[str, np.ndarray]]  # sheets by name
_GROUPS = {"loss": "losses", "gradient": "gradients"}  # of curves, by how their names end


class Summaries:
    """TensorBoard's file of one training; a context manager that closes it.

    Args:
        folder: of the run's logs.

    Raises:
        Failure: the file system refuses the file, at any time.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        with writing(folder):
            self._writer = tf.summary.create_file_writer(str(folder))
            self._writer.init()

    @contextmanager
    def at(self, step: tf.Variable | int) -> Iterator[None]:
        """Makes this the file, and `step` the place, of what `tf.summary` writes in the block."""
        with writing(self._folder), self._writer.as_default(step=step):
            yield

    def flush(self) -> None:
        """Brings all points to the disk."""
        with writing(self._folder):
            self._writer.flush()

    def __enter__(self) -> "Summaries":
        """The open file."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Closes the file; another error in the block is not hidden by one of closing."""
        try:
            with writing(self._folder):
                self._writer.close()
        except Failure:
            if kind is None:
                raise


class Stepwise(keras.callbacks.Callback):
    """Knows the training's step without asking the device for it, which would have to wait."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Asks once."""
        self._first = int(self.model.step) + 1  # type: ignore[attr-defined]

    def step_of(self, batch: int) -> int:
        """How many updates were made after that batch of an epoch, numbered from 0."""
        return self._first + batch


class StopOnNonFinite(Stepwise):
    """Stops before a loss or gradient that is no number reaches a checkpoint.

    Every so many updates, at the end of an epoch and whenever `check` is called it looks at those
    of all updates since it did so last: a look makes a device wait that could go on.

    With loss scaling a gradient may overflow; its step is then left out by the optimizer, so only
    the losses are watched.

    Args:
        advice: what to do about it, a function of the step.
        every_steps: several numbers; it looks at each multiple of any, such as the steps of
            checkpoints.

    Raises:
        Failure: names the quantity, the step and what to do.
    """

    def __init__(self, advice: Callable[[int], str], every_steps: Sequence[int]):
        super().__init__()
        self.advice, self.every_steps = advice, every_steps
        self._unseen: list[tuple[int, dict[str, tf.Tensor]]] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Keeps the step's numbers, and looks where it is time."""
        scaling = isinstance(self.model.optimizer, keras.optimizers.LossScaleOptimizer)
        watched = {
            name: value
            for name, value in (logs or {}).items()
            if name.endswith("_loss") or not scaling
        }
        step = self.step_of(batch)
        self._unseen.append((step, watched))
        if any(step % every == 0 for every in self.every_steps):
            self.check()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Looks, before the epoch's checkpoint."""
        self.check()

    def check(self) -> None:
        """Looks at what it has not looked at yet."""
        for step, watched in self._unseen:
            for name, value in zip(watched, tf.stack([*watched.values()]).numpy(), strict=True):
                if not np.isfinite(value):
                    raise Failure(f"{name} is {value} at step {step}; {self.advice(step)}")
        self._unseen.clear()  # an interrupted look begins anew


class Curves(Stepwise):
    """Losses, D's outputs, gradients, learning rates and images a second for TensorBoard.

    Args:
        summaries: TensorBoard's file.
        every_steps: updates between two points of a curve.
        optimizers: by their networks' names.
        images_per_step: of the present phase.
    """

    def __init__(
        self,
        summaries: Summaries,
        every_steps: int,
        optimizers: dict[str, keras.optimizers.Optimizer],
        images_per_step: Callable[[], int],
    ):
        super().__init__()
        self.summaries, self.every_steps = summaries, every_steps
        self.optimizers, self.images_per_step = optimizers, images_per_step
        self._since, self._steps = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Writes a point where it is time."""
        self._steps += 1
        step = self.step_of(batch)
        if step % self.every_steps:
            return
        with self.summaries.at(step):
            for name, value in (logs or {}).items():
                group = _GROUPS.get(name.rpartition("_")[2], "discriminator")
                tf.summary.scalar(f"{group}/{name}", value)
            for network, optimizer in self.optimizers.items():
                tf.summary.scalar(f"learning_rate/{network}", optimizer.learning_rate)
            now = time.monotonic()
            rate = self._steps * self.images_per_step() / (now - self._since)
            tf.summary.scalar("images_per_second", rate)
        self._since, self._steps = now, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Brings all points to the disk, before the epoch's checkpoint."""
        self.summaries.flush()


class Progress(keras.callbacks.Callback):
    """One bar for the whole run: steps, rate, time left and the main losses, by short labels."""

    def __init__(self, step: int, total_steps: int, loss_labels: dict[str, str]):
        super().__init__()
        self.loss_labels = loss_labels
        self.bar = tqdm(
            initial=step, total=total_steps, unit="step", smoothing=0.05, dynamic_ncols=True
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Moves the bar."""
        if self.bar.update():
            logs = logs or {}
            losses = {
                label: float(logs[name]) for name, label in self.loss_labels.items() if name in logs
            }
            self.bar.set_postfix(losses, refresh=False)


class Scores(keras.callbacks.Callback):
    """Scores of the validation frames by name after each epoch, for TensorBoard."""

    def __init__(self, measure: Callable[[], dict[str, float]], summaries: Summaries):
        super().__init__()
        self.measure, self.summaries = measure, summaries

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Measures."""
        scores = self.measure()
        with self.summaries.at(self.model.step):  # type: ignore[attr-defined]
            for name, score in scores.items():
                tf.summary.scalar(name, score)


class SheetWriter(keras.callbacks.Callback):
    """Pictures and films of fixed validation frames after each epoch, for TensorBoard and as files.

    A picture becomes a PNG, a film an animated GIF. The main sheet is written last: where it is,
    all sheets of its epoch are.

    Args:
        draw: gives sheets by name, ([frames,] height, width, 3) uint8 RGB.
        main: the name of the sheet, a picture, that every epoch has.
        summaries: TensorBoard's file.
        folder: of the files.
    """

    def __init__(self, draw: Draw, main: str, summaries: Summaries, folder: Path):
        super().__init__()
        self.draw, self.main, self.summaries, self.folder = draw, main, summaries, folder

    def is_drawn(self, epoch: int) -> bool:
        """Whether an epoch's sheets are there."""
        return self._file(self.main, epoch, "png").is_file()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Draws."""
        for name, sheet in sorted(self.draw().items(), key=lambda item: item[0] == self.main):
            kind = "png" if sheet.ndim == 3 else "gif"
            coded = _coded(sheet, kind)
            height, width = sheet.shape[-3:-1]
            with self.summaries.at(self.model.step):  # type: ignore[attr-defined]
                tf.summary.write(
                    name,
                    tf.constant([str(width), str(height), coded]),
                    metadata=create_summary_metadata(display_name=None, description=None),
                )
            file = self._file(name, epoch, kind)
            with writing(file):
                self.folder.mkdir(parents=True, exist_ok=True)
                with written_whole(file) as partial:
                    partial.write_bytes(coded)

    def _file(self, name: str, epoch: int, kind: str) -> Path:
        return self.folder / f"{name}-{epoch + 1:04d}.{kind}"


def _coded(sheet: np.ndarray, kind: str) -> bytes:
    """A picture as PNG, or a film as GIF that repeats, five frames a second."""
    first, *others = map(Image.fromarray, sheet if kind == "gif" else [sheet])
    file = io.BytesIO()
    animation = {"append_images": others, "duration": 200, "loop": 0, "save_all": True}
    first.save(file, format=kind, **(animation if others else {}))
    return file.getvalue()
