"""The signatures of an artefact, around a translator: checks, decoding, painting, encoding."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sflowgan_tf.deployment import request_checks
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.translation.signatures import SIGNATURES
from sflowgan_tf.translation.translator import Translator

Tensors = dict[str, tf.Tensor]


def endpoints(translator: Translator, card: str) -> tuple[tf.Module, dict[str, Any]]:
    """The functions that a SavedModel holds.

    Args:
        translator: of a model that takes labels and images.
        card: what the signature `card` answers.

    Returns:
        The owner of the variables, and a concrete function for each of `SIGNATURES`.
    """
    networks = [translator.generator, *([translator.dned] if translator.redraws else [])]
    owner = tf.Module()
    owner.state = [variable.value for network in networks for variable in network.variables]  # type: ignore[attr-defined]
    painting = _Painting(translator)
    functions: dict[str, Callable[..., Tensors]] = {
        "serving_default": painting.serving_default,
        "weighted": painting.weighted,
        "encoded": painting.encoded,
        "encoded_weighted": painting.encoded_weighted,
        "edges": painting.edges,
        "card": lambda ask: {"card": tf.fill(tf.shape(ask), card)},
    }
    return owner, {name: _traced(name, function) for name, function in functions.items()}


def _traced(name: str, function: Callable[..., Tensors]) -> Any:
    expected = SIGNATURES[name]

    def shaped(**inputs: tf.Tensor) -> Tensors:
        outputs = function(**inputs)
        return {key: tf.ensure_shape(outputs[key], spec.shape) for key, spec in outputs_of}

    outputs_of = expected.outputs.items()
    named = {
        key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in expected.inputs.items()
    }
    return tf.function(shaped).get_concrete_function(**named)


class _Painting:
    """The functions that paint; names, dtypes and shapes are those of `SIGNATURES`."""

    def __init__(self, translator: Translator):
        self.translator = translator

    def serving_default(self, labels: tf.Tensor, image: tf.Tensor) -> Tensors:
        labels, image = request_checks.same_size(labels, image, "image")
        return {"image": self._painted(labels, image, _equal_weights(labels))}

    def weighted(self, labels: tf.Tensor, image: tf.Tensor, ensemble_weights: tf.Tensor) -> Tensors:
        labels, image = request_checks.same_size(labels, image, "image")
        weights = request_checks.ensemble_weights(ensemble_weights, labels)
        return {"image": self._painted(labels, image, weights)}

    def encoded(self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor) -> Tensors:
        labels, image = (
            request_checks.label_files(labels_bytes),
            request_checks.image_files(image_bytes),
        )
        return _png(self.serving_default(labels, image))

    def encoded_weighted(
        self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor, ensemble_weights: tf.Tensor
    ) -> Tensors:
        labels, image = (
            request_checks.label_files(labels_bytes),
            request_checks.image_files(image_bytes),
        )
        return _png(self.weighted(labels, image, ensemble_weights))

    def edges(self, labels: tf.Tensor, edges: tf.Tensor) -> Tensors:
        labels, edges = request_checks.same_size(labels, edges, "edges")
        labels = request_checks.label_map(labels, self.translator.num_classes)
        return {"image": self.translator.paint(labels, request_checks.edges(edges))}

    def _painted(self, labels: tf.Tensor, image: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        labels = request_checks.label_map(labels, self.translator.num_classes)
        edges = self.translator.laplacian(image)
        if self.translator.redraws:
            edges = self.translator.redraw(edges, weights)
        return self.translator.paint(labels, edges)


def _equal_weights(labels: tf.Tensor) -> tf.Tensor:
    return tf.fill([tf.shape(labels)[0], SIDE_OUTPUTS], 1 / SIDE_OUTPUTS)


def _png(outputs: Tensors) -> Tensors:
    spec = tf.TensorSpec([], tf.string)
    return {"image_bytes": tf.map_fn(tf.io.encode_png, outputs["image"], fn_output_signature=spec)}
