"""vid2vid's generator in small: it paints a frame from its scene and from the frames before it."""

from typing import Any, NamedTuple

import keras
from keras import ops

from sflowgan_tf.networks import blocks, stacks
from sflowgan_tf.ops.warp import backward_warp

PAST = 2  # frames that are remembered
_FLOW_SCALE = 20.0  # pixels for an output of 1


class Past(NamedTuple):
    """What was before a frame, the newest last; zeros where a film has not begun yet.

    Attributes:
        scenes: (batch, height, width, PAST * channels).
        images: (batch, height, width, PAST * 3) in [-1, 1].
    """

    scenes: Any
    images: Any

    def followed_by(self, scene: Any, image: Any) -> "Past":
        """The past of the next frame: the oldest one is forgotten."""
        scenes, images = self.scenes[..., scene.shape[-1] :], self.images[..., 3:]
        return Past(
            ops.concatenate([scenes, ops.cast(scene, scenes.dtype)], axis=-1),
            ops.concatenate([images, ops.cast(image, images.dtype)], axis=-1),
        )


def no_past(scene: Any) -> Past:
    """That of a film's first frame, of which `scene` is (batch, height, width, channels)."""
    image = ops.zeros_like(scene[..., :3])
    return Past(ops.tile(ops.zeros_like(scene), (1, 1, 1, PAST)), ops.tile(image, (1, 1, 1, PAST)))


class Following(NamedTuple):
    """A frame that was painted after others.

    Attributes:
        image: (batch, height, width, 3) float32 in [-1, 1].
        flow: (batch, height, width, 2) float32, pixels, from this frame to the one before; dx, dy.
        new: (batch, height, width, 1) float32 in [0, 1], the share that is not fetched from there.
    """

    image: Any
    flow: Any
    new: Any


@keras.saving.register_keras_serializable(package="sflowgan_tf")
class SequentialGenerator(keras.Model):
    """Scenes and the images before to an image: what was seen is moved, what was not is made up.

    image = (1 - new) * (image before, along the flow) + new * made_up.

    Called with a scene alone it paints a film's first frame, which is all made up; `following`
    paints those after it.

    Args:
        filters: channels at full size; they double with each downsampling.
        downsamplings: how often the size is halved.
        blocks: residual blocks on the way to each output, half of them for each input.
        upsampling: see `networks.blocks.Upsample`.
        **kwargs: passed to `keras.Model`.

    Source: Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, sec. 3.2 and the authors' code
    (the composite generator of a single scale, without its separate foreground): two encoders,
    whose features are summed, one for this frame's scene and two before, one for the two images
    before; two decoders, one for the image, one for flow and mask.
    """

    def __init__(self, filters=64, downsamplings=4, blocks=9, upsampling="transposed", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.downsamplings = filters, downsamplings
        self.blocks, self.upsampling = blocks, upsampling
        self.scene_encoder, self.image_encoder = self._encoder(), self._encoder()
        self.painter, self.mover = self._decoder(3), self._decoder(3)

    def _encoder(self):
        dtype, widths = self.dtype_policy, self._widths()
        stack = stacks.entry(widths[0], dtype)
        for width in widths[1:]:
            stack += stacks.down(width, dtype)
        return stack + self._residuals(self.blocks - self.blocks // 2)

    def _decoder(self, channels):
        dtype, stack = self.dtype_policy, self._residuals(self.blocks // 2)
        for width in reversed(self._widths()[:-1]):
            stack += stacks.up(width, self.upsampling, dtype)
        return stack + stacks.head(channels, dtype)

    def _widths(self):
        return [self.filters * 2**level for level in range(self.downsamplings + 1)]

    def _residuals(self, count):
        width = self._widths()[-1]
        return [blocks.ResidualBlock(width, dtype=self.dtype_policy) for _ in range(count)]

    def build(self, input_shape):
        """Make the kernels for scenes of shape (batch, height, width, channels)."""
        *size, channels = input_shape
        features = blocks.build_stack(self.scene_encoder, (*size, channels * (PAST + 1)))
        blocks.build_stack(self.image_encoder, (*size, 3 * PAST))
        for decoder in (self.painter, self.mover):
            blocks.build_stack(decoder, features)
        self.built = True

    @property
    def moving_variables(self) -> list[keras.Variable]:
        """Those that films alone train, and single frames do not."""
        return [v for layer in self.mover for v in layer.trainable_variables]

    def call(self, scene):
        """Scene (batch, height, width, channels) to a first image (batch, height, width, 3)."""
        return blocks.crop(self._made_up(self._features(scene, no_past(scene))), scene)

    def following(self, scene: Any, past: Past) -> Following:
        """The frame after others.

        Args:
            scene: (batch, height, width, channels).
            past: of the frames before, of the same size.
        """
        features = self._features(scene, past)
        made_up = blocks.crop(self._made_up(features), scene)
        moved = blocks.crop(blocks.call_stack(self.mover, features), scene)
        flow, new = _FLOW_SCALE * moved[..., :2], ops.sigmoid(moved[..., 2:])
        before = backward_warp(past.images[..., -3:], flow)
        return Following((1 - new) * before + new * made_up, flow, new)

    def _features(self, scene, past):
        scenes = ops.concatenate([past.scenes, ops.cast(scene, past.scenes.dtype)], axis=-1)
        return blocks.call_stack(self.scene_encoder, self._padded(scenes)) + blocks.call_stack(
            self.image_encoder, self._padded(past.images)
        )

    def _padded(self, x):
        multiple = 2**self.downsamplings
        return blocks.pad_to_multiple(x, multiple, minimum=max(2 * multiple, 4))

    def _made_up(self, features):
        return ops.tanh(blocks.call_stack(self.painter, features))

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "downsamplings": self.downsamplings,
            "blocks": self.blocks,
            "upsampling": self.upsampling,
        }
