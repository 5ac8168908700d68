"""A run as a SavedModel for TensorFlow Serving, compared with the run before it appears."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf

from sflowgan_tf.data import pipeline
from sflowgan_tf.deployment import warmup
from sflowgan_tf.deployment.endpoints import endpoints
from sflowgan_tf.deployment.exported import Exported
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.palette import Recoloring
from sflowgan_tf.translation import artefact
from sflowgan_tf.translation.card import NAME, Card
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import publish, unfinished_folder

_MOST = 1 / 255  # mean difference to the run's pictures, of the range

Differences = dict[str, dict[Literal["mean", "largest"], float]]


def write(exported: Exported, output: Path, card: Card) -> tuple[Path, Differences]:
    """Writes a SavedModel with warm-up requests and model card, once it paints as the run does.

    Args:
        exported: the run.
        output: the model's versions lie there, in the folder of the model's name.
        card: the model card.

    Returns:
        The folder of the new version, and the differences of its pictures to the run's.

    Raises:
        Failure: the differences are too large, or the disk refuses; nothing is left then.
    """
    text = json.dumps(card.to_dict())
    owner, functions = endpoints(exported.translator, card.classes, text)
    requests = _requests(exported, exported.frames[0])
    place = output / card.name
    with ExitStack() as unfinished:
        with writing(place):
            folder = unfinished.enter_context(unfinished_folder(output, card.name))
            tf.saved_model.save(owner, str(folder), functions)
            inputs = {name: inputs for name, (inputs, *_) in requests.items()}
            warmup.write(folder, card.name, inputs)
        differences = compare(exported, artefact.load(folder))
        worst = max(differences, key=lambda name: differences[name]["mean"])
        if differences[worst]["mean"] > _MOST:
            raise Failure(
                f"signature {worst} differs from run {exported.run.folder} by "
                f"{255 * differences[worst]['mean']:.3f} of 255 on average; expected 1 at most. "
                "Nothing was written"
            )
        text = json.dumps(card.to_dict() | {"difference_to_run": differences}, indent=1)
        with writing(place):
            (folder / NAME).write_text(text + "\n")
            return publish(folder, place), differences


def compare(exported: Exported, model: artefact.Artefact) -> Differences:
    """Differences between an exported model's pictures and its run's.

    Args:
        exported: the run; all of its frames are painted.
        model: the exported model.

    Returns:
        For each signature the mean and the largest absolute difference, in [0, 1] of the range.
    """
    absolute: dict[str, list[np.ndarray]] = {}
    for frame in exported.frames:
        labels, image = frame["labels"].numpy(), frame["image_cg"].numpy()
        for name, (inputs, weights, recoloring) in _requests(exported, frame).items():
            expected = exported.translator.translate(labels, image, weights, recoloring)
            (painted,) = (output[0] for output in model.predict(name, inputs).values())
            painted = artefact.picture(painted) if isinstance(painted, bytes) else painted
            absolute.setdefault(name, []).append(
                np.abs(painted - expected.astype(np.float64)) / 255
            )
    return {
        name: {"mean": float(np.mean(values)), "largest": float(np.max(values))}
        for name, values in absolute.items()
    }


def _requests(
    exported: Exported, frame: pipeline.Frames
) -> dict[str, tuple[artefact.Arrays, np.ndarray | None, Recoloring | None]]:
    """For each signature that paints: its inputs, and the weights and recolouring they imply."""
    labels, image = frame["labels"].numpy()[None], frame["image_cg"].numpy()[None]
    equal, drawn = ensemble_weights(2, seed=0) if exported.translator.redraws else (None, None)
    scene = {"labels": labels, "image": image}
    files = {"labels_bytes": artefact.png(labels[0]), "image_bytes": artefact.png(image[0])}
    weights = {"ensemble_weights": ensemble_weights(2, seed=0)[1:]}
    edges = {"labels": labels, "edges": np.asarray(laplacian_edges(image, exported.manifest.edges))}
    requests = {
        "serving_default": (scene, equal, None),
        "weighted": (scene | weights, drawn, None),
        "encoded": (files, equal, None),
        "encoded_weighted": (files | weights, drawn, None),
        "edges": (edges, None, None),
    }
    appearance = exported.translator.appearance
    if appearance is None:
        return requests
    other = appearance.palette.drawn(seed=0)
    colors = {"color_scale": other.scale[None], "color_shift": other.shift[None]}
    return requests | {
        "edges": (edges | {"colors": appearance.colors(labels, image, None)}, None, None),
        "appearance": (scene | weights | colors, drawn, other),
        "encoded_appearance": (files | weights | colors, drawn, other),
    }
