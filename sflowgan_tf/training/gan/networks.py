"""The five networks of a training."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True, kw_only=True, eq=False)
class Networks:
    """The networks that one training step joins; all of them are built.

    Attributes:
        generator: scene (batch, height, width, classes + 1, or + 4 with colours) -> image in
            [-1, 1].
        generator_ema: of the same shape; holds the moving average of the generator's weights.
            Without one it is the generator.
        discriminator: (batch, height, width, channels) -> feature maps, per scale; its channels are
            the one-hot labels, the edge map where it is conditioned on it, and the image.
        dned: edge map (batch, height, width, 1), or image in [-1, 1] -> logits of six side outputs;
            trained where it is trainable.
        features: image in [-1, 1] -> slices of a VGG; never trained.
    """

    generator: keras.Model
    generator_ema: keras.Model
    discriminator: keras.Model
    dned: keras.Model
    features: keras.Model
