"""The signatures of an exported model: names, dtypes and shapes of its inputs and outputs.

TensorFlow Serving calls a model by them. Inputs are checked inside the graph
(`deployment.request_checks`): a wrong one is an InvalidArgument error with a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from sflowgan_tf.ops.settings import SIDE_OUTPUTS


@dataclass(frozen=True)
class Signature:
    """The tensors of one signature, by name; the first axis of each is the batch."""

    inputs: dict[str, tf.TensorSpec]
    outputs: dict[str, tf.TensorSpec]


_LABELS = {"labels": tf.TensorSpec([None, None, None], tf.uint8)}  # class indices, or 255: void
_IMAGE = {"image": tf.TensorSpec([None, None, None, 3], tf.uint8)}  # RGB
_WEIGHTS = {
    "ensemble_weights": tf.TensorSpec([None, SIDE_OUTPUTS], tf.float32)
}  # only ratios count
_RECOLORING = {  # of each class, the last row being void: color -> scale * color + shift
    "color_scale": tf.TensorSpec([None, None, 3], tf.float32),
    "color_shift": tf.TensorSpec([None, None, 3], tf.float32),  # grey levels
}
_COLORS = {"colors": tf.TensorSpec([None, None, None, 3], tf.float32)}  # 0..255
_EDGES = {"edges": tf.TensorSpec([None, None, None, 1], tf.float32)}  # in [0, 1]
_BYTES = tf.TensorSpec([None], tf.string)
_FILES = {"labels_bytes": _BYTES, "image_bytes": _BYTES}  # PNG of indices or colours; PNG, JPEG
_PNG = {"image_bytes": _BYTES}

SIGNATURES = {
    "serving_default": Signature(_LABELS | _IMAGE, _IMAGE),
    "weighted": Signature(_LABELS | _IMAGE | _WEIGHTS, _IMAGE),
    "encoded": Signature(_FILES, _PNG),
    "encoded_weighted": Signature(_FILES | _WEIGHTS, _PNG),
    "edges": Signature(_LABELS | _EDGES, _IMAGE),  # painted as they are, the DNED left out
    # The model card as JSON. The input is not read: TF Serving needs one.
    "card": Signature({"ask": _BYTES}, {"card": _BYTES}),
}

# Of a model that sees colours. Where nothing is said of them, they are the frame's own, brought to
# the range of real ones.
COLORED_SIGNATURES = SIGNATURES | {
    "edges": Signature(_LABELS | _EDGES | _COLORS, _IMAGE),
    "appearance": Signature(_LABELS | _IMAGE | _WEIGHTS | _RECOLORING, _IMAGE),
    "encoded_appearance": Signature(_FILES | _WEIGHTS | _RECOLORING, _PNG),
}


def misfits(definitions: Mapping[str, Any]) -> list[str]:
    """In what the signatures of a SavedModel differ from those of an exported model.

    Args:
        definitions: SignatureDef messages by name; further ones are of no interest. With one of the
            name "appearance", they must be those of a model that sees colours.

    Returns:
        Clauses such as "serving_default takes no image"; empty where everything fits.
    """
    wrong = []
    expected = COLORED_SIGNATURES if "appearance" in definitions else SIGNATURES
    for name, signature in expected.items():
        if name not in definitions:
            wrong.append(f"there is no signature {name}")
            continue
        wrong += _differences(f"{name} takes", signature.inputs, definitions[name].inputs)
        wrong += _differences(f"{name} gives", signature.outputs, definitions[name].outputs)
    return wrong


def _differences(
    clause: str, expected: Mapping[str, tf.TensorSpec], infos: Mapping[str, Any]
) -> list[str]:
    texts = {name: text(spec) for name, spec in expected.items()}
    others = {name: _text_of_info(info) for name, info in infos.items()}
    wrong = [f"{clause} no {name} ({texts[name]})" for name in texts if name not in others]
    wrong += [f"{clause} {name} ({others[name]}) too" for name in others if name not in texts]
    wrong += [
        f"{clause} {name} as {others[name]} instead of {texts[name]}"
        for name in texts
        if name in others and others[name] != texts[name]
    ]
    return wrong


def _text_of_info(info: Any) -> str:
    try:
        return text(tf.TensorSpec(tf.TensorShape(info.tensor_shape), info.dtype))
    except (TypeError, ValueError):  # a dtype or size that TensorFlow does not have
        return "something that is no tensor"


def text(spec: tf.TensorSpec) -> str:
    """Dtype and shape in words, such as "uint8 (None, None, None, 3)"."""
    rank = spec.shape.rank
    shape = "unknown shape" if rank is None else str(tuple(spec.shape.as_list())).replace(",)", ")")
    return f"{spec.dtype.name} {shape}"
