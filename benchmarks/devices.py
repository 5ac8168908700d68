"""What a generator costs on a device, and what each kind of TFLite file makes of its pictures.

From the repository's root, of trained runs or of configurations with fresh networks:

    python -m benchmarks.devices --run NAME [--run NAME ...] [--size WxH]
    python -m benchmarks.devices --config minicity --config minicity-small ...

Each file holds generator and DNED, and paints frames of minicity that no run has seen. The table's
columns:

- parameters of both networks; multiplications (each with its addition) of one picture.
- latency: median, edges and one-hot included, on --threads cores. All models paint in turns in one
  process, so that what else the machine does hits all alike: ratios within one table count.
- to Keras: peak signal-to-noise ratio to the picture that the run itself paints.
- to real: the same, to the real rendering; says something of trained runs only.
"""

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sflowgan_tf import config as settings
from sflowgan_tf.device import tflite_model as device_model
from sflowgan_tf.device.precisions import PRECISIONS
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402

from benchmarks import appearance  # noqa: E402
from sflowgan_tf import minicity  # noqa: E402
from sflowgan_tf.deployment import flatbuffer, tflite  # noqa: E402
from sflowgan_tf.deployment.conversion import Scene  # noqa: E402
from sflowgan_tf.ops.classes import TABLES  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble_weights  # noqa: E402
from sflowgan_tf.training import assembly  # noqa: E402
from sflowgan_tf.translation.translator import Translator  # noqa: E402

TABLE, WEIGHTS = TABLES["synthia"], ensemble_weights(1, 0)[0]
STREETS, OTHER_STREETS = 1000, 1001  # seeds that no run draws

Paint = Callable[[Scene], np.ndarray]


def multiplications(model: bytes) -> int:
    """Multiplications, each with its addition, in the convolutions of a TFLite file."""
    return sum(_multiplications(op) for op in flatbuffer.read(model))


def _multiplications(op: flatbuffer.Op) -> int:
    if op.name == "CONV_2D":  # kernel: out, height, width, in
        return math.prod(op.outputs[0].shape) * math.prod(op.inputs[1].shape[1:])
    if op.name == "DEPTHWISE_CONV_2D":  # kernel: 1, height, width, out
        return math.prod(op.outputs[0].shape) * math.prod(op.inputs[1].shape[1:3])
    if op.name == "TRANSPOSE_CONV":  # output's shape, kernel (out, height, width, in), input
        return math.prod(op.inputs[2].shape) * math.prod(op.inputs[1].shape[:3])
    return 0


@dataclass
class Row:
    """A model and what was measured of it."""

    name: str
    paint: Paint
    parameters: int
    multiplications: int | None
    size: int | None  # of the file, bytes
    of: "Row | None" = None  # Keras' row; None for that itself
    seconds: list[float] = field(default_factory=list)
    pictures: list[np.ndarray] = field(default_factory=list)


def trained(name: str) -> Translator:
    """Those of a run."""
    translator, manifest, _ = assembly.restored_translator(Run.existing(name))
    if manifest.classes.names != TABLE.names or not translator.redraws:
        raise UserError(f"--run {name}: expected a run of minicity with a DNED")
    return translator


def frames(seed: int, count: int, size: tuple[int, int]) -> list[minicity.Frame]:
    """One frame of each of so many streets."""
    return [next(iter(minicity.sequence(seed, index, 1, size))) for index in range(count)]


def scenes(views: list[minicity.Frame]) -> list[Scene]:
    """Of frames."""
    return [Scene(TABLE.encode(view.labels), view.image_cg) for view in views]


def rows(
    name: str, translator: Translator, exporter: tflite.Exporter, folder: Path, threads: int
) -> list[Row]:
    """Keras' row, and one for each kind of file that comes near enough to it."""
    networks = (translator.generator, translator.dned)
    parameters = sum(network.count_params() for network in networks)

    def by_keras(scene: Scene) -> np.ndarray:
        return translator.translate(scene.labels, scene.frame, WEIGHTS)

    measured = [Row(f"{name}, Keras", by_keras, parameters, None, None)]
    for precision in PRECISIONS:
        file = folder / f"{Path(name).name}-{precision}.tflite"
        try:
            report = exporter.write(file, precision, redraws=True)
        except Failure as error:
            print(error)
            continue
        model = device_model.TFLiteModel(file, threads=threads)

        def paint(scene: Scene, model: device_model.TFLiteModel = model) -> np.ndarray:
            return model.translate(scene.labels, scene.frame, WEIGHTS)

        kind = f"{precision}, norms in float" if report.in_float else precision
        operations = multiplications(file.read_bytes())
        size = file.stat().st_size
        measured.append(Row(f"{name}, {kind}", paint, parameters, operations, size, measured[0]))
    return measured


def measure(table: list[Row], scenes: list[Scene]) -> None:
    """All models paint each scene in turns; the first scene once more beforehand."""
    for row in table:
        row.paint(scenes[0])
    for scene in scenes:
        for row in table:
            start = time.perf_counter()
            row.pictures.append(row.paint(scene))
            row.seconds.append(time.perf_counter() - start)


def psnr(pictures: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """Over all pictures, dB."""
    pairs = zip(pictures, expected, strict=True)
    error = np.mean([np.square(a.astype(float) - b).mean() for a, b in pairs])
    return f"{10 * np.log10(255**2 / error):.1f}" if error else "equal"


def flags() -> argparse.ArgumentParser:
    """What the benchmark takes."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.devices",
        description="Measures TFLite files of minicity's runs and configurations.",
    )
    add = parser.add_argument
    add("--run", action="append", default=[], metavar="NAME", help="a trained run; repeatable")
    add("--config", action="append", default=[], metavar="NAME", help="fresh networks; repeatable")
    add("--size", default="256x128", metavar="WxH", help="of the pictures; 256x128")
    add("--frames", type=int, default=8, metavar="N", help="to paint; 8")
    add("--threads", type=int, default=2, metavar="N", help="of TFLite; 2")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Prints the table."""
    size = settings.size(parsed.size, "--size")
    translators = {name: trained(name) for name in parsed.run}
    if not (parsed.run or parsed.config):
        raise UserError("--run, --config: name at least one")
    views = frames(STREETS, parsed.frames, size)
    painted, examples = scenes(views), scenes(frames(OTHER_STREETS, 16, size))
    for name in parsed.config:
        config = settings.load("minicity", Path(name))
        translators[name] = appearance.translator(config, examples)
    with tempfile.TemporaryDirectory() as folder:
        table: list[Row] = []
        for name, translator in translators.items():
            exporter = tflite.Exporter(
                translator,
                classes=TABLE,
                size=size,
                examples=examples,
                compared=painted,
                origin={},
            )
            table += rows(name, translator, exporter, Path(folder), parsed.threads)
        measure(table, painted)
    titles = ["model", "parameters", "multiplications", "MB", "latency, ms", "to Keras", "to real"]
    print(f"{parsed.frames} frames, {size[0]}x{size[1]}, {parsed.threads} threads\n")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for row in table:
        cells = [
            row.name,
            f"{row.parameters:,}",
            "" if row.multiplications is None else f"{row.multiplications / 1e9:.2f} G",
            "" if row.size is None else f"{row.size / 1e6:.2f}",
            f"{1000 * statistics.median(row.seconds):.0f}",
            "" if row.of is None else f"{psnr(row.pictures, row.of.pictures)} dB",
            f"{psnr(row.pictures, [frame.image_real for frame in views])} dB",
        ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
