"""Building blocks of the networks.

Everything here is (batch, height, width, channels), takes any height and width (unknown ones too)
and stays 4-D, so that TFLite's GPU delegate can run what is exported.
"""

import keras
import numpy as np
from keras import ops

UPSAMPLINGS = ("transposed", "nearest", "bilinear")
EPSILON = 1e-5
_PERIOD = 256  # pixels
_SIGMAS = (0.0, 1.0, 2.0)  # pixels, by which the noises of `Grain` are blurred
_FIRST_STRENGTH, _STRONGEST = 0.01, 0.0625  # of an image in [-1, 1]


def convolution(filters, kernel_size, stddev=0.02, **kwargs):
    """A `Conv2D` without padding of its own, its bias zero.

    Args:
        filters: channels that come out.
        kernel_size: side of the square kernel.
        stddev: of the normal distribution from which the kernel is drawn; pix2pixHD's.
        **kwargs: passed to `keras.layers.Conv2D`.

    Returns:
        A new layer with an initializer of its own: a shared one would give equal kernels.
    """
    initializer = keras.initializers.RandomNormal(stddev=stddev)
    return keras.layers.Conv2D(filters, kernel_size, kernel_initializer=initializer, **kwargs)


def separable_convolution(filters, kernel_size, **kwargs):
    """A depthwise convolution, then a 1x1 one: far fewer parameters and operations.

    Args:
        filters: channels that come out.
        kernel_size: side of the square kernel.
        **kwargs: passed to `keras.layers.SeparableConv2D`.

    Returns:
        A new layer without padding of its own, its bias zero. The 1x1 kernel starts as
        `convolution`'s; the depthwise one so that it keeps the variance of what comes in, since an
        instance norm follows whose epsilon must stay small beside it.
    """
    return keras.layers.SeparableConv2D(
        filters,
        kernel_size,
        depthwise_initializer=keras.initializers.RandomNormal(stddev=1 / kernel_size),
        pointwise_initializer=keras.initializers.RandomNormal(stddev=0.02),
        **kwargs,
    )


def build_stack(layers, input_shape):
    """Build layers that are called one after the other.

    Args:
        layers: the layers in the order of their calls.
        input_shape: (batch, height, width, channels) of the first one's input; None where unknown.

    Returns:
        The shape that comes out of the last layer.
    """
    for layer in layers:
        layer.build(input_shape)
        input_shape = layer.compute_output_shape(input_shape)
    return input_shape


def call_stack(layers, x):
    """Call layers one after the other and return the last output."""
    for layer in layers:
        x = layer(x)
    return x


def _reflect_end(x, axis, size):
    """Grow `axis` to `size` by mirroring at its end, as often as it takes."""
    old = ops.shape(x)[axis]
    if isinstance(old, int) and old == size:
        return x
    if isinstance(old, int) and size - old < old:  # MIRROR_PAD, which TFLite runs on a GPU
        return ops.pad(x, [(0, size - old if i == axis else 0) for i in range(4)], mode="reflect")
    period = ops.maximum(2 * (old - 1), 1)
    index = ops.arange(0, size, dtype="int32") % period
    return ops.take(x, ops.minimum(index, period - index), axis=axis)


def pad_to_multiple(x, multiple, minimum=1):
    """Mirror the bottom and right border outwards until both sides are multiples.

    Args:
        x: (batch, height, width, channels).
        multiple: both sides of the result divide by it.
        minimum: least side of the result, itself a multiple.

    Returns:
        (batch, height', width', channels) in the dtype of `x`; sizes smaller than the pad are
        mirrored several times (a single row or column is repeated). `crop` is the way back.
    """
    for axis in (1, 2):
        size = -(-ops.shape(x)[axis] // multiple) * multiple
        size = max(size, minimum) if isinstance(size, int) else ops.maximum(size, minimum)
        x = _reflect_end(x, axis, size)
    return x


def crop(x, like):
    """The top left part of the image `x` with the height and width of the image `like`."""
    height, width = ops.shape(like)[1:3]
    return x[:, :height, :width, :]


def downsample(x):
    """Halve an image: average pool 3, stride 2, pad 1, the padding not counted.

    Args:
        x: (batch, height, width, channels) floating.

    Returns:
        (batch, ceil(height / 2), ceil(width / 2), channels) in the dtype of `x`.

    Source: pix2pixHD, between the scales of the discriminator and of the generator. Zeros are
    pooled and the result is divided by the share of real pixels, since backends differ in what
    "same" pads and counts.
    """
    height, width = ops.shape(x)[1:3]
    padding = ((0, 0), (1, 1), (1, 1), (0, 0))
    share = ops.pad(ops.ones((1, height, width, 1), dtype=x.dtype), padding)
    pooled, share = (ops.average_pool(y, 3, 2, "valid") for y in (ops.pad(x, padding), share))
    return pooled / share


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class InstanceNormalization(keras.layers.Layer):
    """Brings each channel of each image to mean 0 and variance 1, without scale and offset.

    In and out are (batch, height, width, channels) in the compute dtype; the statistics are
    float32. Epsilon is 1e-5 as in pix2pixHD. `keras.layers.GroupNormalization(groups=-1)` gives the
    same values through a 5-D reshape.
    """

    def call(self, inputs):
        """Normalise (batch, height, width, channels) over height and width."""
        x = ops.cast(inputs, "float32")
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        return ops.cast(x * ops.rsqrt(variance + EPSILON), inputs.dtype)

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class ReflectionPadding2D(keras.layers.Layer):
    """Mirrors an image outwards, its border pixels not repeated.

    Args:
        padding: pixels on each of the four sides; the image must be larger than that.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        """Pad (batch, height, width, channels) to (batch, height + 2p, width + 2p, channels)."""
        pair = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), pair, pair, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        """Both sides grow by 2p; unknown ones stay unknown."""
        batch, *sides, channels = input_shape
        return (batch, *(side and side + 2 * self.padding for side in sides), channels)

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class ResidualBlock(keras.layers.Layer):
    """x + f(x), f twice a reflected 3x3 convolution with instance norm, a ReLU between them.

    Args:
        filters: channels that come in and go out.
        separable: whether the convolutions are `separable_convolution`s.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(self, filters, separable=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.separable = filters, separable
        dtype = self.dtype_policy
        convolve = separable_convolution if separable else convolution
        self.stack = [
            ReflectionPadding2D(1, dtype=dtype),
            convolve(filters, 3, dtype=dtype),
            InstanceNormalization(dtype=dtype),
            keras.layers.ReLU(dtype=dtype),
            ReflectionPadding2D(1, dtype=dtype),
            convolve(filters, 3, dtype=dtype),
            InstanceNormalization(dtype=dtype),
        ]

    def build(self, input_shape):
        """Make the two kernels."""
        build_stack(self.stack, input_shape)

    def call(self, inputs):
        """(batch, height, width, filters) in and out, both sides at least 2."""
        return inputs + call_stack(self.stack, inputs)

    def compute_output_shape(self, input_shape):
        """The shape stays."""
        return input_shape

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "filters": self.filters, "separable": self.separable}


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class Upsample(keras.layers.Layer):
    """Doubles both sides with a learnt 3x3 kernel.

    Args:
        filters: channels that come out.
        method: "transposed": PyTorch's ConvTranspose2d(3, stride=2, padding=1, output_padding=1),
            as pix2pixHD has it; "nearest": each pixel four times, then a 3x3 convolution, which
            cannot draw checkerboards of flat features, but steps of slopes; "bilinear": between
            the pixels' centres, so that slopes stay smooth. All have the same parameters.
        separable: whether the convolution is a `separable_convolution`; not for "transposed".
        **kwargs: passed to `keras.layers.Layer`.

    Raises:
        ValueError: `method` is another word, or has no separable form.
    """

    def __init__(self, filters, method="transposed", separable=False, **kwargs):
        super().__init__(**kwargs)
        if method not in UPSAMPLINGS:
            raise ValueError(f"method: expected one of {UPSAMPLINGS}, got {method!r}")
        if separable and method == "transposed":
            raise ValueError("method: 'transposed' has no separable form")
        self.filters, self.method, self.separable = filters, method, separable
        if method == "transposed":
            self.convolution = keras.layers.Conv2DTranspose(
                filters,
                3,
                strides=2,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=self.dtype_policy,
            )
        else:
            convolve = separable_convolution if separable else convolution
            self.convolution = convolve(filters, 3, padding="same", dtype=self.dtype_policy)

    def build(self, input_shape):
        """Make the kernel."""
        self.convolution.build(input_shape)

    def call(self, inputs, training=False):
        """(batch, height, width, channels) to (batch, 2 height, 2 width, filters)."""
        if self.method == "transposed":
            return self.convolution(inputs)[:, 1:, 1:, :]  # 2n + 1; PyTorch crops 1 at the start
        if self.method == "nearest":
            return self.convolution(_repeated(inputs))
        return self.convolution(_interpolated(inputs, training))

    def compute_output_shape(self, input_shape):
        """Both sides double; unknown ones stay unknown."""
        batch, height, width, _ = input_shape
        return (batch, height and 2 * height, width and 2 * width, self.filters)

    def get_config(self):
        """What `from_config` needs."""
        names = ("filters", "method", "separable")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _repeated(x):
    """Nearest neighbour times 2, by operations that XLA differentiates and TFLite runs in 4-D."""
    batch, height, width, channels = ops.shape(x)
    x = ops.reshape(ops.concatenate([x, x], axis=3), (batch, height, 1, 2 * width * channels))
    return ops.reshape(ops.concatenate([x, x], axis=3), (batch, 2 * height, 2 * width, channels))


def _interpolated(x, training):
    """Bilinear times 2 between the pixels' centres, by such operations; borders are repeated."""
    batch, height, width, channels = ops.shape(x)
    x = ops.concatenate(_quarters(x, 2, training), axis=3)
    x = ops.reshape(x, (batch, height, 1, 2 * width * channels))
    x = ops.concatenate(_quarters(x, 1, training), axis=3)
    return ops.reshape(x, (batch, 2 * height, 2 * width, channels))


def _quarters(x, axis, training):
    """At each place of `axis` the values a quarter before it and a quarter behind it."""
    size = x.shape[axis]
    if training and size is not None:
        # the gradient of a slice fills a whole tensor with zeros, that of a split does not
        first, all_but_first = ops.split(x, [1], axis=axis)
        all_but_last, last = ops.split(x, [size - 1], axis=axis)
    elif axis == 1:
        first, all_but_first, all_but_last, last = x[:, :1], x[:, 1:], x[:, :-1], x[:, -1:]
    else:
        first, all_but_first = x[:, :, :1], x[:, :, 1:]
        all_but_last, last = x[:, :, :-1], x[:, :, -1:]
    before = ops.concatenate([first, all_but_last], axis=axis)
    behind = ops.concatenate([all_but_first, last], axis=axis)
    own = 0.75 * x
    return [own + 0.25 * before, own + 0.25 * behind]


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class Grain(keras.layers.Layer):
    """Noise that is added to an image: a camera's grain, and the small stones of a road.

    Three kinds of it, finer and coarser ones, each as strong at a pixel as the features there say;
    how they say so is learnt, without a gradient to the features. None is stronger than a sensor's,
    8 of 255 levels. The noises are the same for every picture, so a scene is always painted alike,
    and repeat themselves every 256 pixels.

    Source: the noise inputs of StyleGAN (Karras et al. 2019), here behind all other layers.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._noises = _noises()
        self.strength = keras.layers.Conv2D(
            len(_SIGMAS),
            1,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(_FIRST_STRENGTH),
            dtype="float32",
        )

    def build(self, input_shape):
        """Make the kernel."""
        self.strength.build(input_shape)

    def call(self, features):
        """Features (batch, height, width, channels) to (batch, height, width, 1) float32."""
        size = ops.shape(features)[1:3]
        xp = np if all(isinstance(side, int) for side in size) else ops  # a constant, for TFLite
        noises = self._noises
        for axis, side in enumerate(size, start=1):
            noises = xp.take(noises, xp.arange(side) % _PERIOD, axis=axis)
        strength = self.strength(ops.stop_gradient(features))
        strength = ops.clip(strength, -_STRONGEST, _STRONGEST)
        return ops.sum(strength * noises, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        """The size stays, one channel is left."""
        return (*input_shape[:-1], 1)


def _noises():
    """(1, 256, 256, 3) float32: white noise, blurred and brought to variance 1."""
    white = np.random.default_rng(0).standard_normal((len(_SIGMAS), _PERIOD, _PERIOD))
    frequency = np.fft.fftfreq(_PERIOD)
    squared = np.square(frequency)[:, None] + np.square(frequency)
    blurs = np.exp(-2 * np.square(np.pi * np.array(_SIGMAS))[:, None, None] * squared)
    noises = np.fft.ifft2(np.fft.fft2(white) * blurs).real
    noises /= noises.std((1, 2), keepdims=True)
    return np.moveaxis(noises, 0, -1)[None].astype(np.float32)
