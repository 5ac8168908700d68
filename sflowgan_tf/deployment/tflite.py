"""A run as TFLite files for devices: converted, checked, compared, and only then in their place.

A file paints one scene of a fixed size. What stands around its network is in
`device.tflite_model`, which runs such files on a device.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sflowgan_tf.deployment import flatbuffer, gpu_rules
from sflowgan_tf.deployment.conversion import Network, Scene, scenes
from sflowgan_tf.deployment.exported import Exported
from sflowgan_tf.device.metadata import Metadata
from sflowgan_tf.device.precisions import Precision
from sflowgan_tf.device.tflite_model import TFLiteModel
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation.card import Card
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.disk import writing
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

_MEANINGS = {
    "labels": "one-hot, 0 or 1; all 0 where there is no class",
    "edges": "1 where the absolute Laplacian of the grey frame exceeds the threshold, else 0",
    "image": "RGB of the frame in [-1, 1]; value = level / 127.5 - 1",
    "weights": "of the side outputs, 0 to 1, with sum 1",
    "colors": "mean RGB of the regions of the frame, recoloured by `appearance`, in [-1, 1]",
}
_OUTPUT = {"name": "image", "values": "RGB in [-1, 1]; level = (value + 1) * 127.5"}


class TooFar(Failure):
    """A file whose pictures differ too much from the run's."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A file that was written, and what is known of it.

    Attributes:
        file: where it is.
        operations: how often each op occurs.
        violations: why the GPU delegate may not run it, see `gpu_rules.violations`.
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


def write(
    exported: Exported,
    output: Path,
    card: Card,
    precisions: Sequence[Precision],
    size: tuple[int, int],
) -> Iterator[Report]:
    """Writes the generator alone and, where it knows the DNED's edges, the two together.

    Args:
        exported: the run.
        output: the files lie there, in the folder of the model's name; earlier ones are replaced.
        card: the model card.
        precisions: both kinds are written in each of them.
        size: (width, height) of the scenes that they paint.

    Yields:
        A report on each file, once it is there.

    Raises:
        UserError: int8 is asked for, and there are no training frames.
        Failure: see `Exporter.write`; that file is not left then, those before it are.
    """
    examples = exported.representative() if "int8" in precisions else []
    exporter = Exporter(
        exported.translator,
        classes=card.classes,
        flow=card.flow,
        size=size,
        examples=scenes(examples, size),
        compared=scenes(exported.frames, size),
        origin={"run": card.run, "step": str(card.step), "exported": card.provenance["date"]},
    )
    folder = output / card.name
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for precision in precisions:
        for redraws in (False, True)[: 1 + exported.translator.redraws]:
            kind = "generator-dned" if redraws else "generator"
            file = folder / f"{kind}-{size[0]}x{size[1]}-{precision}.tflite"
            yield exporter.write(file, precision, redraws=redraws)


class Exporter:
    """Writes the files of one run at one size."""

    def __init__(
        self,
        translator: Translator,
        *,
        classes: ClassTable,
        size: tuple[int, int],
        examples: list[Scene],
        compared: list[Scene],
        origin: dict[str, str],
        flow: Farneback = Farneback(),
    ):
        """Takes what all files have in common.

        Args:
            translator: of the run.
            classes: what its class indices mean.
            size: (width, height) of the scenes.
            examples: scenes from whose values int8's ranges are measured.
            compared: scenes on which files are compared with the translator; others than these.
            origin: run, step and date of the export, for the metadata.
            flow: settings of the optical flow of the records, for the metadata.
        """
        self.translator, self.classes, self.size = translator, classes, size
        self.examples, self.compared = examples, compared
        self.origin, self.flow = origin, flow

    def write(self, file: Path, precision: Precision, *, redraws: bool) -> Report:
        """Converts, checks and compares; the file is there only if all went well.

        An int8 file whose pictures differ too much is converted anew with `SENSITIVE` ops in float.

        Args:
            file: to write; its folder must exist.
            precision: of the weights, and for int8 of the values in between too.
            redraws: whether the file holds the DNED.

        Raises:
            Failure: fp32 or fp16 can't run on a GPU whole, the pictures differ too much, or the
                disk refuses.
        """
        network = Network(self.translator, self.size, redraws=redraws)
        if precision == "int8":
            with suppress(TooFar):
                return self._write(file, network, precision, [])
            return self._write(file, network, precision, SENSITIVE)
        return self._write(file, network, precision, [])

    def _write(
        self, file: Path, network: Network, precision: Precision, in_float: list[str]
    ) -> Report:
        content = network.convert(precision, in_float, self.examples)
        violations = gpu_rules.violations(content)
        if violations and precision in _ON_GPU:
            raise Failure(f"{file.name}: not for GPUs: {'; '.join(violations)}; not written")
        with ExitStack() as unfinished:
            with writing(file):
                partial = unfinished.enter_context(written_whole(file))
                partial.write_bytes(content)
                self._metadata(network, precision, in_float).append(partial)
            with held_back():  # LiteRT says which delegate it takes
                model = TFLiteModel(partial)
            levels, psnr = self._compare(model)
            _check(file.name, precision, levels, psnr)
            with writing(file):
                unfinished.close()  # the file takes its place
        return Report(
            file=file,
            operations=flatbuffer.counts(content),
            violations=violations,
            in_float=in_float,
            levels=levels,
            psnr=psnr,
        )

    def _metadata(self, network: Network, precision: Precision, in_float: list[str]) -> Metadata:
        return Metadata(
            size=self.size,
            precision=precision,
            in_float=in_float,
            inputs=[
                {"name": name, "shape": spec.shape.as_list(), "values": _MEANINGS[name]}
                for name, spec in network.inputs.items()
            ],
            output=_OUTPUT,
            edges=self.translator.edge_settings,
            flow=self.flow,
            classes=self.classes,
            appearance=self.translator.appearance,
            origin=self.origin,
        )

    def _compare(self, model: TFLiteModel) -> tuple[int, float]:
        """Largest difference to the translator, in levels, and PSNR, in dB."""
        weights = ensemble_weights(len(self.compared), seed=0) if model.redraws else None
        squares, largest = [], 0
        for index, scene in enumerate(self.compared):
            shares = None if weights is None else weights[index]
            expected = self.translator.translate(scene.labels, scene.frame, shares)
            painted = model.translate(scene.labels, scene.frame, shares)
            difference = np.abs(painted.astype(int) - expected)
            squares.append(float(np.square(difference).mean()))
            largest = max(largest, int(difference.max()))
        error = np.mean(squares)
        return largest, float(10 * np.log10(255**2 / error)) if error else float("inf")


def _check(name: str, precision: Precision, levels: int, psnr: float) -> None:
    if precision == "fp32" and levels > _MOST_LEVELS:
        raise TooFar(
            f"{name}: differs by up to {levels} levels from the run's pictures, expected "
            f"{_MOST_LEVELS} at most; not written"
        )
    if precision != "fp32" and psnr < LEAST_PSNR[precision]:
        raise TooFar(
            f"{name}: {psnr:.1f} dB to the run's pictures, expected {LEAST_PSNR[precision]:.0f} or "
            "more; not written"
        )
