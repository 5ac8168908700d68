"""The pyramid of poolings, by which PSPNet knows what is to be seen elsewhere in the frame."""

import keras
from keras import ops

from sflowgan_tf.networks import blocks

BINS = (1, 2, 3, 6)  # regions along each side
GROUP = 16  # channels that are normalised together


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class PyramidPooling(keras.layers.Layer):
    """Features, joined by what each region of the frame holds.

    Poolings into 1, 2, 3 and 6 regions a side, each reduced by a 1x1 convolution, enlarged again,
    put beside the features and joined by a 3x3 convolution.

    Normalisation, our choice for batches of 1 to 4: the coarsest features are one number a frame
    and channel, of which batch statistics are noise, so groups of 16 channels are normalised.

    Args:
        filters: channels of each pooling and of the result, a multiple of 16.
        **kwargs: passed to `keras.layers.Layer`.

    Source: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, sec. 3.2.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.branches = [grouped(filters, 1, self.dtype_policy) for _ in BINS]
        self.join = grouped(filters, 3, self.dtype_policy)

    def build(self, input_shape):
        """Make the kernels."""
        for branch in self.branches:
            blocks.build_stack(branch, input_shape)
        channels = input_shape[-1] + len(BINS) * self.filters
        blocks.build_stack(self.join, (*input_shape[:-1], channels))

    def call(self, inputs):
        """(batch, height, width, channels) to (batch, height, width, filters)."""
        size = ops.shape(inputs)[1:3]
        levels = [inputs]
        for bins, branch in zip(BINS, self.branches, strict=True):
            level = blocks.call_stack(branch, pool(inputs, bins))
            levels.append(resize(level, [_centres(length, bins) for length in size]))
        return blocks.call_stack(self.join, ops.concatenate(levels, axis=-1))

    def compute_output_shape(self, input_shape):
        """The channels become `filters`."""
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "filters": self.filters}


def grouped(filters, kernel_size, dtype):
    """A convolution with group normalisation and a ReLU, as a list of layers."""
    return [
        bare(filters, kernel_size, dtype),
        keras.layers.GroupNormalization(filters // GROUP, epsilon=blocks.EPSILON, dtype=dtype),
        keras.layers.ReLU(dtype=dtype),
    ]


def bare(filters, kernel_size, dtype, **kwargs):
    """A convolution that keeps the size and has no bias, He's kernel."""
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(),
        dtype=dtype,
        **kwargs,
    )


def positions(length):
    """The indices along a side, float32."""
    return ops.arange(length, dtype="float32")


def _centres(length, bins):
    """Where the pixels of a side lie on the grid of its `bins` regions' centres."""
    return (positions(length) + 0.5) * bins / ops.cast(length, "float32") - 0.5


def resize(x, places):
    """Bilinear samples of (batch, height, width, channels) at a grid; float32 inside.

    It is a product with two small matrices. `keras.ops.image.resize` knows other places only for
    the samples, and refuses sizes that are unknown when it is traced.

    Args:
        x: the image.
        places: rows and columns, two vectors; those outside of the image take its border.
    """
    y = ops.cast(x, "float32")
    for axis, where in enumerate(places):
        length = ops.shape(x)[1 + axis]
        last = ops.cast(length - 1, "float32")
        distance = ops.abs(ops.clip(where, 0.0, last)[:, None] - positions(length))
        y = _along(axis, ops.relu(1.0 - distance), y)
    return ops.cast(y, x.dtype)


def pool(x, bins):
    """Means over bins x bins regions that cover (batch, height, width, channels).

    A region goes from floor(i n / bins) to ceil((i + 1) n / bins), so that regions overlap by a
    pixel where they don't divide the side, and none is empty (PyTorch's adaptive pooling).
    """
    y = ops.cast(x, "float32")
    for axis in (0, 1):
        length = ops.shape(x)[1 + axis]
        index, edge = ops.arange(length, dtype="int32"), ops.arange(bins, dtype="int32")
        begin = (edge * length // bins)[:, None]
        end = -(-(edge + 1) * length // bins)[:, None]
        inside = ops.logical_and(index >= begin, index < end)
        shares = ops.cast(inside, "float32") / ops.cast(end - begin, "float32")
        y = _along(axis, shares, y)
    return ops.cast(y, x.dtype)


def _along(axis, matrix, x):
    """(m, n) times the rows (axis 0) or columns (axis 1) of (batch, height, width, channels)."""
    return ops.einsum("mn,bnwc->bmwc" if axis == 0 else "mn,bhnc->bhmc", matrix, x)
