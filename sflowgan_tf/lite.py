"""Paints scenes with a TFLite file, on a device that has NumPy, LiteRT and pypng.

This module and what it imports need neither TensorFlow nor Keras nor OpenCV:
`pip install numpy ai-edge-litert pypng` is enough.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sflowgan_tf.device import pictures
from sflowgan_tf.device.tflite_model import TFLiteModel
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.listing import normal_name, pictures_below


@dataclass(frozen=True)
class _Scene:
    """A label map and its frame on disk."""

    labels: Path
    frame: Path
    output: Path


def flags() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = cli.parser(
        "lite",
        "Paints scenes with a TFLite file and says how fast that was. A device needs numpy, "
        "ai-edge-litert and pypng for it, neither TensorFlow nor OpenCV.",
        "saved_models/first/generator-512x256-fp16.tflite --labels GT/LABELS --frames RGB "
        "--output painted",
    )
    add = parser.add_argument
    add("model", type=Path, metavar="FILE.tflite", help="what export --tflite wrote")
    path = {"required": True, "type": Path, "metavar": "PATH"}
    add("--labels", **path, help="label maps: a PNG, or a folder of them")
    add("--frames", **path, help="CG or real frames of the same names")
    add("--output", **path, help="folder for the PNGs")
    cli.add_label_flags(parser)
    add("--weights", type=_weights, metavar="A,B,C,D,E,F", help="of the ensemble; equal")
    add("--threads", type=cli.positive, metavar="N", help="of the CPU; LiteRT's default")
    add("--delegate", metavar="LIBRARY", help="runs the network elsewhere: GPU, NPU")
    add("--delegate-option", action="append", default=[], type=_option, metavar="KEY=VALUE")
    return parser


def _weights(text: str) -> np.ndarray:
    try:
        weights = np.array([float(part) for part in text.split(",")], np.float32)
    except ValueError:
        weights = np.zeros(0, np.float32)
    if weights.shape != (SIDE_OUTPUTS,) or not (weights >= 0).all() or not weights.sum() > 0:
        raise argparse.ArgumentTypeError(
            f"expected {SIDE_OUTPUTS} numbers from 0 on, not all 0, got {text!r}"
        )
    return weights


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    return key, value


def scenes(labels: Path, frames: Path, output: Path) -> list[_Scene]:
    """Pairs of the same names, in their order.

    Raises:
        UserError: there is none, a label map has no frame or the reverse, or two have one name.
    """
    if labels.is_file():
        if not frames.is_file():
            raise UserError(f"--frames {frames}: no such file; expected the frame of {labels}")
        return [_Scene(labels, frames, output / f"{labels.stem}.png")]
    maps, pictured = _by_name(labels), _by_name(frames)
    if not maps:
        raise UserError(f"--labels {labels}: no PNG there")
    for name, file in maps.items():
        if name not in pictured:
            raise UserError(f"{frames}: no PNG {name}; expected a frame for {file}")
    for name, file in pictured.items():
        if name not in maps:
            raise UserError(f"{labels}: no PNG {name}; expected a label map for {file}")
    return [
        _Scene(file, pictured[name], output / file.relative_to(labels))
        for name, file in maps.items()
    ]


def _by_name(folder: Path) -> dict[str, Path]:
    """The PNGs below a folder by their names in it."""
    files: dict[str, Path] = {}
    for file in pictures_below(folder, (".png",)):
        other = files.setdefault(normal_name(file.relative_to(folder).with_suffix("")), file)
        if other != file:
            raise UserError(f"{file}: {other.name} lies beside it; expected one file of a name")
    return files


def work(parsed: argparse.Namespace) -> None:
    """Paints and says how long it took."""
    for source in (parsed.labels, parsed.frames):
        if parsed.output.resolve() in (source.resolve(), source.resolve().parent):
            raise UserError(f"--output {parsed.output}: would overwrite {source}; choose another")
    pairs = scenes(parsed.labels, parsed.frames, parsed.output)
    model = TFLiteModel(
        parsed.model,
        threads=parsed.threads,
        delegate=parsed.delegate,
        options=dict(parsed.delegate_option),
    )
    table = model.metadata.classes.reading(
        None, coding=parsed.coding, snap_colors=parsed.snap_colors
    )
    weights = parsed.weights
    if weights is None and model.redraws:
        weights = np.ones(SIDE_OUTPUTS, np.float32)
    latencies = []
    for scene in pairs:
        labels, frame = _read(scene, model, table)
        start = time.perf_counter()
        image = model.translate(labels, frame, weights)
        latencies.append(1000 * (time.perf_counter() - start))
        scene.output.parent.mkdir(parents=True, exist_ok=True)
        pictures.write(scene.output, image)
    print(f"{len(pairs)} pictures: {parsed.output}")
    print(
        f"Latency: median {statistics.median(latencies):.1f} ms, slowest {max(latencies):.1f} ms, "
        f"first {latencies[0]:.1f} ms; from label map and frame to picture, files not included"
    )
    memory = _peak_memory()
    if memory is not None:
        print(f"Peak memory: {memory:.0f} MB, the whole process")
    print(f"Size: {parsed.model.stat().st_size / 1e6:.2f} MB, {parsed.model}")


def _read(scene: _Scene, model: TFLiteModel, table: ClassTable) -> tuple[np.ndarray, np.ndarray]:
    """Class indices, by the label maps' table, and RGB; UserError with the file's name."""
    raw, frame = pictures.read(scene.labels), pictures.read(scene.frame)
    if frame.dtype != np.uint8 or frame.ndim != 3:
        raise UserError(f"{scene.frame}: expected RGB of 8 bits")
    with _naming(scene.labels):
        labels = table.indices(raw)
        model.check_size("label map", labels)
    with _naming(scene.frame):
        model.check_size("frame", frame)
    return labels, frame[..., :3]


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """The file's name before an error's words."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def _peak_memory() -> float | None:
    """Of this process, MB; None where the system does not tell.

    Linux' own line is read, since getrusage counts what the parent had before it started us.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    (line,) = [line for line in lines if line.startswith("VmHWM:")] or [""]
    return int(line.split()[1]) * 1024 / 1e6 if line else None


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
