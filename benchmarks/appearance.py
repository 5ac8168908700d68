"""What it costs at inference that a generator sees colours, and the DNED the picture.

From the repository's root, of a configuration with fresh networks:

    python -m benchmarks.appearance [--config minicity] [--size WxH] [--rounds N]

The same networks are exported three times: as the paper has them, with `appearance.kind=regions`,
and with `dned.sees=image` too; each as a SavedModel and as TFLite files that hold the DNED. Every
round, all of them paint one scene in turns, from label map and frame to picture. The table's
columns:

- latency: median over the rounds.
- CPU: median of the time of all cores together, on which a busy machine has less influence.
- ratio: median over the rounds of the CPU time divided by that of the paper's networks in the same
  round.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.device.precisions import Precision
from sflowgan_tf.device.tflite_model import TFLiteModel
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.quiet import held_back, import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from sflowgan_tf import minicity  # noqa: E402
from sflowgan_tf.benchmarking.workloads.inference import fresh_translator  # noqa: E402
from sflowgan_tf.deployment import tflite  # noqa: E402
from sflowgan_tf.deployment.conversion import Scene  # noqa: E402
from sflowgan_tf.deployment.endpoints import endpoints  # noqa: E402
from sflowgan_tf.ops.classes import TABLES  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble_weights  # noqa: E402
from sflowgan_tf.translation.translator import Translator  # noqa: E402

TABLE, WEIGHTS = TABLES["synthia"], ensemble_weights(1, 0)[0]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
STREETS = 1000  # a seed that no run draws


@dataclass
class Way:
    """An exported model, and what was measured of it."""

    kind: str  # of file
    networks: str
    paint: Callable[[Scene], np.ndarray]
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


def variants(config: Config) -> dict[str, Config]:
    """What is compared, the paper's networks first."""
    plain = replace(
        config,
        appearance=replace(config.appearance, kind="none"),
        dned=replace(config.dned, sees="edges", weights="random"),
    )
    colored = replace(plain, appearance=replace(config.appearance, kind="regions"))
    return {
        "labels and edges": plain,
        "and colours": colored,
        "and a DNED that sees the picture": replace(
            colored, dned=replace(colored.dned, sees="image")
        ),
    }


def translator(config: Config, scenes: list[Scene]) -> Translator:
    """The networks of a configuration, untrained."""
    return fresh_translator(config, TABLE, [(scene.labels, scene.frame) for scene in scenes])


def ways(networks: str, painter: Translator, scenes: list[Scene], folder: Path) -> list[Way]:
    """A model, exported in each way."""
    height, width = scenes[0].labels.shape
    owner, functions = endpoints(painter, TABLE, "{}")
    tf.saved_model.save(owner, str(folder / "saved"), functions)
    signatures = tf.saved_model.load(str(folder / "saved")).signatures

    def serve(scene: Scene) -> np.ndarray:
        inputs = {
            "labels": tf.constant(scene.labels[None]),
            "image": tf.constant(scene.frame[None]),
        }
        return signatures["serving_default"](**inputs)["image"].numpy()

    exporter = tflite.Exporter(
        painter, classes=TABLE, size=(width, height), examples=scenes, compared=scenes, origin={}
    )
    result = [Way("SavedModel", networks, serve)]
    for precision in PRECISIONS:
        file = folder / f"{precision}.tflite"
        exporter.write(file, precision, redraws=True)
        with held_back():
            model = TFLiteModel(file, threads=1)

        def paint(scene: Scene, model: TFLiteModel = model) -> np.ndarray:
            return model.translate(scene.labels, scene.frame, WEIGHTS)

        result.append(Way(f"TFLite {precision}", networks, paint))
    return result


def measure(table: list[Way], scenes: list[Scene], rounds: int) -> None:
    """All paint in turns; once beforehand."""
    for way in table:
        way.paint(scenes[0])
    for number in range(rounds):
        for way in table:
            start, cpu_start = time.perf_counter(), time.process_time()
            way.paint(scenes[number % len(scenes)])
            way.cpu_seconds.append(time.process_time() - cpu_start)
            way.seconds.append(time.perf_counter() - start)


def flags() -> argparse.ArgumentParser:
    """What the benchmark takes."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.appearance", description="What colours cost at inference."
    )
    add = parser.add_argument
    add("--config", default="minicity", metavar="NAME", help="whose networks; minicity")
    add("--size", default="256x128", metavar="WxH", help="of the pictures; 256x128")
    add("--rounds", type=cli.positive, default=40, metavar="N", help="40")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Prints the table."""
    size = settings.size(parsed.size, "--size")
    config = settings.load("minicity", Path(parsed.config))
    frames = [next(iter(minicity.sequence(STREETS, index, 1, size))) for index in range(8)]
    scenes = [Scene(TABLE.encode(frame.labels), frame.image_cg) for frame in frames]
    table: list[Way] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, variant in variants(config).items():
            place = Path(folder) / name
            place.mkdir()
            table += ways(name, translator(variant, scenes), scenes, place)
        measure(table, scenes, parsed.rounds)
    print(f"{parsed.config}, {size[0]}x{size[1]}, {parsed.rounds} rounds\n")
    print("| model | networks see | latency, ms | CPU, ms | ratio |\n|---|---|---|---|---|")
    for way in sorted(table, key=lambda way: [other.kind for other in table].index(way.kind)):
        (plain, *_) = [other for other in table if other.kind == way.kind]
        pairs = zip(way.cpu_seconds, plain.cpu_seconds, strict=True)
        times = (statistics.median(x) for x in (way.seconds, way.cpu_seconds))
        latency, cpu = (f"{1000 * seconds:.1f}" for seconds in times)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"| {way.kind} | {way.networks} | {latency} | {cpu} | {ratio:.3f} |")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
