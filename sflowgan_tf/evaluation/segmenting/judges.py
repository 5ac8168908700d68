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
class Judge:
    """A segmenter, ready to use.

    Attributes:
        name: of the segmenter, for the report.
        segment: (batch, height, width, 3) uint8 RGB -> (batch, height, width) uint8 class indices
            of the records' table, or VOID for none of its classes.
        network: that shows its features; None where they can't be had.
        weights: name and hash of its weights, and how its outputs are read.
    """

    name: str
    segment: Callable[[np.ndarray], np.ndarray]
    network: Describes | None
    weights: str


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Classes of the outputs of a segmenter that was not trained here.

    Attributes:
        name: of the class table, or name and hash of the file, that lists them; "" for the records'
            own classes in their order.
        indices: (outputs,) uint8, for each output the class index of the records' table, or VOID.
    """

    name: str
    indices: np.ndarray

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
            return cls(name="", indices=np.arange(table.num_classes, dtype=np.uint8))
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
        return cls(name=name, indices=np.array(indices, np.uint8))

    def read(self, outputs: np.ndarray, size: tuple[int, int], where: str) -> np.ndarray:
        """Class indices, (batch, *size) uint8, of the outputs of the segmenter `where`.

        VOID where an output is none of the records' classes. Outputs are (batch, h, w, outputs)
        logits or probabilities, which are resized bilinearly before the highest is chosen, or
        (batch, h, w) numbers of outputs.

        Raises:
            UserError: there are more or fewer outputs than are known.
        """
        count = len(self.indices)
        if outputs.ndim == 4 and outputs.shape[-1] == count:
            outputs = np.asarray(tf.image.resize(outputs, size)).argmax(axis=-1)
        if outputs.ndim != 3 or outputs.min() < 0 or outputs.max() >= count:
            raise UserError(
                f"--segmenter {where}: expected {count} logits a pixel, or indices below that, as "
                f"{self.name or 'the class table of the records'} has {count} classes; got an "
                f"array of shape {outputs.shape} with values from {outputs.min():g} to "
                f"{outputs.max():g}. --segmenter-classes says what its outputs are"
            )
        nearest = tf.image.resize(outputs[..., None], size, "nearest")
        return self.indices[np.asarray(nearest)[..., 0].astype(np.int64)]


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
    is_hub, is_saved = segmenter.startswith(_HUB), (Path(segmenter) / "saved_model.pb").is_file()
    if not is_hub and not is_saved:
        if classes is not None:
            raise UserError(
                "--segmenter-classes: a run of `segment` knows its classes; leave it out"
            )
        return _of_run(Run.existing(segmenter), table)
    outputs = Outputs.find(classes, table)
    path = segmenter.removeprefix(_HUB)
    judge = _of_hub(path, outputs) if is_hub else _saved_model(path, outputs)
    if not outputs.name:
        return judge
    return replace(judge, weights=f"{judge.weights}, outputs of {outputs.name}")


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
        segment=lambda frames: segmenter.segment(tf.constant(frames)).numpy(),
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

    def segment(frames: np.ndarray) -> np.ndarray:
        images = frames if spec.dtype == tf.uint8 else to_signed(frames)
        (predicted,) = call(**{name: tf.cast(images, spec.dtype)}).values()
        return outputs.read(predicted.numpy(), frames.shape[1:3], path)

    weights = weights_of(path)
    return Judge(name=f"SavedModel {weights}", segment=segment, network=None, weights=weights)


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

    def segment(frames: np.ndarray) -> np.ndarray:
        images = frames if size is None else np.asarray(tf.image.resize(frames, size))
        logits = np.asarray(model.predict(images.astype(np.float32), verbose=0))
        return outputs.read(logits, frames.shape[1:3], preset)

    name, weights = f"KerasHub {Path(preset).name}", weights_of(preset)
    return Judge(name=name, segment=segment, network=None, weights=weights)
