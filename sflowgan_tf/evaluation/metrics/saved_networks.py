"""SavedModels from elsewhere that turn pictures or clips into vectors."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from sflowgan_tf.utils.errors import UserError

_OUTPUT = "pool_3"  # what TF-GAN's Inception calls its features, beside the logits
_TRIED = 10  # frames of the clip that a model is tried with; I3D needs 9


def vectors_of(path: Path, shape: tuple[int | None, ...]) -> Callable[[Any], tf.Tensor]:
    """A SavedModel as a function from pictures to vectors.

    What is called is the object itself where it can be called, or else its signature
    `serving_default`, `default` (TF1 Hub modules), or the only one there is.

    Args:
        path: folder that holds saved_model.pb; a TF1 Hub module is fine too.
        shape: of the input; where it is None, the model must take any length.

    Returns:
        Function from float32 of that shape to (batch, dimension) float32. Of several outputs it is
        the one called pool_3; (batch, 1, 1, dimension) is flattened.

    Raises:
        UserError: there is no SavedModel, or its input or output is not as above.
    """
    call, traces = _entry(path, loaded(path))
    if not any(_fits(inputs, shape) for inputs in traces):
        texts = ", or ".join(" and ".join(map(_text, inputs)) or "no tensor" for inputs in traces)
        raise UserError(
            f"{path}: expected a model whose one input is {_text(tf.TensorSpec(shape))} where None "
            f"is any length; found {texts or 'none'}"
        )

    def vectors(inputs: Any) -> tf.Tensor:
        features = _chosen(path, call(inputs))
        return tf.reshape(features, (tf.shape(features)[0], -1))

    _check_output(path, _chosen(path, _tried(path, call, (1, *shape[1:]))))
    return vectors


def loaded(path: Path) -> Any:
    """A SavedModel or TF1 Hub module in a folder, as `tf.saved_model.load` gives it.

    Raises:
        UserError: there is none, or it can't be loaded.
    """
    if not (path / "saved_model.pb").is_file():
        raise UserError(
            f"{path}: no saved_model.pb in it; expected the folder of a SavedModel (unpack an "
            "archive first)"
        )
    # The graph for inference of a TF1 Hub module is the one without tags, as tensorflow_hub says.
    tags = [] if (path / "tfhub_module.pb").is_file() else None
    try:
        return tf.saved_model.load(str(path), tags=tags)
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{path}: can't be loaded as a SavedModel; {_cause(error)}") from error


def _cause(error: Exception) -> str:
    """Why a SavedModel can't be loaded, in words."""
    operation = re.search(r"Op type not registered '(\w+)'", str(error))
    if operation:
        return f"it needs the operation {operation[1]}, which TensorFlow {tf.__version__} lacks"
    if "variables" in str(error):
        return "the files in its folder variables are missing or damaged; copy it anew"
    return "its saved_model.pb is damaged, or is of something else; copy it anew"


def _entry(path: Path, loaded: Any) -> tuple[Callable[[Any], Any], list[list[tf.TensorSpec]]]:
    """What to call, and the tensors that it takes in each of its traces."""
    if callable(loaded):
        traces = loaded.__call__.concrete_functions  # type: ignore[attr-defined]
        return loaded, [_tensors(trace.structured_input_signature) for trace in traces]
    names = [*loaded.signatures]
    known = [n for n in ("serving_default", "default") if n in names] or names
    if len(known) == 0 or (len(names) > 1 and known is names):
        raise UserError(
            f"{path}: expected a signature serving_default, or a single one, "
            f"found {', '.join(names) or 'none'}"
        )
    signature = loaded.signatures[known[0]]
    inputs = signature.structured_input_signature[1]
    return lambda x: signature(**dict.fromkeys(inputs, x)), [[*inputs.values()]]


def _tensors(signature: Any) -> list[tf.TensorSpec]:
    return [leaf for leaf in tf.nest.flatten(signature) if isinstance(leaf, tf.TensorSpec)]


def _fits(inputs: list[tf.TensorSpec], shape: tuple[int | None, ...]) -> bool:
    return len(inputs) == 1 and inputs[0].dtype == tf.float32 and _takes(inputs[0].shape, shape)


def _takes(got: tf.TensorShape, shape: tuple[int | None, ...]) -> bool:
    if got.rank is None:
        return True
    return got.rank == len(shape) and all(
        length in (None, wanted) for length, wanted in zip(got.as_list(), shape, strict=True)
    )


def _text(tensor: Any) -> str:
    rank, dtype = tensor.shape.rank, tensor.dtype.name
    return f"{dtype} of shape {'unknown' if rank is None else tuple(tensor.shape.as_list())}"


def _chosen(path: Path, outputs: Any) -> tf.Tensor:
    if not isinstance(outputs, dict):
        return outputs
    if _OUTPUT in outputs:
        return outputs[_OUTPUT]
    if len(outputs) != 1:
        names = ", ".join(sorted(outputs))
        raise UserError(f"{path}: expected one output, or one called {_OUTPUT}, found {names}")
    return next(iter(outputs.values()))


def _tried(path: Path, call: Callable[[Any], Any], shape: tuple[int | None, ...]) -> Any:
    inputs = tf.zeros([length or _TRIED for length in shape])
    try:
        return call(inputs)
    except Exception as error:  # whatever the graph does
        raise UserError(
            f"{path}: can't take {_text(inputs)}, though its signature says so: one of its "
            "operations fails on black pictures of that shape; export it for pictures of this size"
        ) from error


def _check_output(path: Path, features: tf.Tensor) -> None:
    shape = features.shape
    if features.dtype != tf.float32 or shape.rank < 2 or shape.num_elements() != shape[-1]:
        raise UserError(
            f"{path}: expected one float32 vector a picture, got {_text(features)} for a batch of "
            "1; export the model with its pooling"
        )
