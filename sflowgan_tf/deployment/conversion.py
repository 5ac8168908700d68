"""The networks of a run as a flatbuffer for LiteRT, at one size and precision."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data.media.pictures import resize
from sflowgan_tf.data.pipeline import Frames
from sflowgan_tf.device.precisions import Precision
from sflowgan_tf.device.tflite_model import network_inputs
from sflowgan_tf.ops.ensemble import ensemble, ensemble_weights
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.quiet import held_back


@dataclass(frozen=True)
class Scene:
    """A label map and the simulator's frame, as a device gets them.

    Attributes:
        labels: (height, width) uint8 class indices.
        frame: (height, width, 3) uint8 RGB.
    """

    labels: np.ndarray
    frame: np.ndarray


def scenes(frames: list[Frames], size: tuple[int, int]) -> list[Scene]:
    """Frames of `data.pipeline.frames` as scenes of a size, (width, height)."""
    return [
        Scene(resize(frame["labels"].numpy(), size), resize(frame["image_cg"].numpy(), size))
        for frame in frames
    ]


class Network(tf.Module):
    """Generator and DNED of a run at a fixed size and a batch of one, for a GPU delegate.

    One-hot labels, edges and colours are made outside, since no delegate can run their ops.

    Attributes:
        inputs: the TensorSpec of each input by name: "labels" (1, height, width, classes); "edges"
            (1, height, width, 1) for a model that was trained with them, or "image" (1, height,
            width, 3) where it holds a DNED that sees the picture; "weights" (1, 6) where it holds
            the DNED; "colors" (1, height, width, 3) for a model with appearance; all float32.
    """

    def __init__(self, translator: Translator, size: tuple[int, int], *, redraws: bool):
        """Lays down the inputs.

        Args:
            translator: of the run.
            size: (width, height) of the scenes.
            redraws: whether the DNED is part of it.
        """
        super().__init__()
        self.translator = translator
        width, height = size
        shapes = {"labels": [1, height, width, translator.num_classes]}
        if redraws and translator.dned_sees == "image":
            shapes["image"] = [1, height, width, 3]
        elif translator.edge_map != "none":
            shapes["edges"] = [1, height, width, 1]
        if redraws:
            shapes["weights"] = [1, SIDE_OUTPUTS]
        if translator.appearance is not None:
            shapes["colors"] = [1, height, width, 3]
        self.inputs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}

    def convert(self, precision: Precision, in_float: list[str], examples: list[Scene]) -> bytes:
        """The flatbuffer.

        Args:
            precision: of the weights, and for int8 of the values in between too.
            in_float: ops whose values an int8 file keeps in float32.
            examples: scenes from whose values int8's ranges are measured.
        """
        with held_back(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="tensorflow.lite")
            return self._converted(precision, in_float, examples)

    def _converted(self, precision: Precision, in_float: list[str], examples: list[Scene]) -> bytes:
        graph = tf.function(self._paint, input_signature=[*self.inputs.values()])
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [graph.get_concrete_function()], self
        )
        if precision != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        if precision != "int8":
            return converter.convert()

        def dataset() -> Iterator[list[np.ndarray]]:
            weights = ensemble_weights(len(examples), seed=1)
            for scene, shares in zip(examples, weights, strict=True):
                yield self._values(scene, shares)

        converter.representative_dataset = dataset
        converter.inference_input_type = converter.inference_output_type = tf.int8
        if not in_float:
            return converter.convert()
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=in_float)
        selective = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=dataset, debug_options=options
        )
        return selective.get_nondebug_quantized_model()

    def _values(self, scene: Scene, weights: np.ndarray) -> list[np.ndarray]:
        return network_inputs(
            [*self.inputs],
            scene.labels,
            scene.frame,
            weights,
            None,
            num_classes=self.translator.num_classes,
            edge_settings=self.translator.edge_settings,
            appearance=self.translator.appearance,
        )

    def _paint(self, *values: Any) -> dict[str, Any]:
        inputs = dict(zip(self.inputs, values, strict=True))
        labels = inputs["labels"]
        edges = inputs.get("edges", tf.zeros_like(labels[..., :1]))
        if "weights" in inputs:
            dned_input = inputs.get("image", edges)
            edges = ensemble(self.translator.dned(dned_input, training=False), inputs["weights"])
        colors = [inputs["colors"]] if "colors" in inputs else []
        scene = tf.concat([labels, edges, *colors], -1)
        return {"image": self.translator.generator(scene, training=False)}
