"""VGG19's features, by which the perceptual loss compares images."""

import keras

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.pretrained import as_trained, pretrained

CONVOLUTIONS = (2, 2, 4, 4, 4)  # from one pooling to the next


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class VGG19Features(keras.Model):
    """Image to the feature maps relu1_1, relu2_1, ... of VGG19; never trained.

    Args:
        weights_from: "imagenet" (keras.applications downloads them), the path of a weights file of
            `keras.applications.VGG19(include_top=False)` (.h5 or .weights.h5), or "random"
            (He-normal).
        slices: how many feature maps, 1 to 5.
        filters: channels of the first convolution; other than 64 only with "random".
        seed: of the "random" weights.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: `slices` is not 1 to 5, or `filters` is not 64 although weights are loaded.
        UserError: the weights cannot be had, or do not fit (when it is built).

    Source: S-Flow GAN, eq. 6, says "slices of VGG"; the five maps are pix2pixHD's. The weights get
    the input that they were trained with: BGR, 0 to 255, minus the mean. Random ones get [-1, 1] as
    it is, which He-normal kernels keep in size.
    """

    def __init__(self, weights_from="imagenet", slices=5, filters=64, seed=0, **kwargs):
        super().__init__(**kwargs)
        if slices not in range(1, 6):
            raise ValueError(f"slices: expected 1 to 5, got {slices!r}")
        if filters != 64 and weights_from != "random":
            raise ValueError(
                f"filters: expected 64, which VGG19's weights have, got {filters!r}; "
                'only weights_from="random" takes others'
            )
        self.weights_from, self.slices = weights_from, slices
        self.filters, self.seed = filters, seed
        # From one feature map to the next: what is left of the block, pooling, the first
        # convolution of the next block.
        self.stages = [[self._convolution(0, 0)]]
        for block in range(1, slices):
            rest = [self._convolution(block - 1, i) for i in range(1, CONVOLUTIONS[block - 1])]
            pool = keras.layers.MaxPooling2D(2, dtype=self.dtype_policy)
            self.stages.append([*rest, pool, self._convolution(block, 0)])
        self.trainable = False

    def _convolution(self, block, index):
        return keras.layers.Conv2D(
            self.filters * min(2**block, 8),
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(self.seed + 10 * block + index),
            dtype=self.dtype_policy,
            name=f"block{block + 1}_conv{index + 1}",  # as keras.applications has it
        )

    def build(self, input_shape):
        """Make the kernels for images of shape (batch, height, width, 3) and load them."""
        for stage in self.stages:
            input_shape = blocks.build_stack(stage, input_shape)
        if self.weights_from != "random":
            self._copy(
                pretrained(
                    "VGG19",
                    self.weights_from,
                    file="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                    setting="perceptual.weights",
                )
            )
        self.built = True

    def _copy(self, vgg):
        for layer in (layer for stage in self.stages for layer in stage):
            if isinstance(layer, keras.layers.Conv2D):
                layer.set_weights(vgg.get_layer(layer.name).get_weights())

    def call(self, images):
        """Features of RGB images.

        Args:
            images: (batch, height, width, 3) floating in [-1, 1], both sides at least
                2**(slices - 1).

        Returns:
            List of `slices` feature maps (batch, h, w, c) in the compute dtype, each half as large
            as the one before.
        """
        x = images if self.weights_from == "random" else as_trained(images)
        features = []
        for stage in self.stages:
            x = blocks.call_stack(stage, x)
            features.append(x)
        return features

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "weights_from": self.weights_from,
            "slices": self.slices,
            "filters": self.filters,
            "seed": self.seed,
        }
