"""The segmenters that judge pictures: a run of `segment`, a SavedModel, a preset of KerasHub."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf
from omegaconf import ListConfig, OmegaConf

from sflowgan_tf.evaluation.metrics.features import Describes, weights_of
from sflowgan_tf.evaluation.metrics.saved_networks import loaded
from sflowgan_tf.evaluation.segmenting import assembly as segmenting
from sflowgan_tf.ops.classes import TABLES, VOID, ClassTable
from sflowgan_tf.ops.images import to_signed
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError, prefixed
from sflowgan_tf.utils.yaml_files import read_yaml

_HUB = "hub:"
_FRAMES = (None, None, None, 3)


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Classes of the outputs of a segmenter that was not trained here.

    Attributes:
        name: of the class table, or name and hash of the file, that lists them; "" for the records'
            own classes in their order.
        indices: (outputs,) uint8, for each output the class index of the records' table, or VOID.
        num_classes: C of that table.
    """

    name: str
    indices: np.ndarray
    num_classes: int

    @classmethod
    def find(cls, classes: str | None, table: ClassTable) -> Outputs:
        """The classes that a user names.

        Args:
            classes: a class table, whose classes the outputs follow by name; or a YAML file with
                one list, for each output the name of a class of the records, several outputs of one
                class too, or null for none of them; None for the records' own.
            table: the classes of the records.

        Raises:
            UserError: there is neither such a table nor such a file, or a class has no output.
        """
        if classes is None:
            indices = np.arange(table.num_classes, dtype=np.uint8)
            return cls(name="", indices=indices, num_classes=table.num_classes)
        if classes in TABLES:
            name, names = classes, [*TABLES[classes].names]
        else:
            names = _listed(classes, table)
            name = weights_of(classes)
        missing = [each for each in table.names if each not in names]
        if missing:
            raise UserError(
                f"--segmenter-classes {classes}: no output is of class {', '.join(missing)}, which "
                f"the records have (table {table.name}); name a YAML file that says for each "
                "output which class it is, or prepare records of the segmenter's classes "
                "(records.classes=cityscapes)"
            )
        indices = [table.names.index(each) if each in table.names else VOID for each in names]
        found = np.array(indices, np.uint8)
        return cls(name=name, indices=found, num_classes=table.num_classes)

    def read(self, outputs: np.ndarray, size: tuple[int, int], where: str) -> np.ndarray:
        """Class indices, (batch, *size) uint8, of the outputs of the segmenter `where`.

        VOID where an output is none of the records' classes. Outputs are (batch, h, w, outputs)
        logits or probabilities, which are resized bilinearly before the highest is chosen, or
        (batch, h, w) numbers of outputs.

        Raises:
            UserError: there are more or fewer outputs than are known.
        """
        if outputs.ndim == 4 and outputs.shape[-1] == len(self.indices):
            outputs = np.asarray(tf.image.resize(outputs, size)).argmax(axis=-1)
        return self.indices[self._numbers(outputs, size, where)]

    def probabilities(self, outputs: np.ndarray, size: tuple[int, int], where: str) -> np.ndarray:
        """`Judge.probabilities` of the outputs that `read` takes."""
        count = len(self.indices)
        if outputs.ndim == 4 and outputs.shape[-1] == count:
            resized = np.asarray(tf.image.resize(outputs, size))
            shares = resized if _sums_to_1(outputs) else np.asarray(tf.nn.softmax(resized))
        else:
            shares = np.eye(count, dtype=np.float32)[self._numbers(outputs, size, where)]
        void = self.num_classes
        places = np.where(self.indices == VOID, void, self.indices)
        return shares @ np.eye(void + 1, dtype=np.float32)[places]

    def _numbers(self, outputs: np.ndarray, size: tuple[int, int], where: str) -> np.ndarray:
        """Numbers of outputs at that size; UserError where they are none."""
        count = len(self.indices)
        if outputs.ndim != 3 or outputs.min() < 0 or outputs.max() >= count:
            raise UserError(
                f"--segmenter {where}: expected {count} logits a pixel, or indices below that, as "
                f"{self.name or 'the class table of the records'} has {count} classes; got an "
                f"array of shape {outputs.shape} with values from {outputs.min():g} to "
                f"{outputs.max():g}. --segmenter-classes says what its outputs are"
            )
        nearest = tf.image.resize(outputs[..., None], size, "nearest")
        return np.asarray(nearest)[..., 0].astype(np.int64)


def _sums_to_1(outputs: np.ndarray) -> bool:
    """Whether these are probabilities already."""
    return bool(outputs.min() >= 0 and np.allclose(outputs.sum(-1), 1, atol=1e-3))


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A segmenter, ready to use.

    Attributes:
        name: of the segmenter, for the report.
        where: what the user called it, for messages.
        raw: (batch, height, width, 3) uint8 RGB -> what `Outputs.read` takes.
        outputs: which class of the records each output is.
        network: that shows its features; None where they can't be had.
        weights: name and hash of its weights, and how its outputs are read.
        size: (width, height) of the frames that it was trained on; None where it takes any.
    """

    name: str
    where: str
    raw: Callable[[np.ndarray], np.ndarray]
    outputs: Outputs
    network: Describes | None
    weights: str
    size: tuple[int, int] | None = None

    def segment(self, frames: np.ndarray) -> np.ndarray:
        """The likeliest classes of frames.

        Args:
            frames: (batch, height, width, 3) uint8 RGB.

        Returns:
            (batch, height, width) uint8 class indices of the records' table, or VOID for none of
            its classes.
        """
        return self.outputs.read(self.raw(frames), frames.shape[1:3], self.where)

    def probabilities(self, frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """How likely each class is.

        Args:
            frames: (batch, height, width, 3) uint8 RGB.
            size: (height, width) of the result.

        Returns:
            (batch, *size, C + 1) float32 with sums of 1, of the classes of the records' table and,
            last, of none of them; 0 and 1 where the segmenter gives numbers of classes alone.
        """
        return self.outputs.probabilities(self.raw(frames), size, self.where)


def _listed(file: str, table: ClassTable) -> list[str | None]:
    if not Path(file).is_file():
        raise UserError(
            f"--segmenter-classes {file}: is neither a class table ({', '.join(TABLES)}) nor a file"
        )
    with prefixed("--segmenter-classes "):
        listed = read_yaml(Path(file))
    names = OmegaConf.to_container(listed) if isinstance(listed, ListConfig) else None
    wrong = [each for each in names or [] if each is not None and each not in table.names]
    if not isinstance(names, list) or wrong:
        raise UserError(
            f"--segmenter-classes {file}: expected a YAML list with a class for each output, one "
            f"of {', '.join(table.names)}, or null; got {wrong[0] if wrong else type(listed)!r}"
        )
    return names


def find(segmenter: str, table: ClassTable, classes: str | None = None) -> Judge:
    """The segmenter that a user names.

    Args:
        segmenter: a run of `segment` (name or path); a folder with a SavedModel, which takes frames
            (batch, height, width, 3), uint8 or float32 in [-1, 1], and gives logits or indices; or
            "hub:" and the name or path of an image segmenter of KerasHub, to whose size whole
            frames are resized, whatever their shape.
        table: the classes of the records.
        classes: of its outputs, as `Outputs.find` takes them.

    Raises:
        UserError: there is none of that name, or its classes are others.
    """
    if is_run(segmenter):
        if classes is not None:
            raise UserError(
                "--segmenter-classes: a run of `segment` knows its classes; leave it out"
            )
        return _of_run(Run.existing(segmenter), table)
    outputs = Outputs.find(classes, table)
    path = segmenter.removeprefix(_HUB)
    is_hub = segmenter.startswith(_HUB)
    judge = _of_hub(path, outputs) if is_hub else _saved_model(path, outputs)
    if not outputs.name:
        return judge
    return replace(judge, weights=f"{judge.weights}, outputs of {outputs.name}")


def is_run(segmenter: str) -> bool:
    """Whether what `find` takes is the name of a run, there or not."""
    is_saved = (Path(segmenter) / "saved_model.pb").is_file()
    return not segmenter.startswith(_HUB) and not is_saved


def _of_run(run: Run, table: ClassTable) -> Judge:
    segmenter, manifest, step = segmenting.restored(run)
    if manifest.classes.names != table.names:
        raise UserError(
            f"--segmenter {run.folder}: was trained on the classes of {manifest.classes.name} "
            f"({', '.join(manifest.classes.names)}); the records have those of {table.name} "
            f"({', '.join(table.names)})"
        )
    return Judge(
        name=f"run {run.folder.name}, step {step}",
        where=str(run.folder),
        raw=lambda frames: segmenter.logits(tf.constant(frames)).numpy(),
        outputs=Outputs.find(None, table),
        size=manifest.size,
        network=segmenter.network,  # type: ignore[arg-type]
        weights=f"{weights_of(run.checkpoints / f'step-{step}.index')}, step {step}",
    )


def _saved_model(path: str, outputs: Outputs) -> Judge:
    with prefixed("--segmenter "):
        signatures = loaded(Path(path)).signatures
    if "serving_default" not in signatures:
        raise UserError(
            f"--segmenter {path}: has no signature serving_default; "
            f"its signatures: {', '.join(signatures) or 'none'}"
        )
    call = signatures["serving_default"]
    inputs, results = call.structured_input_signature[1], call.structured_outputs
    if len(inputs) != 1 or len(results) != 1:
        raise UserError(
            f"--segmenter {path}: expected a model with one input, frames, and one output; its "
            f"serving_default takes {', '.join(sorted(inputs))} and gives "
            f"{', '.join(sorted(results))}"
        )
    ((name, spec),) = inputs.items()
    if spec.dtype not in (tf.uint8, tf.float32) or not spec.shape.is_compatible_with(_FRAMES):
        raise UserError(
            f"--segmenter {path}: expected frames of shape (None, None, None, 3), uint8 or "
            f"float32; its serving_default takes {spec.dtype.name} of shape {spec.shape}"
        )

    def raw(frames: np.ndarray) -> np.ndarray:
        images = frames if spec.dtype == tf.uint8 else to_signed(frames)
        (predicted,) = call(**{name: tf.cast(images, spec.dtype)}).values()
        return predicted.numpy()

    weights = weights_of(path)
    return Judge(
        name=f"SavedModel {weights}",
        where=path,
        raw=raw,
        outputs=outputs,
        network=None,
        weights=weights,
    )


def _of_hub(preset: str, outputs: Outputs) -> Judge:
    try:
        hub = importlib.import_module("keras_hub")
    except ImportError:
        raise UserError(
            f"--segmenter {_HUB}{preset}: needs KerasHub; install it with: pip install keras-hub"
        ) from None
    try:
        model = hub.models.ImageSegmenter.from_preset(preset)
    except Exception as error:  # what a download and a wrong name raise is not documented
        raise UserError(
            f"--segmenter {_HUB}{preset}: could not be loaded; expected the name of a preset that "
            "can be downloaded from here, or a folder that save_to_preset wrote, of an image "
            "segmenter"
        ) from error

    # resized before KerasHub does it, which would cut off what is wider than its own shape
    converter = getattr(model.preprocessor, "image_converter", None)
    size = converter.image_size if converter is not None else None

    def raw(frames: np.ndarray) -> np.ndarray:
        images = frames if size is None else np.asarray(tf.image.resize(frames, size))
        return np.asarray(model.predict(images.astype(np.float32), verbose=0))

    return Judge(
        name=f"KerasHub {Path(preset).name}",
        where=preset,
        raw=raw,
        outputs=outputs,
        network=None,
        weights=weights_of(preset),
    )
