"""A TFLite file that paints, with NumPy and LiteRT.

What a GPU delegate can't run stands here, before and after the network: edges and colours of the
simulator's picture, the one-hot label map, the way from pixels to [-1, 1] and back.
"""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from sflowgan_tf.device.metadata import Metadata
from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.palette import ColorInput, Recoloring
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.utils.errors import UserError


class TFLiteModel:
    """A TFLite file that paints.

    Attributes:
        file: where it is.
        metadata: what it says of itself.
        size: (width, height) of the label maps and frames that it takes, and of its pictures.
        redraws: whether it holds the DNED, and so takes ensemble weights.
        edges: "laplacian" where the network takes an edge map or has the DNED draw one, else
            "none".
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
            UserError: LiteRT is missing, the file is none of ours or damaged, or the delegate
                can't be loaded.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ModuleNotFoundError as error:
            raise UserError(f"{error}; expected LiteRT: pip install ai-edge-litert") from None

        self.file, self.metadata = file, Metadata.read(file)
        self.size = self.metadata.size
        self._input_names = self.metadata.input_names
        self.redraws = "weights" in self._input_names
        self.edges = "laplacian" if {"edges", "image"} & {*self._input_names} else "none"
        delegates = [_loaded(delegate, options)] if delegate else None
        try:
            self._network = Interpreter(
                str(file), num_threads=threads, experimental_delegates=delegates
            )
            self._network.allocate_tensors()
        except (ValueError, RuntimeError):
            remedy = "export it anew, or install a newer ai-edge-litert"
            raise UserError(f"{file}: damaged, or not for this LiteRT; {remedy}") from None
        self._inputs = self._network.get_input_details()
        (self._output,) = self._network.get_output_details()

    def check_size(self, name: str, picture: np.ndarray) -> None:
        """UserError where `picture`, called `name`, has not the size that the file is made for."""
        height, width = picture.shape[:2]
        if (width, height) != self.size:
            raise UserError(
                f"{name} of {width}x{height}; {self.file} is made for {self.size[0]}x{self.size[1]}"
            )

    def translate(
        self,
        labels: np.ndarray,
        image: np.ndarray,
        weights: np.ndarray | None = None,
        recoloring: Recoloring | None = None,
    ) -> np.ndarray:
        """One scene, painted, (height, width, 3) uint8 RGB; see `translation.model.Engine`.

        Args:
            labels: (height, width) uint8 class indices; others are void.
            image: (height, width, 3) uint8 RGB.
            weights: (6,) of the DNED's side outputs, >= 0; None where the file holds no DNED.
            recoloring: of the image's colours; None for `palette.given()`.

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
        values = network_inputs(
            self._input_names,
            labels,
            image,
            weights,
            recoloring,
            num_classes=self.metadata.classes.num_classes,
            edge_settings=self.metadata.edges,
            appearance=self.metadata.appearance,
        )
        for value, details in zip(values, self._inputs, strict=True):
            self._network.set_tensor(details["index"], _quantized(value, details))
        self._network.invoke()
        painted = self._network.get_tensor(self._output["index"])
        return preprocessing.to_uint8(_dequantized(painted, self._output)[0], np)


def network_inputs(
    names: list[str],
    labels: np.ndarray,
    image: np.ndarray,
    weights: np.ndarray | None,
    recoloring: Recoloring | None,
    *,
    num_classes: int,
    edge_settings: EdgeSettings,
    appearance: ColorInput | None,
) -> list[np.ndarray]:
    """A scene as the network in a file takes it.

    Args:
        names: of the inputs: "labels"; "edges", or "image" for a DNED that sees the picture; then
            "weights" and "colors"; or some of them.
        labels: (height, width) uint8 class indices; others are void.
        image: (height, width, 3) uint8 RGB.
        weights: (6,) of the DNED's side outputs; None where `names` lacks them.
        recoloring: of the image's colours; None for `palette.given()`.
        num_classes: C.
        edge_settings: of the Laplacian edges.
        appearance: how the network is given colours; None where `names` lacks them.

    Returns:
        In the order of `names`, float32: labels (1, height, width, C) in {0, 1}, edges
        (1, height, width, 1) in {0, 1}, image (1, height, width, 3) in [-1, 1], weights (1, 6)
        that sum to 1, colors (1, height, width, 3) in [-1, 1].
    """
    values = {"labels": preprocessing.one_hot(labels[None], num_classes, np)}
    if "edges" in names:
        values["edges"] = preprocessing.laplacian_edges(image[None], edge_settings, np)
    if "image" in names:
        values["image"] = preprocessing.to_signed(image[None], np)
    if weights is not None:
        values["weights"] = (weights / weights.sum())[None]
    if appearance is not None:
        colors = appearance.colors(labels[None], image[None], recoloring)
        values["colors"] = preprocessing.to_signed(colors, np)
    return [values[name] for name in names]


def _loaded(delegate: str, options: dict[str, str] | None) -> Any:
    """A delegate; UserError where the library is missing or is none."""
    from ai_edge_litert.interpreter import load_delegate

    try:
        # LiteRT stumbles twice over a library that is not there, or is no delegate
        ctypes.CDLL(delegate).tflite_plugin_create_delegate  # noqa: B018
        return load_delegate(delegate, options)
    except (AttributeError, OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--delegate {delegate}: can't be loaded ({reason})") from None


def _quantized(value: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """Real numbers as a tensor of the network holds them: rounded to its steps, if it has any."""
    if details["dtype"] == np.float32:
        return np.asarray(value, np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    return np.clip(np.round(value / scale) + zero, limits.min, limits.max).astype(details["dtype"])


def _dequantized(value: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """The real numbers that a tensor of the network stands for."""
    if details["dtype"] == np.float32:
        return value
    scale, zero = details["quantization"]
    return (value.astype(np.float32) - zero) * np.float32(scale)
