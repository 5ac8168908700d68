"""A small PSPNet for small frames, whose poles are thinner than a feature of the large one.

The pyramid of poolings stands at the bottom of a U-Net, which brings its features back to full
size beside the finer ones.
"""

import keras
from keras import ops

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pspnet import call_aware, classifier
from sflowgan_tf.networks.pyramid import PyramidPooling, bare, positions, resize

_WIDTHS = (
    1,
    2,
    4,
    8,
    8,
)  # channels of each size, in units of `filters`; each is half the one before
_MOMENTUM = 0.98  # of the running statistics: trainings are short


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class SmallPSPNet(keras.Model):
    """Frame to class logits.

    Two 3x3 convolutions at each of five sizes, from the full one to a sixteenth; pyramid pooling;
    then back up, each time bilinearly enlarged and joined with the features of that size by one.

    Args:
        num_classes: how many classes there are.
        filters: channels at full size, a multiple of 2.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: `filters` is odd or less than 2.

    Sources: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017; Ronneberger et al., "U-Net",
    2015. How they are put together is ours.
    """

    def __init__(self, num_classes, filters=16, **kwargs):
        super().__init__(**kwargs)
        if filters < 2 or filters % 2:
            raise ValueError(f"filters: expected a multiple of 2, got {filters!r}")
        self.num_classes, self.filters = num_classes, filters
        dtype = self.dtype_policy
        widths = [filters * width for width in _WIDTHS]
        self.down = [_normalized(widths[0], 3, dtype) + _normalized(widths[0], 3, dtype)]
        for width in widths[1:]:
            halved = _normalized(width, 3, dtype, strides=2)
            self.down.append(halved + _normalized(width, 3, dtype))
        self.pyramid = PyramidPooling(widths[-1], dtype=dtype)
        self.narrow = [bare(width, 1, dtype) for width in widths[-2::-1]]
        self.up = [_normalized(width, 3, dtype) for width in widths[-2::-1]]
        self.classify = classifier(num_classes, dtype)

    def build(self, input_shape):
        """Make the kernels."""
        shape, finer = input_shape, []
        for stack in self.down:
            shape = blocks.build_stack(stack, shape)
            finer.append(shape)
        self.pyramid.build(shape)
        for narrow, stack, skipped in zip(self.narrow, self.up, finer[-2::-1], strict=True):
            narrow.build(shape)
            shape = blocks.build_stack(stack, (*skipped[:-1], 2 * skipped[-1]))
        blocks.build_stack(self.classify, shape)
        self.built = True

    def call(self, images, training=None):
        """Classify every pixel.

        Args:
            images: (batch, height, width, 3) floating RGB in [-1, 1], any height and width.
            training: whether dropout is wanted, and batches normalise by their own statistics.

        Returns:
            (batch, height, width, num_classes) float32 logits.
        """
        return call_aware(self.classify, self._at_full_size(images, training), training)

    def features(self, images):
        """What the last classifier sees of `call`'s images: (batch, height, width, filters)."""
        return self._at_full_size(images, training=False)

    def _at_full_size(self, images, training):
        x, finer = images, []
        for stack in self.down:
            x = call_aware(stack, x, training)
            finer.append(x)
        x = self.pyramid(x)
        for narrow, stack, skipped in zip(self.narrow, self.up, finer[-2::-1], strict=True):
            x = _enlarged(narrow(x), skipped)
            x = call_aware(stack, ops.concatenate([x, skipped], axis=-1), training)
        return x

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "filters": self.filters,
        }


def _normalized(filters, kernel_size, dtype, **kwargs):
    """A convolution with batch normalisation and a ReLU, as a list of layers."""
    return [
        bare(filters, kernel_size, dtype, **kwargs),
        keras.layers.BatchNormalization(momentum=_MOMENTUM, dtype=dtype),
        keras.layers.ReLU(dtype=dtype),
    ]


def _enlarged(x, like):
    """Features of half the size, bilinearly brought to the pixels of `like`."""
    return resize(x, [(positions(length) + 0.5) / 2 - 0.5 for length in ops.shape(like)[1:3]])
