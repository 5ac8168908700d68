"""The same scenes painted by a run and by all that it is exported to: how far apart, how fast.

From the repository's root, with records that hold validation and training frames:

    python -m benchmarks.deployment --run NAME [--data RECORDS] [--torch PYTHON]

The run is exported by what `export` calls, into a temporary folder, and each way paints as
`translate` does, with equal ensemble weights. The SavedModel is served by the tests' front, in this
process, with PNG to and fro; so REST and gRPC show what their messages cost, and no network. The
same networks, weights included, are built in PyTorch too, where an environment has it. The table's
columns:

- mean, largest: difference to the run's pictures over all scenes, of 255.
- latency: median of --rounds, from label map and frame to picture. All ways paint in turns in one
  run, so that what else the machine does hits all alike: ratios count.

The picture shows the first and the last scene.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sflowgan_tf.device import tflite_model as device_model
from sflowgan_tf.device.precisions import Precision
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.quiet import held_back, import_tensorflow

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # or it tells that the server goes
import_tensorflow()

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from sflowgan_tf.deployment import conversion, saved_model, tflite  # noqa: E402
from sflowgan_tf.deployment.conversion import Scene  # noqa: E402
from sflowgan_tf.deployment.exported import Exported  # noqa: E402
from sflowgan_tf.networks.dned import CONVOLUTIONS  # noqa: E402
from sflowgan_tf.networks.generator import GlobalGenerator  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble_weights  # noqa: E402
from sflowgan_tf.ops.images import contact_sheet  # noqa: E402
from sflowgan_tf.training import assembly  # noqa: E402
from sflowgan_tf.translation import artefact, server  # noqa: E402
from sflowgan_tf.translation.card import Card  # noqa: E402
from sflowgan_tf.translation.model import Engine  # noqa: E402
from sflowgan_tf.utils.files import written_whole  # noqa: E402
from tests.front import serving  # noqa: E402

WEIGHTS = ensemble_weights(1, 0)[0]
THREADS = os.cpu_count() or 1  # TensorFlow's default, for the others too
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
RUN, PYTORCH = "run (Keras)", "PyTorch"
NOT_ON_SHEET = ("TFLite fp32", PYTORCH)
LEAST_WIDTH = 240  # of a picture on the sheet, pixels


@dataclass
class Way:
    """A way to a picture, and what was measured of it."""

    name: str
    paint: Callable[[int], np.ndarray]  # number of a scene -> (height, width, 3) uint8 RGB
    pictures: list[np.ndarray] = field(default_factory=list)  # one of each scene
    seconds: list[float] = field(default_factory=list)


def way(name: str, engine: Engine, scenes: list[Scene]) -> Way:
    """Of a model that paints in this process, or is asked from it."""

    def paint(index: int) -> np.ndarray:
        return engine.translate(scenes[index].labels, scenes[index].frame, WEIGHTS)

    return Way(name, paint)


def tflite_models(
    exported: Exported, folder: Path, card: Card
) -> Iterator[tuple[str, device_model.TFLiteModel]]:
    """The files with the DNED that pass what `export` demands, by name."""
    for precision in PRECISIONS:
        kind = [precision]
        try:
            reports = tflite.write(exported, folder, card, kind, exported.manifest.size)
            *_, report = reports
        except Failure as error:
            print(error)
            continue
        with held_back():  # LiteRT says which delegate it takes
            model = device_model.TFLiteModel(report.file, threads=THREADS)
        yield f"TFLite {precision}{', norms in float' if report.in_float else ''}", model


@contextmanager
def in_pytorch(
    python: str, exported: Exported, scenes: list[Scene], folder: Path
) -> Iterator[list[Way]]:
    """The way through `torch_networks`; none, and a sentence that says why, where it can't be.

    Args:
        python: of an environment with PyTorch.
        exported: whose networks, weights included, are built there.
        scenes: to paint.
        folder: for what goes to and fro.
    """
    reason = unfit(exported)
    if (
        not reason
        and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode
    ):
        reason = f"{python} has none; name one that has with --torch"
    if reason:
        print(f"No row for PyTorch: {reason}.")
        yield []
        return
    task, painted = folder / "task.npz", folder / "painted.npz"
    np.savez(task, **arrays(exported, scenes))
    command = [python, "-m", "benchmarks.torch_networks", str(task), str(painted)]
    quiet = os.environ | {"OMP_WAIT_POLICY": "passive"}  # waits without keeping a core busy
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=quiet) as process:
        if process.stdout.readline() != "ready\n":
            raise Failure("benchmarks.torch_networks failed, see above")
        with np.load(painted) as arrays_of:
            pictures = [arrays_of[name] for name in arrays_of]

        def paint(index: int) -> np.ndarray:
            print(index, file=process.stdin, flush=True)
            if process.stdout.readline() != "painted\n":
                raise Failure("benchmarks.torch_networks failed, see above")
            return pictures[index]

        yield [Way(PYTORCH, paint)]


def unfit(exported: Exported) -> str:
    """Why `torch_networks` can't build a run's networks; empty if it can."""
    network = exported.translator.generator
    if not isinstance(network, GlobalGenerator) or network.separable:
        return "only a global generator without separable convolutions is built there"
    multiple = max(16, 2 ** (network.downsamplings + 1))
    if any(side % multiple for side in exported.manifest.size):
        return f"only sizes that {multiple} divides are painted there"
    return ""


def arrays(exported: Exported, scenes: list[Scene]) -> dict[str, np.ndarray]:
    """What `torch_networks` needs to know."""
    translator = exported.translator
    networks = {"generator": translator.generator, "dned": translator.dned}
    keys = ("filters", "downsamplings", "blocks", "upsampling", "skips")
    configs = {name: network.get_config() for name, network in networks.items()}
    settings = {
        "threads": THREADS,
        "classes": translator.num_classes,
        "edges": asdict(translator.edge_settings),
        "convolutions": CONVOLUTIONS,
        "generator": {key: configs["generator"][key] for key in keys},
        "dned": {"filters": configs["dned"]["filters"]},
    }
    weights = {
        f"{name}-{index}": value
        for name, network in networks.items()
        for index, value in enumerate(network.get_weights())
    }
    return weights | {
        "settings": np.array(json.dumps(settings)),
        "labels": np.stack([scene.labels for scene in scenes]),
        "frames": np.stack([scene.frame for scene in scenes]),
        "weights": WEIGHTS,
    }


def measure(ways: list[Way], scenes: int, rounds: int) -> None:
    """Each way paints each scene once, to keep; then all take turns with the clock on."""
    for each in ways:
        each.pictures = [each.paint(index) for index in range(scenes)]
    for number in range(rounds):
        for each in ways:
            start = time.perf_counter()
            each.paint(number % scenes)
            each.seconds.append(time.perf_counter() - start)


def difference(pictures: list[np.ndarray], expected: list[np.ndarray]) -> tuple[float, int]:
    """Mean and largest absolute difference of uint8 pictures, of 255."""
    absolute = np.abs(np.stack(pictures).astype(int) - np.stack(expected))
    return float(absolute.mean()), int(absolute.max())


def table(ways: list[Way]) -> Iterator[str]:
    """The lines of the Markdown table; the first way is what the others are compared with."""
    first = ways[0]
    unit = statistics.median(first.seconds)
    yield "| way | mean | largest | latency, ms | to the run's |"
    yield f"|{'---|' * 5}"
    for each in ways:
        mean, largest = difference(each.pictures, first.pictures)
        median = statistics.median(each.seconds)
        far = " | " if each is first else f"{mean:.4f} | {largest}"
        yield f"| {each.name} | {far} | {1000 * median:.1f} | {median / unit:.2f} |"


def sheet(ways: list[Way]) -> np.ndarray:
    """First and last scene by each way side by side, (height, width, 3) uint8 RGB."""
    columns = [each for each in ways if each.name not in NOT_ON_SHEET]
    rows = [[enlarged(each.pictures[index]) for each in columns] for index in (0, -1)]
    return contact_sheet(rows, [each.name for each in columns])


def enlarged(picture: np.ndarray) -> np.ndarray:
    """A small picture with each pixel repeated until it is `LEAST_WIDTH` wide."""
    times = -(-LEAST_WIDTH // picture.shape[1])
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def flags() -> argparse.ArgumentParser:
    """What the benchmark takes."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.deployment",
        description="Paints the same scenes with a run and with all that it is exported to.",
    )
    add = parser.add_argument
    add("--run", required=True, metavar="NAME", help="a folder in runs/, or its path")
    add("--data", type=Path, metavar="DIR", help="records with validation frames; the run's")
    add("--rounds", type=int, default=15, metavar="N", help="that are timed; 15")
    add("--torch", default=sys.executable, metavar="PYTHON", help="that has PyTorch; this one")
    add("--picture", type=Path, default=Path("docs/deployment.png"), metavar="FILE.png")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Prints the table and writes the picture."""
    if parsed.rounds < 1:
        raise UserError("--rounds: expected at least 1")
    exported = Exported.of(Run.existing(parsed.run), parsed.data)
    if not exported.translator.redraws:
        raise UserError(f"--run {parsed.run}: expected a run with a DNED")
    size = exported.manifest.size
    scenes = conversion.scenes(exported.frames, size)
    card = exported.card("model", parsed.command)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        saved, _ = saved_model.write(exported, folder, card)
        urls, _ = stack.enter_context(serving(saved, "model"))
        ways = [
            way(RUN, assembly.model_of_run(parsed.run, Run.existing(parsed.run)).engine, scenes),
            way("SavedModel", artefact.load(saved), scenes),
            way("REST", server.model(urls["rest"]).engine, scenes),
            way("gRPC", server.model(urls["grpc"]).engine, scenes),
            *(way(*model, scenes) for model in tflite_models(exported, folder, card)),
            *stack.enter_context(in_pytorch(parsed.torch, exported, scenes, folder)),
        ]
        measure(ways, len(scenes), parsed.rounds)
    print(f"{len(scenes)} scenes, {size[0]}x{size[1]}, {THREADS} threads, {parsed.rounds} rounds\n")
    print("\n".join(table(ways)))
    with written_whole(parsed.picture) as partial:
        Image.fromarray(sheet(ways)).save(partial, format="png", optimize=True)
    print(f"\nPicture: {parsed.picture}")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
