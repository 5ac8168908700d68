"""All state of a training on disk: checkpoints written, checked and restored."""

import itertools
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import sflowgan_tf
from sflowgan_tf.training.callbacks import Stepwise
from sflowgan_tf.training.runs import steps
from sflowgan_tf.utils.disk import refusal, writing
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.files import written_whole

_LAYOUT = "layout"  # the key of the text that names the variables
_KEPT = 2  # checkpoints of a run

Variable = tuple[str, list[int]]  # name and shape


@dataclass(frozen=True)
class State:
    """What a checkpoint holds.

    Each part is saved as the list of its variables, in the order of their creation, because
    TensorFlow does not look into the lists of layers that a Keras network holds and would leave out
    their weights.

    Attributes:
        step: how many updates were made, scalar int64.
        parts: networks and optimizers by name, built.
    """

    step: tf.Variable
    parts: Mapping[str, keras.Model | keras.optimizers.Optimizer]

    def checkpoint(self, **other: tf.Variable) -> tf.train.Checkpoint:
        """TensorFlow's object that saves and restores the variables."""
        lists = {name: [v.value for v in part.variables] for name, part in self.parts.items()}
        return tf.train.Checkpoint(step=self.step, **lists, **other)

    def layout(self) -> dict[str, list[Variable]]:
        """Name and shape of each part's variables."""
        return layout(self.parts)


def layout(parts: Mapping[str, Any]) -> dict[str, list[Variable]]:
    """Name and shape of the variables of networks and optimizers, by the names of these.

    The numbers by which Keras tells the layers of one process apart are left out.
    """
    return {
        name: [(re.sub(r"_\d+(?=[/_]|$)", "", v.path), [*v.shape]) for v in part.variables]
        for name, part in parts.items()
    }


class Checkpoints(Stepwise):
    """Writes all state every so many steps and after each epoch; keeps the last two.

    One process at a time may write to a folder.
    """

    def __init__(self, state: State, folder: Path, every_steps: int):
        super().__init__()
        self.state, self.folder, self.every_steps = state, folder, every_steps
        self._damaged: set[int] = set()
        for abandoned in folder.glob("*_temp"):
            shutil.rmtree(abandoned)

    def restore(self) -> bool:
        """Restores every variable from the latest whole checkpoint; False where there is none.

        Newer ones, which are damaged, are overwritten once the training comes to their steps.

        Raises:
            UserError: the checkpoint is of other networks.
            Failure: there are checkpoints, but none of them can be read.
        """
        step = restore_latest(self.state, self.folder)
        if step is None:
            return False
        self._damaged = {other for other in steps(self.folder) if other > step}
        return True

    def save(self) -> None:
        """Writes a checkpoint of the present step, unless it is there already.

        Raises:
            Failure: the file system refuses it; the checkpoints before it stay.
        """
        step = int(self.state.step)
        if step in steps(self.folder) and step not in self._damaged:
            return
        layout = {"version": sflowgan_tf.__version__, "variables": self.state.layout()}
        with tf.device("/CPU:0"):
            text = tf.Variable(tf.constant(json.dumps(layout)))
        try:
            with writing(self.folder / f"step-{step}"):
                self._remove(step)
                self.state.checkpoint(**{_LAYOUT: text}).write(str(self.folder / f"step-{step}"))
        except BaseException:
            self._remove(step)
            raise
        self._damaged.discard(step)
        self._rotate(step)

    def _rotate(self, step: int) -> None:
        """Removes all but the last two, and lists them as TensorFlow's own tools expect it."""
        whole = [s for s in steps(self.folder) if s <= step and s not in self._damaged]
        for old in (s for s in steps(self.folder) if s < step and s not in whole[:_KEPT]):
            self._remove(old)
        lines = [f'model_checkpoint_path: "step-{step}"']
        lines += [f'all_model_checkpoint_paths: "step-{s}"' for s in reversed(whole[:_KEPT])]
        file = self.folder / "checkpoint"
        with writing(file), written_whole(file) as partial:
            partial.write_text("\n".join([*lines, ""]))

    def set_aside(self, step: int) -> int | None:
        """Renames a checkpoint, if there is one, that can't be trained on.

        Returns the step of the latest one that is left, None without any.
        """
        for file in self.folder.glob(f"step-{step}.*"):
            file.rename(file.with_name(f"unusable-{file.name}"))
        return next((s for s in steps(self.folder) if s not in self._damaged), None)

    def _remove(self, step: int) -> None:
        for file in self.folder.glob(f"step-{step}[._]*"):
            if file.is_dir():
                shutil.rmtree(file)
            else:
                file.unlink()

    def on_train_batch_end(self, batch: int, logs: dict[str, tf.Tensor] | None = None) -> None:
        """Saves where it is time."""
        if self.step_of(batch) % self.every_steps == 0:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves."""
        self.save()


def restore_latest(state: State, folder: Path) -> int | None:
    """Fills variables from the newest checkpoint in a folder that can be read.

    `state` may be a part only of what was saved, but all of it must be there. Returns the step of
    the checkpoint, or None where there is none.

    Raises:
        UserError: the newest one that can be read has other variables.
        Failure: there are some, but none can be read.
    """
    numbers = steps(folder)
    reasons: list[str] = []
    with _without_wildcards(folder) as readable:
        for number in numbers:
            file = str(readable / f"step-{number}")
            try:
                _check(state, tf.train.load_checkpoint(file), folder / f"step-{number}")
                status = state.checkpoint().read(file)
                status.assert_existing_objects_matched().expect_partial()
            except (tf.errors.OpError, OSError, IndexError, ValueError) as error:
                fault = refusal(error) or "damaged, its data is cut short or changed"
                reasons.append(f"{folder / f'step-{number}'}: {fault}")
            else:
                for line in reasons:
                    print(f"{line}; the checkpoint before it is taken", file=sys.stderr)
                return number
    if numbers and steps(folder) != numbers:  # a training has replaced them meanwhile
        return restore_latest(state, folder)
    if numbers:
        raise Failure(
            f"no checkpoint can be read ({'; '.join(reasons)}); bring its files back from a copy "
            "if there is one, or begin another --run"
        )
    return None


@contextmanager
def _without_wildcards(folder: Path) -> Iterator[Path]:
    """A path to a folder without characters that TensorFlow takes for a pattern when it reads."""
    if not {*str(folder)} & {*"*?[]\\"}:
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        link = Path(place) / "checkpoints"
        link.symlink_to(folder.resolve())
        yield link


def _check(state: State, reader: Any, path: Path) -> None:
    """Compares the variables of a checkpoint at `path` with those that it shall fill.

    Raises:
        UserError: their number, or the name or shape of one of them differs.
    """
    shapes = reader.get_variable_to_shape_map()
    saved = _saved_layout(reader, shapes)
    for part, variables in state.layout().items():
        keys = (f"{part}/{i}/.ATTRIBUTES/VARIABLE_VALUE" for i in itertools.count())
        stored = [shapes[key] for key in itertools.takewhile(shapes.__contains__, keys)]
        names = (name for name, _ in saved["variables"].get(part, variables))
        named = zip(itertools.chain(names, itertools.repeat("one")), stored, strict=False)
        check_variables(part, [*named], variables, f"{path}{saved['written']}")


def check_variables(
    part: str, there: Sequence[Variable], here: Sequence[Variable], origin: str
) -> None:
    """Compares the variables in a file with those that it shall fill.

    Args:
        part: what they belong to.
        there: name and shape of those in the file.
        here: of those that are filled.
        origin: the file, for the message.

    Raises:
        UserError: their number, or the name or shape of one of them differs.
    """
    for number, (one, other) in enumerate(itertools.zip_longest(there, here), start=1):
        if one != other:
            raise UserError(
                f"{origin} does not fit this version's networks: in {part}, variable {number} is "
                f"{_described(one)} there, {_described(other)} here; use the program and the "
                "configuration that wrote it, or begin another --run"
            )


def _saved_layout(reader: Any, shapes: dict[str, list[int]]) -> dict[str, Any]:
    """`State.layout` when the checkpoint was written, and by which version; early ones lack it."""
    key = f"{_LAYOUT}/.ATTRIBUTES/VARIABLE_VALUE"
    if key not in shapes:
        return {"written": "", "variables": {}}
    layout = json.loads(reader.get_tensor(key))
    return layout | {"written": f", written by version {layout['version']},"}


def _described(variable: Variable | None) -> str:
    return f"{variable[0]} of shape {tuple(variable[1])}" if variable else "missing"
