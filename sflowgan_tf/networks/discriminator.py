"""The discriminator: PatchGANs on one or several scales.

Its input is the scene and an image, concatenated over channels: (batch, height, width, channels)
floating.
"""

import keras

from sflowgan_tf.networks import blocks


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class PatchGAN(keras.layers.Layer):
    """Convolutions that judge each patch of an image by itself (70x70 pixels at depth 3).

    Args:
        filters: channels after the first convolution; they double up to 8 times that.
        depth: convolutions of stride 2; two of stride 1 follow.
        spectral_norm: whether each kernel is divided by its largest singular value.
        **kwargs: passed to `keras.layers.Layer`.

    Source: pix2pixHD's `NLayerDiscriminator`: 4x4 kernels, zeros 2 deep on all sides, LeakyReLU
    0.2, instance norm on all but the first and last convolution.
    """

    def __init__(self, filters=64, depth=3, spectral_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.depth, self.spectral_norm = filters, depth, spectral_norm
        widths = [filters * 2 ** min(i, 3) for i in range(depth + 1)]
        self.stages = [self._stage(width, 2, i > 0) for i, width in enumerate(widths[:-1])]
        self.stages.append(self._stage(widths[-1], 1, True))
        self.stages.append(self._convolution(1, 1, "float32"))

    def _convolution(self, filters, strides, dtype):
        convolution = blocks.convolution(filters, 4, strides=strides, dtype=dtype)
        if self.spectral_norm:
            # float32 whatever the policy: the wrapper writes the kernel back, and bfloat16 would
            # round it at each step.
            convolution = keras.layers.SpectralNormalization(convolution, dtype="float32")
        return [keras.layers.ZeroPadding2D(2, dtype=self.dtype_policy), convolution]

    def _stage(self, filters, strides, normalised):
        dtype = self.dtype_policy
        stage = self._convolution(filters, strides, dtype)
        if normalised:
            stage.append(blocks.InstanceNormalization(dtype=dtype))
        return [*stage, keras.layers.LeakyReLU(negative_slope=0.2, dtype=dtype)]

    def build(self, input_shape):
        """Make the kernels."""
        for stage in self.stages:
            input_shape = blocks.build_stack(stage, input_shape)

    def call(self, inputs):
        """(batch, height, width, channels) to depth + 2 feature maps, the last the logits."""
        features = []
        for stage in self.stages:
            inputs = blocks.call_stack(stage, inputs)
            features.append(inputs)
        return features

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth": self.depth,
            "spectral_norm": self.spectral_norm,
        }


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class Discriminator(keras.Model):
    """PatchGANs, each with weights of its own, on images that halve from one to the next.

    Args:
        num_scales: how many; the paper finds one enough and compares with three (fig. 4).
        filters: see `PatchGAN`.
        depth: see `PatchGAN`; pix2pixHD calls it n_layers.
        spectral_norm: see `PatchGAN`. A call with `training=True` does one power iteration and
            divides the kernels.
        **kwargs: passed to `keras.Model`.

    Raises:
        ValueError: `num_scales` is below 1.
    """

    def __init__(self, num_scales=1, filters=64, depth=3, spectral_norm=False, **kwargs):
        super().__init__(**kwargs)
        if num_scales < 1:
            raise ValueError(f"num_scales: expected at least 1, got {num_scales!r}")
        self.num_scales, self.filters = num_scales, filters
        self.depth, self.spectral_norm = depth, spectral_norm
        self.scales = [
            PatchGAN(filters, depth, spectral_norm, dtype=self.dtype_policy)
            for _ in range(num_scales)
        ]

    def build(self, input_shape):
        """Make the kernels for inputs of shape (batch, height, width, channels)."""
        for scale in self.scales:
            scale.build(input_shape)
        self.built = True

    def call(self, inputs):
        """Judge scene and image.

        Args:
            inputs: (batch, height, width, channels) floating, any height and width.

        Returns:
            A list over scales, full size first, of the list of depth + 2 feature maps (batch, h, w,
            c); the last of each list is the logits (batch, h, w, 1) float32, positive where the
            image looks real.
        """
        features = []
        for i, scale in enumerate(self.scales):
            inputs = blocks.downsample(inputs) if i else inputs
            features.append(scale(inputs))
        return features

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "num_scales": self.num_scales,
            "filters": self.filters,
            "depth": self.depth,
            "spectral_norm": self.spectral_norm,
        }


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class FilmDiscriminator(Discriminator):
    """A discriminator of single frames, and beside it one of films, which it does not call.

    Args:
        film_channels: of what `film` sees, some consecutive images and the flows between them.
        **settings: of both, as `Discriminator` takes them.

    Attributes:
        film: the `Discriminator` of films.

    Source: Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, sec. 3.2, D_I and D_V.
    """

    def __init__(self, film_channels, **settings):
        super().__init__(**settings)
        self.film_channels = film_channels
        shape = {name: getattr(self, name) for name in ("num_scales", "filters", "depth")}
        self.film = Discriminator(
            spectral_norm=self.spectral_norm, dtype=self.dtype_policy, **shape
        )

    def build(self, input_shape):
        """Make the kernels of both, those of frames for inputs of that shape."""
        super().build(input_shape)
        self.film.build((*input_shape[:-1], self.film_channels))

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "film_channels": self.film_channels}
