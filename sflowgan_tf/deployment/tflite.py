"""A translator as TFLite files for devices: converted, checked, compared, and only then kept.

A file paints one scene of a fixed size. Its network takes the one-hot label map, the edge map and,
where it holds the DNED, the ensemble weights; what stands around it is in `lite`, which runs such
files on the device.
"""

import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data.media.pictures import resize
from sflowgan_tf.deployment import flatbuffer, gpu_rules
from sflowgan_tf.deployment.precisions import Precision
from sflowgan_tf.device import edges as device_edges
from sflowgan_tf.device import model as device_model
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.ensemble import ensemble, ensemble_weights
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.quiet import held_back

# Least peak signal-to-noise ratio to the run's own pictures, dB; fp32 may differ by rounding alone.
LEAST_PSNR: dict[Precision, float] = {"fp16": 45.0, "int8": 30.0, "dynamic": 30.0}
_MOST_LEVELS = 1  # of fp32, of 255
_ON_GPU = ("fp32", "fp16")  # must run there whole
# What int8 leaves in float if it must: instance norms and the sums of residual blocks. A norm
# brings each channel to the same variance, whatever it was, so eight bits for all of them lose
# those that vary little.
SENSITIVE = ["ADD", "MEAN", "MUL", "RSQRT", "SQUARED_DIFFERENCE", "SUB"]


@dataclass(frozen=True)
class Scene:
    """What the device is given.

    Attributes:
        labels: (height, width) uint8 class indices.
        frame: (height, width, 3) uint8 RGB of the simulator.
    """

    labels: np.ndarray
    frame: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found out about a file.

    Attributes:
        file: where it is.
        operations: how often each op occurs.
        violations: see `deployment.gpu_rules.violations`.
        in_float: the ops that an int8 file keeps in float.
        levels: largest difference to the run's pictures, of 255.
        psnr: to the run's pictures, over all of them, dB; infinite for equal ones.
    """

    file: Path
    operations: dict[str, int]
    violations: list[str]
    in_float: list[str]
    levels: int
    psnr: float


def scenes(frames: list[dict[str, Any]], size: tuple[int, int]) -> list[Scene]:
    """Frames of `data.pipeline.frames` as scenes of a size, (width, height)."""
    return [
        Scene(resize(frame["labels"].numpy(), size), resize(frame["image_cg"].numpy(), size))
        for frame in frames
    ]


class Exporter:
    """Writes the files of one run at one size."""

    def __init__(
        self,
        translator: Translator,
        *,
        table: ClassTable,
        size: tuple[int, int],
        representative: list[Scene],
        judged: list[Scene],
        origin: dict[str, Any],
    ):
        """What all files have in common.

        Args:
            translator: of the run.
            table: what its class indices mean.
            size: (width, height) of the scenes.
            representative: from whose values int8's ranges are measured.
            judged: on which files are compared with the translator; none of `representative`.
            origin: what the metadata says about where the file comes from.
        """
        self.translator, self.table, self.size = translator, table, size
        self.representative, self.judged, self.origin = representative, judged, origin

    def write(self, file: Path, precision: Precision, *, redraws: bool) -> Report:
        """Converts, checks and compares; the file is there only if all went well.

        An int8 file whose pictures differ too much is made anew with `SENSITIVE` ops in float.

        Args:
            file: to write; its folder must exist.
            precision: of the weights, and for int8 of the values in between too.
            redraws: whether the file holds the DNED.

        Raises:
            Failure: fp32 or fp16 can't run on a GPU whole, or the pictures differ too much.
        """
        graph = _Graph(self.translator, self.size, redraws=redraws)
        if precision == "int8":
            with suppress(Failure):
                return self._written(file, graph, precision, [])
            return self._written(file, graph, precision, SENSITIVE)
        return self._written(file, graph, precision, [])

    def _written(
        self, file: Path, graph: "_Graph", precision: Precision, in_float: list[str]
    ) -> Report:
        with held_back(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="tensorflow.lite")
            model = _converted(graph, precision, in_float, self.representative)
        violations = gpu_rules.violations(model)
        if violations and precision in _ON_GPU:
            raise Failure(f"{file.name}: not for GPUs: {'; '.join(violations)}; not written")
        with written_whole(file) as partial:
            partial.write_bytes(model)
            _append(partial, self._metadata(graph, precision, in_float))
            with held_back():  # LiteRT says which delegate it takes
                painter = device_model.Model(partial)
            levels, psnr = self._fidelity(painter)
            _check(file.name, precision, levels, psnr)
        return Report(
            file=file,
            operations=flatbuffer.counts(model),
            violations=violations,
            in_float=in_float,
            levels=levels,
            psnr=psnr,
        )

    def _metadata(
        self, graph: "_Graph", precision: Precision, in_float: list[str]
    ) -> dict[str, Any]:
        return {
            "format": device_model.FORMAT,
            "size": self.size,
            "precision": precision,
            "in_float": in_float,
            "inputs": [
                {"name": name, "shape": spec.shape.as_list(), "values": _VALUES[name]}
                for name, spec in graph.inputs.items()
            ],
            "output": {"name": "image", "values": "RGB in [-1, 1]; level = (value + 1) * 127.5"},
            "edges": asdict(self.translator.edge_settings),
            "classes": self.table.to_dict(),
            "origin": self.origin,
        }

    def _fidelity(self, model: device_model.Model) -> tuple[int, float]:
        """Largest difference to the translator, in levels, and PSNR, in dB."""
        weights = ensemble_weights(len(self.judged), seed=0) if model.redraws else None
        squares, largest = [], 0
        for index, scene in enumerate(self.judged):
            shares = None if weights is None else weights[index]
            expected = self.translator.translate(scene.labels, scene.frame, shares)
            found = model.translate(scene.labels, scene.frame, shares)
            difference = np.abs(found.astype(int) - expected)
            squares.append(float(np.square(difference).mean()))
            largest = max(largest, int(difference.max()))
        error = np.mean(squares)
        return largest, float(10 * np.log10(255**2 / error)) if error else float("inf")


_VALUES = {
    "labels": "one-hot, 0 or 1; all 0 where there is no class",
    "edges": "1 where the absolute Laplacian of the grey frame exceeds the threshold, else 0",
    "weights": "of the side outputs, 0 to 1, with sum 1",
}


class _Graph(tf.Module):
    """The networks of a translator at a fixed size, batch 1, without what GPUs can't run."""

    def __init__(self, translator: Translator, size: tuple[int, int], *, redraws: bool):
        super().__init__()
        self.translator = translator
        width, height = size
        shapes = {"labels": [1, height, width, translator.num_classes]}
        if translator.edge_map != "none":
            shapes["edges"] = [1, height, width, 1]
        if redraws:
            shapes["weights"] = [1, SIDE_OUTPUTS]
        self.inputs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}

    def concrete(self) -> Any:
        """The traced function, which holds what the converter reads."""
        specs = [*self.inputs.values()]
        return tf.function(self._paint, input_signature=specs).get_concrete_function()

    def values(self, scene: Scene, weights: np.ndarray) -> list[np.ndarray]:
        """A scene as the network's inputs."""
        given = {
            "labels": device_model.one_hot(scene.labels, self.translator.num_classes),
            "edges": device_edges.laplacian_edges(
                scene.frame, **asdict(self.translator.edge_settings)
            ),
            "weights": weights,
        }
        return [given[name][None] for name in self.inputs]

    def _paint(self, labels: Any, edges: Any = None, weights: Any = None) -> dict[str, Any]:
        if edges is None:
            edges = tf.zeros_like(labels[..., :1])
        if weights is not None:
            edges = ensemble(self.translator.dned(edges, training=False), weights)
        scene = tf.concat([labels, edges], -1)
        return {"image": self.translator.generator(scene, training=False)}


def _converted(
    graph: _Graph, precision: Precision, in_float: list[str], representative: list[Scene]
) -> bytes:
    """The flatbuffer."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.concrete()], graph)
    if precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if precision != "int8":
        return converter.convert()

    def dataset() -> Iterator[list[np.ndarray]]:
        weights = ensemble_weights(len(representative), seed=1)
        for scene, shares in zip(representative, weights, strict=True):
            yield graph.values(scene, shares)

    converter.representative_dataset = dataset
    converter.inference_input_type = converter.inference_output_type = tf.int8
    if not in_float:
        return converter.convert()
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=in_float)
    chosen = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=dataset, debug_options=options
    )
    return chosen.get_nondebug_quantized_model()


def _append(file: Path, metadata: dict[str, Any]) -> None:
    """Puts the metadata behind the flatbuffer, where its readers ignore it."""
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(device_model.METADATA, json.dumps(metadata, indent=1))


def _check(name: str, precision: Precision, levels: int, psnr: float) -> None:
    if precision == "fp32" and levels > _MOST_LEVELS:
        raise Failure(
            f"{name}: differs by up to {levels} levels from the run's pictures, expected "
            f"{_MOST_LEVELS} at most; not written"
        )
    if precision != "fp32" and psnr < LEAST_PSNR[precision]:
        raise Failure(
            f"{name}: {psnr:.1f} dB to the run's pictures, expected {LEAST_PSNR[precision]:.0f} or "
            "more; not written"
        )
