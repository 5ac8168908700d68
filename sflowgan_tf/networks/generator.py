"""The generators of pix2pixHD: a global one, and a local enhancer around it for larger images.

Both take a scene (batch, height, width, channels) floating: the one-hot label map, one edge channel
in [0, 1] and perhaps three channels of colours in [-1, 1]. Both give an image (batch, height,
width, 3) float32 in [-1, 1], RGB. Any height and width: the scene is mirrored at the bottom and
right up to what the network divides by, and the image is cropped.
"""

import keras
import numpy as np
from keras import ops

from sflowgan_tf.networks import blocks, stacks


def _color_entry(filters, dtype, colors):
    """1x1 convolution of the colours, which hardly change within the entry's 7 pixels; or None.

    It starts so large that they weigh as much beside labels and edges as in a 7x7 kernel.
    """
    if not colors:
        return None
    return blocks.convolution(filters, 1, stddev=7 * 0.02, use_bias=False, dtype=dtype)


def _build_entry(entry, color_entry, shape):
    if color_entry is None:
        return blocks.build_stack(entry, shape)
    *size, channels = shape
    color_entry.build((*size, 3))
    return blocks.build_stack(entry, (*size, channels - 3))


def _entered(entry, color_entry, scene):
    """The features of a scene after its entry, the colours added before they are normalised."""
    if color_entry is None:
        return blocks.call_stack(entry, scene)
    convolved = blocks.call_stack(entry[:2], scene[..., :-3])
    return blocks.call_stack(entry[2:], convolved + color_entry(_colors(scene)))


def _colors(scene):
    """The scene's last three channels; they are given, and nothing is trained through them."""
    return ops.stop_gradient(scene[..., -3:])


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class ImageHead(keras.layers.Layer):
    """From a generator's last features to its image; in float32 under every policy but for padding.

    Args:
        colors: whether the scene's last three channels are colours, which are added. Their 3x3
            convolution starts as the identity, so a training begins with pictures that are the
            colours themselves, and learns how far a camera blurs the boundaries of the classes,
            which are sharp in them.
        grain: whether `networks.blocks.Grain` is added.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, colors=False, grain=False, **kwargs):
        super().__init__(**kwargs)
        self.convolutions = stacks.head(3, self.dtype_policy)
        self.tint = _tint() if colors else None
        self.grain = blocks.Grain(dtype="float32") if grain else None

    def build(self, input_shape):
        """Make the kernels for features of shape (batch, height, width, channels)."""
        blocks.build_stack(self.convolutions, input_shape)
        if self.tint is not None:
            blocks.build_stack(self.tint, (*input_shape[:-1], 3))
        if self.grain is not None:
            self.grain.build(input_shape)

    def call(self, features, scene):
        """Features and their scene, (batch, height, width, channels), to an image in [-1, 1]."""
        x = blocks.call_stack(self.convolutions, features)
        if self.tint is not None:
            x = x + blocks.call_stack(self.tint, ops.cast(_colors(scene), "float32"))
        if self.grain is not None:
            x = x + self.grain(features)
        return ops.tanh(x)

    def get_config(self):
        """What `from_config` needs."""
        config = {"colors": self.tint is not None, "grain": self.grain is not None}
        return super().get_config() | config


def _tint():
    identity = np.zeros((3, 3, 3, 3), np.float32)
    identity[1, 1] = np.eye(3)
    start = keras.initializers.Constant(identity)
    convolution = keras.layers.Conv2D(
        3, 3, use_bias=False, kernel_initializer=start, dtype="float32"
    )
    return [blocks.ReflectionPadding2D(1, dtype="float32"), convolution]


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class GlobalTrunk(keras.layers.Layer):
    """The global generator up to its last features.

    Args:
        filters: channels at full size; they double with each downsampling.
        downsamplings: how often the size is halved.
        blocks: residual blocks at the smallest size.
        upsampling: see `networks.blocks.Upsample`.
        separable: whether the 3x3 convolutions are `networks.blocks.separable_convolution`s, for
            devices; not with upsampling "transposed".
        skips: whether what goes up is joined, size by size, with what went down: a thin thing of
            the scene reaches the image without passing the smallest size. As in U-Net; pix2pixHD
            has none.
        colors: whether the last three channels of the scene are colours.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        filters=64,
        downsamplings=4,
        blocks=9,
        upsampling="transposed",
        separable=False,
        skips=False,
        colors=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.downsamplings = filters, downsamplings
        self.blocks, self.upsampling, self.separable = blocks, upsampling, separable
        self.skips, self.colors = skips, colors
        self._make_layers()

    def _make_layers(self):
        dtype = self.dtype_policy
        widths = [self.filters * 2**i for i in range(self.downsamplings + 1)]
        self.down = [stacks.entry(widths[0], dtype)]
        self.down += [stacks.down(width, dtype, self.separable) for width in widths[1:]]
        self.color_entry = _color_entry(widths[0], dtype, self.colors)
        self.residuals = [
            blocks.ResidualBlock(widths[-1], self.separable, dtype=dtype)
            for _ in range(self.blocks)
        ]
        self.up = [
            stacks.up(width, self.upsampling, dtype, self.separable)
            for width in reversed(widths[:-1])
        ]

    def build(self, input_shape):
        """Make the kernels."""
        shape = _build_entry(self.down[0], self.color_entry, input_shape)
        finer = [shape]
        for stack in self.down[1:]:
            shape = blocks.build_stack(stack, shape)
            finer.append(shape)
        shape = blocks.build_stack(self.residuals, shape)
        for stack, skipped in zip(self.up, finer[-2::-1], strict=True):
            *size, channels = blocks.build_stack(stack, shape)
            shape = (*size, channels + skipped[-1] * self.skips)

    def call(self, inputs):
        """(batch, height, width, channels) to (batch, height, width, filters, or twice with skips).

        Both sides must divide by 2**downsamplings and be at least twice that.
        """
        x = _entered(self.down[0], self.color_entry, inputs)
        finer = [x]
        for stack in self.down[1:]:
            x = blocks.call_stack(stack, x)
            finer.append(x)
        x = blocks.call_stack(self.residuals, x)
        for stack, skipped in zip(self.up, finer[-2::-1], strict=True):
            x = blocks.call_stack(stack, x)
            if self.skips:
                x = ops.concatenate([x, skipped], axis=-1)
        return x

    def compute_output_shape(self, input_shape):
        """The size stays, the channels become `filters`, or twice as many with skips."""
        return (*input_shape[:-1], self.filters * (1 + self.skips))

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "downsamplings": self.downsamplings,
            "blocks": self.blocks,
            "upsampling": self.upsampling,
            "separable": self.separable,
            "skips": self.skips,
            "colors": self.colors,
        }


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class GlobalGenerator(keras.Model):
    """Scene to image at one scale.

    Args:
        filters: channels at full size; they double with each downsampling.
        downsamplings: how often the size is halved.
        blocks: residual blocks at the smallest size.
        upsampling: see `networks.blocks.Upsample`.
        separable: whether the 3x3 convolutions are `networks.blocks.separable_convolution`s, for
            devices; not with upsampling "transposed".
        skips: see `GlobalTrunk`.
        colors: whether the last three channels of the scene are colours. A 3x3 convolution adds
            them to the image, too: instance normalisation takes away what all pixels have in
            common, as the light of the day, so that no other layer sees it.
        grain: whether the image has `networks.blocks.Grain`.
        **kwargs: passed to `keras.Model`.

    Source: S-Flow GAN leaves the generator open; the layers are those of pix2pixHD's
    `GlobalGenerator`, with which it compares.
    """

    def __init__(
        self,
        filters=64,
        downsamplings=4,
        blocks=9,
        upsampling="transposed",
        separable=False,
        skips=False,
        colors=False,
        grain=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.downsamplings = filters, downsamplings
        self.blocks, self.upsampling, self.separable = blocks, upsampling, separable
        self.skips, self.colors, self.grain = skips, colors, grain
        self.trunk = GlobalTrunk(
            filters,
            downsamplings,
            blocks,
            upsampling,
            separable,
            skips,
            colors,
            dtype=self.dtype_policy,
        )
        self.head = ImageHead(colors, grain, dtype=self.dtype_policy)

    def build(self, input_shape):
        """Make the kernels for scenes of shape (batch, height, width, channels)."""
        self.trunk.build(input_shape)
        self.head.build(self.trunk.compute_output_shape(input_shape))
        self.built = True

    def call(self, scene):
        """Scene (batch, height, width, channels) to image (batch, height, width, 3)."""
        multiple = 2**self.downsamplings
        padded = blocks.pad_to_multiple(scene, multiple, minimum=max(2 * multiple, 4))
        return blocks.crop(self.head(self.trunk(padded), padded), scene)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "downsamplings": self.downsamplings,
            "blocks": self.blocks,
            "upsampling": self.upsampling,
            "separable": self.separable,
            "skips": self.skips,
            "colors": self.colors,
            "grain": self.grain,
        }


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class LocalEnhancer(keras.Model):
    """Scene to image at two scales: global features at half size, refined at full size.

    `global_generator` is the global generator without its last convolution, with 2 * `filters`
    channels at (half) full size. To freeze it see `ImageGAN.enter_phase`; `load_global`
    takes over a trained one.

    Args:
        filters: channels at full size.
        downsamplings: how often the global generator halves its size.
        blocks: residual blocks at half size.
        global_blocks: residual blocks of the global generator.
        upsampling: see `networks.blocks.Upsample`.
        colors: see `GlobalGenerator`.
        grain: see `GlobalGenerator`.
        **kwargs: passed to `keras.Model`.

    Source: pix2pixHD's `LocalEnhancer` with one enhancer.
    """

    def __init__(
        self,
        filters=32,
        downsamplings=4,
        blocks=3,
        global_blocks=9,
        upsampling="transposed",
        colors=False,
        grain=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.downsamplings, self.blocks = filters, downsamplings, blocks
        self.global_blocks, self.upsampling = global_blocks, upsampling
        self.colors, self.grain = colors, grain
        dtype = self.dtype_policy
        self.global_generator = GlobalTrunk(
            2 * filters, downsamplings, global_blocks, upsampling, colors=colors, dtype=dtype
        )
        self.entry = stacks.entry(filters, dtype) + stacks.down(2 * filters, dtype)
        self.color_entry = _color_entry(filters, dtype, colors)
        self.exit = self._exit()
        self.head = ImageHead(colors, grain, dtype=dtype)

    def _exit(self):
        dtype = self.dtype_policy
        residuals = [
            blocks.ResidualBlock(2 * self.filters, dtype=dtype) for _ in range(self.blocks)
        ]
        return residuals + stacks.up(self.filters, self.upsampling, dtype)

    def build(self, input_shape):
        """Make the kernels for scenes of shape (batch, height, width, channels)."""
        self.global_generator.build(input_shape)
        shape = _build_entry(self.entry, self.color_entry, input_shape)
        self.head.build(blocks.build_stack(self.exit, shape))
        self.built = True

    def call(self, scene):
        """Scene (batch, height, width, channels) to image (batch, height, width, 3)."""
        multiple = 2 ** (self.downsamplings + 1)
        padded = blocks.pad_to_multiple(scene, multiple, minimum=max(2 * multiple, 8))
        coarse = self.global_generator(blocks.downsample(padded))
        features = coarse + _entered(self.entry, self.color_entry, padded)
        fine = blocks.call_stack(self.exit, features)
        return blocks.crop(self.head(fine, padded), scene)

    def load_global(self, generator):
        """Take over the weights of a trained global generator; both must be built.

        Args:
            generator: a `GlobalGenerator` with twice this one's `filters` and the same
                `downsamplings`, blocks and scene.

        Raises:
            ValueError: the weights do not fit.
        """
        self.global_generator.set_weights(generator.trunk.get_weights())

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "downsamplings": self.downsamplings,
            "blocks": self.blocks,
            "global_blocks": self.global_blocks,
            "upsampling": self.upsampling,
            "colors": self.colors,
            "grain": self.grain,
        }


def grain_variables(generator):
    """The trainable variables of a generator's grain, any network; an empty list without one."""
    grain = getattr(getattr(generator, "head", None), "grain", None)
    return [] if grain is None else grain.trainable_variables
