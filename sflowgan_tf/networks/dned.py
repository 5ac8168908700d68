"""DNED, "Deep Neural Edge Detector": six soft edge maps of a hard one, or of a picture."""

import keras
import numpy as np
from keras import ops

from sflowgan_tf.networks import blocks, hed
from sflowgan_tf.networks.hed import CONVOLUTIONS


def _stage(filters, convolutions, dtype):
    return [
        keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(),
            dtype=dtype,
        )
        for _ in range(convolutions)
    ]


def _enlarge(x, factor):
    """Bilinear interpolation of (batch, height, width, 1) to `factor` times the size.

    As in HED it is a transposed convolution with a fixed kernel, around which the border is
    repeated once. `keras.ops.image.resize` would do the same but refuses sizes that are not known
    when it is traced.
    """
    if factor == 1:
        return x
    x = ops.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
    x = ops.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
    ramp = 1 - abs(np.arange(2 * factor) - factor + 0.5) / factor
    kernel = ops.convert_to_tensor(np.outer(ramp, ramp)[..., None, None], dtype="float32")
    border = 3 * factor // 2
    return ops.conv_transpose(x, kernel, factor, "valid")[:, border:-border, border:-border, :]


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class DNED(keras.Model):
    """Edge map, or picture, to side outputs.

    The number of input channels decides which of the two it sees: one of edges in [0, 1], or three
    of RGB in [-1, 1].

    Args:
        filters: channels of the first of five stages; VGG16's multiples 1, 2, 4, 8, 8 follow from
            it.
        weights_from: "random" (He-normal), or "hed": trunk, side outputs and fusion start from
            `networks.hed.dned_weights`.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: there are no weights of HED for `filters` and that input (when it is built).
        UserError: they cannot be had (when it is built).

    Source: S-Flow GAN, sec. 3.2, "modified HED" with N = 6. Our reading: HED (Xie and Tu, 2015) on
    the edge map E(x), or on the picture x: a VGG16-shaped trunk, a 1x1 convolution after each
    stage's last ReLU, bilinear upsampling to full size, and a 1x1 fusion of the five that starts as
    0.2 times their sum.
    """

    def __init__(self, filters=64, weights_from="random", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.weights_from = filters, weights_from
        dtype = self.dtype_policy
        self.stages = [
            _stage(filters * min(2**i, 8), count, dtype) for i, count in enumerate(CONVOLUTIONS)
        ]
        self.pool = keras.layers.MaxPooling2D(2, dtype=dtype)
        self.sides = [blocks.convolution(1, 1, dtype="float32") for _ in CONVOLUTIONS]
        self.fuse = keras.layers.Conv2D(
            1, 1, kernel_initializer=keras.initializers.Constant(0.2), dtype="float32"
        )

    def build(self, input_shape):
        """Make the kernels for edge maps of shape (batch, height, width, channels)."""
        for stage, side in zip(self.stages, self.sides, strict=True):
            input_shape = blocks.build_stack(stage, input_shape)
            side.build(input_shape)
        self.fuse.build((*input_shape[:-1], len(self.sides)))
        if self.weights_from == "hed":
            weights = hed.dned_weights(self.filters, self.stages[0][0].kernel.shape[2])
            self.set_convolutions(weights)
        self.built = True

    def convolutions(self):
        """All layers with weights: those of the trunk, the side outputs, the fusion."""
        return [*(layer for stage in self.stages for layer in stage), *self.sides, self.fuse]

    def set_convolutions(self, weights):
        """Fill `convolutions` with kernels and biases in their order."""
        for layer, values in zip(self.convolutions(), weights, strict=True):
            layer.set_weights(values)

    def call(self, edges):
        """Find soft edges.

        Args:
            edges: (batch, height, width, 1) floating in [0, 1], or (batch, height, width, 3)
                floating in [-1, 1], any height and width.

        Returns:
            (batch, height, width, 6) float32 logits: the five side outputs, fine to coarse, and the
            fused one.
        """
        x = blocks.pad_to_multiple(edges, 16)
        sides = []
        for i, stage in enumerate(self.stages):
            x = blocks.call_stack(stage, self.pool(x) if i else x)
            sides.append(_enlarge(self.sides[i](x), 2**i))
        five = ops.concatenate(sides, axis=-1)
        return blocks.crop(ops.concatenate([five, self.fuse(five)], axis=-1), edges)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "weights_from": self.weights_from,
        }
