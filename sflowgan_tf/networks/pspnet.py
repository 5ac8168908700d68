"""PSPNet, the segmenter that judges painted frames: a dilated ResNet under a pyramid of poolings.

A trunk's feature (i, j) looks at the pixel (stride i, stride j), as keras.applications' paddings
have it. Logits and features are enlarged so that they stay there.
"""

import keras
from keras import ops

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pretrained import as_trained, pretrained

BINS = (1, 2, 3, 6)  # of the pyramid: regions along each side
RESNET50 = (3, 4, 6, 3)
_STRIDE = 8  # of the stages 3 to 5
_GROUP = 16  # channels that are normalised together


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class PSPNet(keras.Model):
    """Frame to class logits.

    Args:
        num_classes: how many classes there are.
        filters: channels of the trunk's first convolution, a multiple of 4; the rest follows in
            ResNet's and PSPNet's proportions.
        units: bottlenecks in each of the four stages.
        decoder: 0 enlarges the coarse logits bilinearly, as PSPNet does. For small frames, whose
            poles are thinner than 8 pixels: channels at full size of a decoder that doubles the
            features three times, each time beside the trunk's of that size (U-Net).
        is_pretrained: the trunk will take ImageNet's weights (`load_trunk`): it gets the input that
            they were trained with, and its batch normalisation stays as it is.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: `filters` or `units` are none of the above, or not ResNet-50's though they will
            take its weights.

    Source: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017: stages 4 and 5 dilated by 2 and
    4 instead of strided, poolings into 1, 2, 3 and 6 regions a side reduced to a quarter of the
    channels each, an auxiliary classifier on stage 4. The paper's trunk starts with three 3x3
    convolutions; ours with keras.applications' 7x7, for its weights.

    Normalisation, our choice for batches of 1 to 4: the pyramid's coarsest features are one number
    a frame and channel, of which batch statistics are noise, so the pyramid and what joins it
    normalise groups of 16 channels. A pre-trained trunk keeps ImageNet's statistics. A fresh one
    and the decoder have thousands of features a channel even from one frame, and learn their own.
    """

    def __init__(
        self,
        num_classes,
        filters=64,
        units=RESNET50,
        decoder=0,
        is_pretrained=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(filters, units, is_pretrained)
        self.num_classes, self.filters, self.units = num_classes, filters, tuple(units)
        self.decoder, self.is_pretrained = decoder, is_pretrained
        dtype = self.dtype_policy
        self.trunk = _trunk(filters, self.units, dtype)
        if is_pretrained:
            for layer in self.trunk.layers:
                layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self.pyramid = [_grouped(8 * filters, 1, dtype) for _ in BINS]
        self.join = _grouped(8 * filters, 3, dtype)
        self.doublings = [_decoding(decoder * 2**i, dtype) for i in (2, 1, 0) if decoder]
        self.classify = _classifier(num_classes, dtype)
        self.auxiliary = [*_grouped(4 * filters, 3, dtype), *_classifier(num_classes, dtype)]

    def build(self, input_shape):
        """Make the kernels behind the trunk, which has its own already."""
        *finer, stage4, stage5 = self.trunk.compute_output_shape((*input_shape[:-1], 3))
        for branch in self.pyramid:
            blocks.build_stack(branch, stage5)
        channels = stage5[-1] + len(BINS) * 8 * self.filters
        shape = blocks.build_stack(self.join, (*stage5[:-1], channels))
        for doubling, skipped in zip(self.doublings, [*finer[::-1], input_shape], strict=False):
            shape = (*skipped[:-1], shape[-1] + skipped[-1])
            shape = blocks.build_stack(doubling, shape)
        blocks.build_stack(self.classify, shape)
        blocks.build_stack(self.auxiliary, stage4)
        self.built = True

    def load_trunk(self, weights_from):
        """Fill the trunk.

        Args:
            weights_from: "imagenet" or a file, as `pretrained` takes it for ResNet50.

        Raises:
            UserError: the weights cannot be had, or do not fit.
        """
        resnet = pretrained(
            "ResNet50",
            weights_from,
            file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
            setting="segmenter.weights",
        )
        for layer in (layer for layer in self.trunk.layers if layer.weights):
            layer.set_weights(resnet.get_layer(layer.name).get_weights())

    def call(self, images, training=None):
        """Classify every pixel.

        Args:
            images: (batch, height, width, 3) floating RGB in [-1, 1], any height and width.
            training: whether dropout and the auxiliary classifier are wanted.

        Returns:
            (batch, height, width, num_classes) float32 logits; when training a pair of them, the
            auxiliary classifier's second.
        """
        x = as_trained(images) if self.is_pretrained else images
        *finer, stage4, stage5 = self.trunk(x, training=training)
        features = self._with_context(stage5, training)
        for doubling, skipped in zip(self.doublings, [*finer[::-1], images], strict=False):
            features = ops.concatenate([_doubled(features, skipped), skipped], axis=-1)
            features = _call(doubling, features, training)
        logits = _call(self.classify, features, training)
        if not self.doublings:
            logits = _enlarged(logits, images)
        if not training:
            return logits
        return logits, _enlarged(_call(self.auxiliary, stage4, training), images)

    def _with_context(self, stage5, training):
        """The pyramid: what each region holds joins every feature in it."""
        size = ops.shape(stage5)[1:3]
        levels = [stage5]
        for bins, branch in zip(BINS, self.pyramid, strict=True):
            level = _call(branch, _pool(stage5, bins), training)
            levels.append(_resize(level, [_centres(length, bins) for length in size]))
        return _call(self.join, ops.concatenate(levels, axis=-1), training)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "filters": self.filters,
            "units": self.units,
            "decoder": self.decoder,
            "is_pretrained": self.is_pretrained,
        }


def _check(filters, units, is_pretrained):
    if filters < 4 or filters % 4:
        raise ValueError(f"filters: expected a multiple of 4, got {filters!r}")
    if len(units) != 4 or min(units) < 1:
        raise ValueError(f"units: expected four numbers of 1 or more, got {units!r}")
    if is_pretrained and (filters, tuple(units)) != (64, RESNET50):
        raise ValueError(
            f"filters, units: expected 64 and {RESNET50}, which ResNet-50's weights have, "
            f"got {filters!r} and {units!r}; only fresh weights take others"
        )


def _trunk(filters, units, dtype):
    """ResNet with keras.applications' names and paddings.

    It gives features of stride 2 (the first convolution's), 4 (stage 2), 8 and 8 (stages 4, 5).
    """
    inputs = keras.Input((None, None, 3), dtype=dtype.compute_dtype)
    x = keras.layers.ZeroPadding2D(3, dtype=dtype, name="conv1_pad")(inputs)
    x = _convolution(filters, 7, "conv1", dtype, strides=2, padding="valid")(x)
    x = _batch_norm("conv1", dtype)(x)
    x = first = keras.layers.ReLU(dtype=dtype, name="conv1_relu")(x)
    x = keras.layers.ZeroPadding2D(1, dtype=dtype, name="pool1_pad")(x)
    x = keras.layers.MaxPooling2D(3, strides=2, dtype=dtype, name="pool1_pool")(x)
    stages = []
    for stage, (count, stride, dilation) in enumerate(
        zip(units, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)
    ):
        for unit in range(count):
            x = _bottleneck(
                x,
                filters * 2**stage,
                stride=1 if unit else stride,
                dilation=dilation,
                projects=not unit,
                name=f"conv{stage + 2}_block{unit + 1}",
                dtype=dtype,
            )
        stages.append(x)
    return keras.Model(inputs, [first, stages[0], *stages[2:]], name="trunk")


def _bottleneck(x, filters, *, stride, dilation, projects, name, dtype):
    """1x1, 3x3 and 1x1 convolutions to four times the filters beside a shortcut."""
    shortcut = x
    if projects:
        shortcut = _convolution(4 * filters, 1, f"{name}_0", dtype, strides=stride)(x)
        shortcut = _batch_norm(f"{name}_0", dtype)(shortcut)
    x = _convolution(filters, 1, f"{name}_1", dtype, strides=stride)(x)
    x = _batch_norm(f"{name}_1", dtype)(x)
    x = keras.layers.ReLU(dtype=dtype, name=f"{name}_1_relu")(x)
    x = _convolution(filters, 3, f"{name}_2", dtype, dilation_rate=dilation)(x)
    x = _batch_norm(f"{name}_2", dtype)(x)
    x = keras.layers.ReLU(dtype=dtype, name=f"{name}_2_relu")(x)
    x = _convolution(4 * filters, 1, f"{name}_3", dtype)(x)
    x = _batch_norm(f"{name}_3", dtype)(x)
    x = keras.layers.Add(dtype=dtype, name=f"{name}_add")([shortcut, x])
    return keras.layers.ReLU(dtype=dtype, name=f"{name}_out")(x)


def _convolution(filters, kernel_size, name, dtype, padding="same", **kwargs):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding=padding,
        kernel_initializer=keras.initializers.HeNormal(),
        dtype=dtype,
        name=f"{name}_conv",
        **kwargs,
    )


def _batch_norm(name, dtype):
    return keras.layers.BatchNormalization(epsilon=1.001e-5, dtype=dtype, name=f"{name}_bn")


def _grouped(filters, kernel_size, dtype):
    """A convolution with group normalisation and a ReLU."""
    return [
        _bare(filters, kernel_size, dtype),
        keras.layers.GroupNormalization(filters // _GROUP, epsilon=blocks.EPSILON, dtype=dtype),
        keras.layers.ReLU(dtype=dtype),
    ]


def _decoding(filters, dtype):
    """A 3x3 convolution with batch normalisation and a ReLU."""
    return [
        _bare(filters, 3, dtype),
        keras.layers.BatchNormalization(dtype=dtype),
        keras.layers.ReLU(dtype=dtype),
    ]


def _bare(filters, kernel_size, dtype):
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(),
        dtype=dtype,
    )


def _classifier(num_classes, dtype):
    return [
        keras.layers.Dropout(0.1, dtype=dtype),
        blocks.convolution(num_classes, 1, dtype="float32"),
    ]


def _call(layers, x, training):
    """`blocks.call_stack` for layers that behave otherwise when training."""
    for layer in layers:
        aware = isinstance(layer, keras.layers.Dropout | keras.layers.BatchNormalization)
        x = layer(x, training=training) if aware else layer(x)
    return x


def _enlarged(x, like):
    """Features at every eighth pixel of `like`, bilinearly brought to all of its pixels."""
    return _resize(x, [_positions(length) / _STRIDE for length in ops.shape(like)[1:3]])


def _doubled(x, like):
    """Features at every other pixel of `like`, bilinearly brought to all of its pixels."""
    below = ops.concatenate([x[:, 1:], x[:, -1:]], axis=1)
    batch, height, width, channels = ops.shape(x)
    x = ops.reshape(ops.stack([x, (x + below) / 2], 2), (batch, 2 * height, width, channels))
    right = ops.concatenate([x[:, :, 1:], x[:, :, -1:]], axis=2)
    x = ops.reshape(ops.stack([x, (x + right) / 2], 3), (batch, 2 * height, 2 * width, channels))
    return blocks.crop(x, like)


def _positions(length):
    return ops.arange(length, dtype="float32")


def _centres(length, bins):
    """Where the pixels of a side lie on the grid of its `bins` regions' centres."""
    return (_positions(length) + 0.5) * bins / ops.cast(length, "float32") - 0.5


def _resize(x, positions):
    """Bilinear samples of (batch, height, width, channels) at a grid; float32 inside.

    It is a product with two small matrices. `keras.ops.image.resize` knows other places only for
    the samples, and refuses sizes that are unknown when it is traced.

    Args:
        x: the image.
        positions: rows and columns, two vectors; places outside of the image take its border.
    """
    y = ops.cast(x, "float32")
    for axis, where in enumerate(positions):
        length = ops.shape(x)[1 + axis]
        last = ops.cast(length - 1, "float32")
        distance = ops.abs(ops.clip(where, 0.0, last)[:, None] - _positions(length))
        y = _along(axis, ops.relu(1.0 - distance), y)
    return ops.cast(y, x.dtype)


def _pool(x, bins):
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
