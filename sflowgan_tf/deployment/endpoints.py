"""The signatures of an artefact, around a translator: checks, decoding, painting, encoding."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sflowgan_tf.deployment import request_checks
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.translation.signatures import COLORED_SIGNATURES, SIGNATURES, Signature
from sflowgan_tf.translation.translator import Translator

Tensors = dict[str, tf.Tensor]


def endpoints(
    translator: Translator, classes: ClassTable, card: str
) -> tuple[tf.Module, dict[str, Any]]:
    """The functions that a SavedModel holds.

    Args:
        translator: of a model that takes labels and images.
        classes: its class table.
        card: what the signature `card` answers.

    Returns:
        The owner of the variables, and a concrete function for each of `SIGNATURES`, or of
        `COLORED_SIGNATURES` for a model that sees colours.
    """
    networks = [translator.generator, *([translator.dned] if translator.redraws else [])]
    owner = tf.Module()
    owner.state = [variable.value for network in networks for variable in network.variables]  # type: ignore[attr-defined]
    painting = _Painting(translator, classes)
    functions: dict[str, Callable[..., Tensors]] = {
        "serving_default": painting.serving_default,
        "weighted": painting.weighted,
        "encoded": painting.encoded,
        "encoded_weighted": painting.encoded_weighted,
        "edges": painting.edges,
        "appearance": painting.appearance,
        "encoded_appearance": painting.encoded_appearance,
        "card": lambda ask: {"card": tf.fill(tf.shape(ask), card)},
    }
    signatures = SIGNATURES if translator.appearance is None else COLORED_SIGNATURES
    return owner, {
        name: _traced(functions[name], expected) for name, expected in signatures.items()
    }


def _traced(function: Callable[..., Tensors], expected: Signature) -> Any:
    def shaped(**inputs: tf.Tensor) -> Tensors:
        outputs = function(**inputs)
        return {key: tf.ensure_shape(outputs[key], spec.shape) for key, spec in outputs_of}

    outputs_of = expected.outputs.items()
    named = {
        key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in expected.inputs.items()
    }
    return tf.function(shaped).get_concrete_function(**named)


class _Painting:
    """The functions that paint; names, dtypes and shapes are those of `COLORED_SIGNATURES`."""

    def __init__(self, translator: Translator, classes: ClassTable):
        self.translator, self.classes = translator, classes

    def serving_default(self, labels: tf.Tensor, image: tf.Tensor) -> Tensors:
        labels, image = request_checks.same_size(labels, image, "image")
        return {"image": self._painted(labels, image, _equal_weights(labels))}

    def weighted(self, labels: tf.Tensor, image: tf.Tensor, ensemble_weights: tf.Tensor) -> Tensors:
        labels, image = request_checks.same_size(labels, image, "image")
        weights = request_checks.ensemble_weights(ensemble_weights, labels)
        return {"image": self._painted(labels, image, weights)}

    def appearance(
        self,
        labels: tf.Tensor,
        image: tf.Tensor,
        ensemble_weights: tf.Tensor,
        color_scale: tf.Tensor,
        color_shift: tf.Tensor,
    ) -> Tensors:
        labels, image = request_checks.same_size(labels, image, "image")
        weights = request_checks.ensemble_weights(ensemble_weights, labels)
        classes = self.translator.num_classes
        recoloring = (
            request_checks.recoloring(color_scale, labels, classes, "color_scale"),
            request_checks.recoloring(color_shift, labels, classes, "color_shift"),
        )
        return {"image": self._painted(labels, image, weights, recoloring)}

    def encoded(self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor) -> Tensors:
        return _png(self.serving_default(*self._scenes(labels_bytes, image_bytes)))

    def encoded_weighted(
        self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor, **choice: tf.Tensor
    ) -> Tensors:
        return _png(self.weighted(*self._scenes(labels_bytes, image_bytes), **choice))

    def encoded_appearance(
        self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor, **choice: tf.Tensor
    ) -> Tensors:
        return _png(self.appearance(*self._scenes(labels_bytes, image_bytes), **choice))

    def edges(
        self, labels: tf.Tensor, edges: tf.Tensor, colors: tf.Tensor | None = None
    ) -> Tensors:
        labels, edges = request_checks.same_size(labels, edges, "edges")
        if colors is not None:
            labels, colors = request_checks.same_size(labels, colors, "colors")
            colors = request_checks.colors(colors)
        labels = request_checks.label_map(labels, self.translator.num_classes)
        return {"image": self.translator.paint(labels, request_checks.edges(edges), colors)}

    def _painted(
        self,
        labels: tf.Tensor,
        image: tf.Tensor,
        weights: tf.Tensor,
        recoloring: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tf.Tensor:
        labels = request_checks.label_map(labels, self.translator.num_classes)
        if recoloring is None and self.translator.appearance is not None:
            recoloring = self.translator.recoloring(None, tf.shape(labels)[0])
        shares = weights if self.translator.redraws else None
        return self.translator.painted(labels, image, shares, recoloring)

    def _scenes(
        self, labels_bytes: tf.Tensor, image_bytes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        labels = request_checks.label_files(labels_bytes, self.classes)
        return labels, request_checks.image_files(image_bytes)


def _equal_weights(labels: tf.Tensor) -> tf.Tensor:
    return tf.fill([tf.shape(labels)[0], SIDE_OUTPUTS], 1 / SIDE_OUTPUTS)


def _png(outputs: Tensors) -> Tensors:
    spec = tf.TensorSpec([], tf.string)
    return {"image_bytes": tf.map_fn(tf.io.encode_png, outputs["image"], fn_output_signature=spec)}
