"""DNED, "Deep Neural Edge Detector": six soft edge maps out of a hard one."""

import keras
import numpy as np
from keras import ops

from sflowgan_tf.networks import blocks

CONVOLUTIONS = (2, 2, 3, 3, 3)  # VGG16's, from one pooling to the next


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
    """Edge map to side outputs.

    Args:
        filters: channels of the first of five stages; VGG16's multiples 1, 2, 4, 8, 8 follow from
            it.
        **kwargs: passed to `keras.Model`.

    Source: S-Flow GAN, sec. 3.2, "modified HED" with N = 6. Our reading: HED (Xie and Tu, 2015) on
    the edge map E(x): a VGG16-shaped trunk, a 1x1 convolution after each stage's last ReLU,
    bilinear upsampling to full size, and a 1x1 fusion of the five that starts as 0.2 times their
    sum. The trunk starts He-normal, since no weights fit one channel.
    """

    def __init__(self, filters=64, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
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
        self.built = True

    def call(self, edges):
        """Soften an edge map.

        Args:
            edges: (batch, height, width, channels) floating in [0, 1], any height and width.

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
        return {**super().get_config(), "filters": self.filters}
