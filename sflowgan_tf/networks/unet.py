"""pix2pix' U-Net, a generator to compare with."""

import keras
from keras import ops

from sflowgan_tf.networks import blocks

_WIDEST = 8  # times the first channels
_WITHOUT_DROPOUT = 5  # blocks of the decoder, the last ones
_SLOPE = 0.2


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class UNet(keras.Model):
    """Scene to image through a bottleneck, with skips between equal sizes.

    It takes and gives what the generators of `networks.generator` do, at any height and width:
    the scene is mirrored up to a multiple of 2**`downsamplings`.

    Args:
        filters: channels after the first downsampling; they double with each further one, up to
            eight times as many.
        downsamplings: how often the size is halved, 8 in pix2pix. The decoder's first
            `downsamplings` - 5 blocks have a dropout of a half.
        **kwargs: passed to `keras.Model`.

    Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
    2017, sec. 6.1.1, and the authors' code: 4x4 kernels of stride 2, no normalisation after the
    first and the last layer of the encoder. Instance normalisation without scale and offset instead
    of batch normalisation is our choice; with the paper's batch of one they differ by these alone.
    Dropout acts in training only, while pix2pix keeps it as noise at test time.
    """

    def __init__(self, filters=64, downsamplings=8, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.downsamplings = filters, downsamplings
        dtype = self.dtype_policy
        widths = [filters * min(2**level, _WIDEST) for level in range(downsamplings)]
        self.down = [
            blocks.convolution(
                width,
                4,
                strides=2,
                padding="same",  # one pixel on all sides
                use_bias=level in (0, downsamplings - 1),  # elsewhere the norm would take it out
                dtype=dtype,
            )
            for level, width in enumerate(widths)
        ]
        self.up = [_up(width, use_bias=False, dtype=dtype) for width in reversed(widths[:-1])]
        self.norm = blocks.InstanceNormalization(dtype=dtype)
        self.dropouts = [
            keras.layers.Dropout(0.5, dtype=dtype)
            for _ in range(max(downsamplings - _WITHOUT_DROPOUT, 0))
        ]
        self.head = _up(3, activation="tanh", dtype="float32")

    def build(self, input_shape):
        """Make the kernels for scenes of shape (batch, height, width, channels)."""
        channels = [input_shape[-1], *(layer.filters for layer in self.down)]
        for layer, count in zip(self.down, channels, strict=False):
            layer.build((None, None, None, count))
        count = channels.pop()
        for layer in [*self.up, self.head]:
            layer.build((None, None, None, count))
            count = layer.filters + channels.pop()
        self.built = True

    def call(self, scene, training=None):
        """Scene (batch, height, width, channels) to image (batch, height, width, 3)."""
        x = self.down[0](blocks.pad_to_multiple(scene, 2**self.downsamplings))
        skips = []
        for layer in self.down[1:]:
            skips.append(x)
            x = layer(ops.leaky_relu(x, _SLOPE))
            x = x if layer.use_bias else self.norm(x)  # the innermost may be a single pixel
        for index, layer in enumerate(self.up):
            x = self.norm(layer(ops.relu(x)))
            if index < len(self.dropouts):
                x = self.dropouts[index](x, training=training)
            x = ops.concatenate([skips.pop(), x], axis=-1)
        return blocks.crop(self.head(ops.relu(x)), scene)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "downsamplings": self.downsamplings,
        }


def _up(filters, **kwargs):
    """A 4x4 convolution that doubles the size."""
    return keras.layers.Conv2DTranspose(
        filters,
        4,
        strides=2,
        padding="same",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        **kwargs,
    )
