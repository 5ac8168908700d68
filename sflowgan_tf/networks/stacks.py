"""Stacks of layers that pix2pixHD's generators are made of, and vid2vid's."""

import keras

from sflowgan_tf.networks import blocks


def entry(filters, dtype):
    """7x7 convolution at full size."""
    return [
        blocks.ReflectionPadding2D(3, dtype=dtype),
        blocks.convolution(filters, 7, dtype=dtype),
        *_normalised(dtype),
    ]


def down(filters, dtype, separable=False):
    """3x3 convolution of stride 2, padded alike on all sides (TF's "same" would not be)."""
    convolve = blocks.separable_convolution if separable else blocks.convolution
    return [
        keras.layers.ZeroPadding2D(1, dtype=dtype),
        convolve(filters, 3, strides=2, dtype=dtype),
        *_normalised(dtype),
    ]


def up(filters, method, dtype, separable=False):
    """Twice the size; `method` as `networks.blocks.Upsample` takes it."""
    return [blocks.Upsample(filters, method, separable, dtype=dtype), *_normalised(dtype)]


def head(channels, dtype):
    """7x7 convolution to a few channels, in float32 under every policy."""
    return [
        blocks.ReflectionPadding2D(3, dtype=dtype),
        blocks.convolution(channels, 7, dtype="float32"),
    ]


def _normalised(dtype):
    return [blocks.InstanceNormalization(dtype=dtype), keras.layers.ReLU(dtype=dtype)]
