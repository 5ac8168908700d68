"""All state of a training on disk: written, found again, taken up."""

import shutil
import sys
from pathlib import Path

import keras
import tensorflow as tf

from sflowgan_tf.utils.errors import Failure


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
