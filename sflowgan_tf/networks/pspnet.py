"""PSPNet, the segmenter that judges painted frames: a dilated ResNet under a pyramid of poolings.

A trunk's feature (i, j) looks at the pixel (stride i, stride j), as keras.applications' paddings
have it. Logits and features are enlarged so that they stay there.
"""

import keras
from keras import ops

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pretrained import as_trained, pretrained
from sflowgan_tf.networks.pyramid import PyramidPooling, grouped, positions, resize

RESNET50 = (3, 4, 6, 3)
_STRIDE = 8  # of the stages 3 to 5


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class PSPNet(keras.Model):
    """Frame to class logits.

    Args:
        num_classes: how many classes there are.
        filters: channels of the trunk's first convolution, a multiple of 4; the rest follows in
            ResNet's and PSPNet's proportions.
        units: bottlenecks in each of the four stages.
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

    A pre-trained trunk keeps ImageNet's batch statistics, which a batch of 1 to 4 frames could only
    make worse; a fresh one learns its own.
    """

    def __init__(
        self,
        num_classes,
        filters=64,
        units=RESNET50,
        is_pretrained=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(filters, units, is_pretrained)
        self.num_classes, self.filters, self.units = num_classes, filters, tuple(units)
        self.is_pretrained = is_pretrained
        dtype = self.dtype_policy
        self.trunk = _trunk(filters, self.units, dtype)
        if is_pretrained:
            for layer in self.trunk.layers:
                layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self.pyramid = PyramidPooling(8 * filters, dtype=dtype)
        self.classify = classifier(num_classes, dtype)
        self.auxiliary = [*grouped(4 * filters, 3, dtype), *classifier(num_classes, dtype)]

    def build(self, input_shape):
        """Make the kernels behind the trunk, which has its own already."""
        stage4, stage5 = self.trunk.compute_output_shape((*input_shape[:-1], 3))
        self.pyramid.build(stage5)
        blocks.build_stack(self.classify, self.pyramid.compute_output_shape(stage5))
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
        stage4, stage5 = self._stages(images, training)
        logits = call_aware(self.classify, self.pyramid(stage5), training)
        logits = _enlarged(logits, images)
        if not training:
            return logits
        return logits, _enlarged(call_aware(self.auxiliary, stage4, training), images)

    def features(self, images):
        """What the last classifier sees of `call`'s images: (batch, h, w, channels) floating."""
        return self.pyramid(self._stages(images, training=False)[1])

    def _stages(self, images, training):
        """Stages 4 and 5 of the trunk."""
        return self.trunk(as_trained(images) if self.is_pretrained else images, training=training)

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "filters": self.filters,
            "units": self.units,
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

    It gives the features of stages 4 and 5, both of stride 8.
    """
    inputs = keras.Input((None, None, 3), dtype=dtype.compute_dtype)
    x = keras.layers.ZeroPadding2D(3, dtype=dtype, name="conv1_pad")(inputs)
    x = _convolution(filters, 7, "conv1", dtype, strides=2, padding="valid")(x)
    x = _batch_norm("conv1", dtype)(x)
    x = keras.layers.ReLU(dtype=dtype, name="conv1_relu")(x)
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
    return keras.Model(inputs, stages[2:], name="trunk")


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


def classifier(num_classes, dtype):
    """Dropout and a 1x1 convolution to float32 logits, as a list of layers."""
    return [
        keras.layers.Dropout(0.1, dtype=dtype),
        blocks.convolution(num_classes, 1, dtype="float32"),
    ]


def call_aware(layers, x, training):
    """`blocks.call_stack` for layers that behave otherwise when training."""
    for layer in layers:
        aware = isinstance(layer, keras.layers.Dropout | keras.layers.BatchNormalization)
        x = layer(x, training=training) if aware else layer(x)
    return x


def _enlarged(x, like):
    """Features at every eighth pixel of `like`, bilinearly brought to all of its pixels."""
    return resize(x, [positions(length) / _STRIDE for length in ops.shape(like)[1:3]])
