"""A TFLite file that paints, with NumPy and LiteRT alone.

What a GPU delegate can't run stands here, before and after the network: the edges of the
simulator's picture, the one-hot label map, the way from [-1, 1] to pixels. The file brings all that
must be known along, as `metadata.json` in a zip archive at its end, where TFLite's own metadata
keeps files too.
"""

import ctypes
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from sflowgan_tf.device.edges import laplacian_edges
from sflowgan_tf.utils.errors import UserError

METADATA = "metadata.json"
FORMAT = 1

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
