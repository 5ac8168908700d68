"""Paints scenes with a TFLite file, on a device that has NumPy and LiteRT alone.

This module and what it imports need neither TensorFlow nor Keras nor OpenCV. What a GPU delegate
can't run stands here, before and after the network: the edges of the simulator's picture, the
one-hot label map, the way from [-1, 1] to pixels. The file brings all that must be known along, as
`metadata.json` in a zip archive at its end, where TFLite's own metadata keeps files too.
"""

import argparse
import ctypes
import json
import math
import statistics
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sflowgan_tf.device import png
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError

METADATA = "metadata.json"
FORMAT = 1
SIDE_OUTPUTS = 6

_GREY = np.array((0.299, 0.587, 0.114), np.float32)  # as `ops.edges`
_UNKNOWN = -1


def read_metadata(file: Path) -> dict[str, Any]:
    """What `tflite` wrote about a file.

    Raises:
        UserError: it is missing, or not made by `export --tflite` of this version.
    """
    if not file.is_file():
        raise UserError(f"{file}: no such file")
    try:
        with zipfile.ZipFile(file) as archive:
            metadata = json.loads(archive.read(METADATA))
        version = metadata["format"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise UserError(
            f"{file}: holds no {METADATA}; expected a file of `python -m sflowgan_tf.export "
            "--tflite`"
        ) from None
    if version != FORMAT:
        raise UserError(f"{file}: metadata of format {version}, expected {FORMAT}; export it anew")
    return metadata


class Model:
    """A TFLite file that paints.

    Attributes:
        file: where it is.
        metadata: what `tflite` wrote about it.
        size: (width, height) of what it takes and gives.
        num_classes: of the label maps; ids from there on are void.
        redraws: whether it holds the DNED, and so takes ensemble weights.
        edges: "laplacian" where it takes an edge map, else "none".
    """

    def __init__(
        self,
        file: Path,
        *,
        threads: int | None = None,
        delegate: str | None = None,
        options: dict[str, str] | None = None,
    ):
        """Loads a file.

        Args:
            file: of `export --tflite`.
            threads: of the CPU; LiteRT's default where None.
            delegate: a shared library that runs the network, or what it can of it, elsewhere.
            options: of the delegate, as its documentation names them.

        Raises:
            UserError: the file is none of ours or damaged, or the delegate can't be loaded.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter, load_delegate
        except ModuleNotFoundError as error:
            raise UserError(f"{error}; expected LiteRT: pip install ai-edge-litert") from None

        self.file, self.metadata = file, read_metadata(file)
        self.size: tuple[int, int] = tuple(self.metadata["size"])
        self.num_classes = len(self.metadata["classes"]["names"])
        self._input_names = [given["name"] for given in self.metadata["inputs"]]
        self.redraws = "weights" in self._input_names
        self.edges = "laplacian" if "edges" in self._input_names else "none"
        try:
            if delegate:
                # LiteRT stumbles twice over a library that is not there, or is no delegate
                ctypes.CDLL(delegate).tflite_plugin_create_delegate  # noqa: B018
            delegates = [load_delegate(delegate, options)] if delegate else None
        except (AttributeError, OSError, ValueError, RuntimeError) as error:
            raise UserError(f"--delegate {delegate}: can't be loaded ({error})") from None
        try:
            self._network = Interpreter(
                str(file), num_threads=threads, experimental_delegates=delegates
            )
            self._network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{file}: damaged, or not for this LiteRT ({error})") from None
        self._inputs = self._network.get_input_details()
        (self._output,) = self._network.get_output_details()

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """(height, width) uint8 class indices of a label map's raw ids, by the class table.

        Args:
            raw: as `device.png.read` gives it.

        Raises:
            UserError: wrong channels or bits, or an id outside the table.
        """
        table = self.metadata["classes"]
        if table["bits"] not in (None, 8 * raw.itemsize):
            raise UserError(
                f"has {8 * raw.itemsize} bits; class table {table['name']!r} expects "
                f"{table['bits']}"
            )
        if raw.ndim == 3 and table["channel"] is None:
            raise UserError(f"has {raw.shape[2]} channels; expected one of class ids")
        ids = raw if raw.ndim == 2 else raw[..., 0]
        lookup = np.full(1 << 16, _UNKNOWN, np.int16)
        lookup[[int(key) for key in table["ids"]]] = list(table["ids"].values())
        indices = lookup[ids]
        if (indices == _UNKNOWN).any():
            raise UserError(
                f"class id {ids[indices == _UNKNOWN][0]} is not in class table {table['name']!r}"
            )
        return indices.astype(np.uint8)

    def check_size(self, name: str, picture: np.ndarray) -> None:
        """UserError where `picture`, called `name`, has not the size that the file is made for."""
        height, width = picture.shape[:2]
        if (width, height) != self.size:
            raise UserError(
                f"{name} of {width}x{height}; {self.file} is made for {self.size[0]}x{self.size[1]}"
            )

    def translate(
        self, labels: np.ndarray, image: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """One scene, painted, (height, width, 3) uint8 RGB; see `translation.painting.Translates`.

        Args:
            labels: (height, width) uint8 class indices; others are void.
            image: (height, width, 3) uint8 RGB; its Laplacian gives the edges.
            weights: (6,) of the DNED's side outputs, >= 0; None where the file holds no DNED.

        Raises:
            UserError: a size that the file is not made for, or weights that do not fit it.
        """
        self.check_size("label map", labels)
        self.check_size("frame", image)
        if (weights is None) == self.redraws:
            holds, lacks = "holds the DNED", "holds no DNED and takes no weights"
            raise UserError(
                f"{self.file}: {holds + ', which can not be left out' if self.redraws else lacks}; "
                "name another file"
            )
        values = {
            "labels": one_hot(labels, self.num_classes),
            "edges": laplacian_edges(image, **self.metadata["edges"]),
        }
        if weights is not None:
            values["weights"] = weights / weights.sum()
        for name, details in zip(self._input_names, self._inputs, strict=True):
            self._network.set_tensor(details["index"], _stored(values[name][None], details))
        self._network.invoke()
        return to_uint8(_real(self._network.get_tensor(self._output["index"]), self._output)[0])


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(height, width, classes) float32 in {0, 1}; void pixels are all zero, as in `ops.labels`."""
    rows = np.zeros((256, num_classes), np.float32)
    rows[:num_classes] = np.eye(num_classes)
    return rows[labels]


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Floating -1..1 to uint8 0..255, as `ops.images`."""
    return np.round(np.clip((image + 1) * np.float32(127.5), 0, 255)).astype(np.uint8)


def laplacian_edges(frame: np.ndarray, threshold: float, blur: float) -> np.ndarray:
    """The edge map of `ops.edges.laplacian_edges`, of one frame.

    Args:
        frame: (height, width, 3) uint8 RGB; height and width >= 2.
        threshold: of the Laplacian's absolute value, in grey levels.
        blur: sigma of a Gaussian before it, pixels; 0 is none.

    Returns:
        (height, width, 1) float32 in {0, 1}.
    """
    grey = (frame.astype(np.float32) * _GREY).sum(axis=-1)
    padded = np.pad(_gaussian(grey, blur) if blur else grey, 1, mode="reflect")
    corners = padded[:-2, :-2] + padded[:-2, 2:] + padded[2:, :-2] + padded[2:, 2:]
    laplacian = 2 * corners - 8 * padded[1:-1, 1:-1]
    return (np.abs(laplacian) > threshold).astype(np.float32)[..., None]


def _gaussian(grey: np.ndarray, sigma: float) -> np.ndarray:
    radius = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = grey.shape
    padded = np.pad(grey, radius, mode="reflect")
    rows = np.zeros((height, padded.shape[1]), np.float32)
    for k, weight in enumerate(weights):
        rows += weight * padded[k : k + height]
    blurred = np.zeros_like(grey)
    for k, weight in enumerate(weights):
        blurred += weight * rows[:, k : k + width]
    return blurred


def _stored(value: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """Real numbers as a tensor of the network holds them: quantised, if it is."""
    if details["dtype"] == np.float32:
        return np.asarray(value, np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    return np.clip(np.round(value / scale) + zero, limits.min, limits.max).astype(details["dtype"])


def _real(value: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """The way back."""
    if details["dtype"] == np.float32:
        return value
    scale, zero = details["quantization"]
    return (value.astype(np.float32) - zero) * np.float32(scale)


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
        "Paints scenes with a TFLite file, on a device with NumPy and LiteRT alone, and says how "
        "fast that was.",
        "saved_models/first/generator-512x256-fp16.tflite --labels GT/LABELS --frames RGB "
        "--output painted",
    )
    add = parser.add_argument
    add("model", type=Path, metavar="FILE.tflite", help="what export --tflite wrote")
    path = {"required": True, "type": Path, "metavar": "PATH"}
    add("--labels", **path, help="label maps: a PNG, or a folder of them")
    add("--frames", **path, help="CG or real frames of the same names")
    add("--output", **path, help="folder for the PNGs")
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
        UserError: there is none, or a label map has no frame.
    """
    if labels.is_file():
        if not frames.is_file():
            raise UserError(f"--frames {frames}: no such file; expected the frame of {labels}")
        return [_Scene(labels, frames, output / f"{labels.stem}.png")]
    found = [
        _Scene(file, frames / file.relative_to(labels), output / file.relative_to(labels))
        for file in sorted(labels.rglob("*"))
        if file.suffix.lower() == ".png"
    ]
    if not found:
        raise UserError(f"--labels {labels}: no PNG there")
    for scene in found:
        if not scene.frame.is_file():
            raise UserError(f"{scene.frame}: missing; expected a frame for {scene.labels}")
    return found


def work(parsed: argparse.Namespace) -> None:
    """Paints and says how long it took."""
    for given in (parsed.labels, parsed.frames):
        if parsed.output.resolve() in (given.resolve(), given.resolve().parent):
            raise UserError(f"--output {parsed.output}: would overwrite {given}; choose another")
    found = scenes(parsed.labels, parsed.frames, parsed.output)
    model = Model(
        parsed.model,
        threads=parsed.threads,
        delegate=parsed.delegate,
        options=dict(parsed.delegate_option),
    )
    weights = parsed.weights
    if weights is None and model.redraws:
        weights = np.ones(SIDE_OUTPUTS, np.float32)
    taken = []
    for scene in found:
        labels, frame = _read(scene, model)
        start = time.perf_counter()
        image = model.translate(labels, frame, weights)
        taken.append(1000 * (time.perf_counter() - start))
        scene.output.parent.mkdir(parents=True, exist_ok=True)
        png.write(scene.output, image)
    print(f"{len(found)} pictures: {parsed.output}")
    print(
        f"Latency: median {statistics.median(taken):.1f} ms, slowest {max(taken):.1f} ms, first "
        f"{taken[0]:.1f} ms; edges and one-hot included, files not"
    )
    memory = _peak_memory()
    if memory is not None:
        print(f"Peak memory: {memory:.0f} MB, the whole process")
    print(f"Size: {parsed.model.stat().st_size / 1e6:.2f} MB, {parsed.model}")


def _read(scene: _Scene, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Class indices and RGB; UserError with the file's name."""
    raw, frame = png.read(scene.labels), png.read(scene.frame)
    if frame.dtype != np.uint8 or frame.ndim != 3:
        raise UserError(f"{scene.frame}: expected RGB of 8 bits")
    with _naming(scene.labels):
        labels = model.encode(raw)
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
