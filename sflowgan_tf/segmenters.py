"""The segmenters that judge pictures: a run of `segment`, a SavedModel, a preset of KerasHub."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from sflowgan_tf import build
from sflowgan_tf.errors import UserError
from sflowgan_tf.metrics.features import Describes, weights_of
from sflowgan_tf.ops.images import to_signed
from sflowgan_tf.ops.labels import ClassTable
from sflowgan_tf.runs import Run

_HUB = "hub:"
_FRAMES = (None, None, None, 3)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A segmenter, ready to use.

    Attributes:
        name: for the report; it says which weights.
        segment: (batch, height, width, 3) uint8 RGB -> (batch, height, width) class indices of the
            records' table.
        network: that shows its features; None where they can't be had.
        weights: what they are called.
    """

    name: str
    segment: Callable[[np.ndarray], np.ndarray]
    network: Describes | None
    weights: str


def find(given: str, table: ClassTable) -> Judge:
    """The segmenter that a user names.

    Args:
        given: a run of `segment` (name or path); a folder with a SavedModel, which takes frames
            (batch, height, width, 3), uint8 or float32 in [-1, 1], and gives logits or indices; or
            "hub:" and the name of an image segmenter of KerasHub.
        table: the classes of the records, which it must tell apart in this order.

    Raises:
        UserError: there is none of that name, or its classes are others.
    """
    if given.startswith(_HUB):
        return _of_hub(given.removeprefix(_HUB), table)
    if (Path(given) / "saved_model.pb").is_file():
        return _saved_model(Path(given), table)
    return _of_run(Run.existing(given), table)


def _of_run(run: Run, table: ClassTable) -> Judge:
    segmenter, manifest, step = build.restored_segmenter(run)
    if manifest.classes.names != table.names:
        raise UserError(
            f"--segmenter {run.folder}: was trained on the classes of {manifest.classes.name} "
            f"({', '.join(manifest.classes.names)}); the records have those of {table.name} "
            f"({', '.join(table.names)})"
        )
    weights = f"{weights_of(run.checkpoints / f'step-{step}.index')}, step {step}"
    return Judge(
        name=f"run {run.folder.name}, step {step}",
        segment=lambda frames: segmenter.segment(tf.constant(frames)).numpy(),
        network=segmenter.network,  # type: ignore[arg-type]
        weights=weights,
    )


def _saved_model(path: Path, table: ClassTable) -> Judge:
    try:
        loaded: Any = tf.saved_model.load(str(path))
        call = loaded.signatures["serving_default"]
    except Exception as error:  # a damaged file can raise anything
        raise UserError(
            f"--segmenter {path}: no SavedModel with a signature serving_default ({error!r:.200})"
        ) from None
    inputs, outputs = call.structured_input_signature[1], call.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise UserError(
            f"--segmenter {path}: expected a model with one input, frames, and one output; its "
            f"serving_default takes {', '.join(sorted(inputs))} and gives "
            f"{', '.join(sorted(outputs))}"
        )
    ((name, spec),) = inputs.items()
    if spec.dtype not in (tf.uint8, tf.float32) or not spec.shape.is_compatible_with(_FRAMES):
        raise UserError(
            f"--segmenter {path}: expected frames of shape (None, None, None, 3), uint8 or "
            f"float32; its serving_default takes {spec.dtype.name} of shape {spec.shape}"
        )

    def segment(frames: np.ndarray) -> np.ndarray:
        given = frames if spec.dtype == tf.uint8 else to_signed(frames)
        (found,) = call(**{name: tf.cast(given, spec.dtype)}).values()
        return _indices(found.numpy(), frames.shape[1:3], table, str(path))

    weights = weights_of(path)
    return Judge(name=f"SavedModel {weights}", segment=segment, network=None, weights=weights)


def _of_hub(preset: str, table: ClassTable) -> Judge:
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
            f"--segmenter {_HUB}{preset}: could not be loaded ({error!r:.200})"
        ) from None

    def segment(frames: np.ndarray) -> np.ndarray:
        logits = np.asarray(model.predict(frames.astype(np.float32), verbose=0))
        return _indices(logits, frames.shape[1:3], table, preset)

    return Judge(name=f"KerasHub {preset}", segment=segment, network=None, weights=preset)


def _indices(found: np.ndarray, size: tuple[int, ...], table: ClassTable, where: str) -> np.ndarray:
    """Class indices at the frames' size, of logits or indices at any."""
    if found.ndim == 4 and found.shape[-1] == table.num_classes:
        found = found.argmax(axis=-1)
    if found.ndim != 3 or found.max() >= table.num_classes:
        raise UserError(
            f"--segmenter {where}: expected {table.num_classes} logits a pixel, or indices below "
            f"that, as table {table.name} has {table.num_classes} classes; got an array of shape "
            f"{found.shape} with values up to {found.max():g}"
        )
    height, width = size
    resized = [
        cv2.resize(one.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        for one in found
    ]
    return np.stack(resized)
