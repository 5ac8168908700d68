"""vid2vid's training: a generator that sees what it painted before, and a judge of films."""

from typing import Any

import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.networks.sequential import no_past
from sflowgan_tf.ops.flow import dense_flow
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.ops.warp import backward_warp
from sflowgan_tf.training.gan.image_gan import ImageGAN, feature_maps
from sflowgan_tf.training.gan.networks import Networks
from sflowgan_tf.training.gan.objective import Objective
from sflowgan_tf.training.gan.video_gan import single_frames

CLIP = 4  # consecutive frames in an example of phase "video"
JUDGED = 3  # consecutive images that the film's discriminator sees
FILM_CHANNELS = 3 * JUDGED + 2 * (JUDGED - 1)
_FLOW_UNIT = 20.0  # pixels


class SequentialGAN(ImageGAN):
    """vid2vid in phase "video", on clips of four frames; an ImageGAN of first frames before it.

    A clip is painted frame by frame, each from those painted before. The image losses are the mean
    over its frames; to G's, D's and the feature matching loss those of a second discriminator are
    added, which sees three consecutive images and the real flows between them. The generator's flow
    is compared with that of the real frames: by itself, and by the real frame that it fetches.

    To compare with; S-Flow GAN has one generator that sees no frames before.

    Source: Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, sec. 3.2: L_I, L_V and L_W in one
    scale of space and time. That the flows are Farneback's, and that gradients pass through the
    clip, is our choice.
    """

    def __init__(
        self, networks: Networks, objective: Objective, *, farneback: Farneback, **image_gan: Any
    ):
        """Joins built networks.

        Args:
            networks: as `ImageGAN` takes them; the generators are `SequentialGenerator`s, the
                discriminator is a `FilmDiscriminator`.
            objective: as well; the weight of the flow loss is that of L_W.
            farneback: settings of `dense_flow` between the real frames.
            **image_gan: the other arguments of `ImageGAN`.
        """
        super().__init__(networks, objective, **image_gan)
        self.farneback = farneback

    @property
    def frames_per_example(self) -> int:
        """A clip in phase "video"."""
        return CLIP if self.phase == "video" else 1

    def loss_terms(
        self, data: dict[str, tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Losses and curve values of a batch, see `ImageGAN.loss_terms`.

        Args:
            data: as `ImageGAN.train_step` takes it; in phase "video" with an axis of four frames
                behind the batch's.
        """
        if self.phase != "video":
            return super().loss_terms(data)
        weights = tf.repeat(self.ensemble_weights(tf.shape(data["labels"])[0]), CLIP, axis=0)
        seen = self.seen(single_frames(data), weights)
        painted, flows_fake = self._painted(_clips(seen.scene))
        terms, logs = self.judged(seen, tf.reshape(painted, tf.shape(seen.image_real)))
        real, flows_real = _clips(seen.image_real), self._flows(data["image_real"])
        if self.objective.losses.flow:
            fetched = [
                losses.l1_loss(now, backward_warp(before, flow))
                for now, before, flow in zip(real[1:], real[:-1], flows_fake, strict=True)
            ]
            off = [losses.flow_loss(*pair) for pair in zip(flows_real, flows_fake, strict=True)]
            terms["flow_loss"] = tf.add_n(fetched + off) / len(off)
        for name, value in self._film_terms(real, tf.unstack(painted, axis=1), flows_real).items():
            if name in terms:
                terms[name] += value
        return terms, logs

    def _painted(self, scenes: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """A clip's images, (batch, frames, height, width, 3), and the flow of all but the first."""
        images, flows = [self.generator(scenes[0], training=True)], []
        past = no_past(scenes[0])
        for before, scene in zip(scenes[:-1], scenes[1:], strict=True):
            past = past.followed_by(before, images[-1])
            following = self.generator.following(scene, past)
            images.append(following.image)
            flows.append(following.flow)
        return tf.stack(images, axis=1), flows

    def _flows(self, image_real: tf.Tensor) -> list[tf.Tensor]:
        """F(.) from each real frame but the first to the one before it."""
        frames = tf.unstack(image_real, axis=1)
        now, before = tf.concat(frames[1:], axis=0), tf.concat(frames[:-1], axis=0)
        return tf.split(dense_flow(now, before, self.farneback), len(frames) - 1)

    def _film_terms(
        self, real: list[tf.Tensor], fake: list[tf.Tensor], flows: list[tf.Tensor]
    ) -> dict[str, Any]:
        """The losses of the film's discriminator, by the names of the image's."""
        kind = self.objective.losses.gan
        film = self.discriminator.film
        maps = feature_maps(film, _windows(real, flows), _windows(fake, flows))
        logits_real, logits_fake = ([scale[-1] for scale in scales] for scales in maps)
        return {
            "generator_loss": losses.generator_loss(logits_fake, kind),
            "discriminator_loss": losses.discriminator_loss(logits_real, logits_fake, kind),
            "feature_matching_loss": losses.feature_matching_loss(*maps),
        }


def _clips(frames: tf.Tensor) -> list[tf.Tensor]:
    """The frames of clips that lie one after the other along the batch, as a list over time."""
    return tf.unstack(tf.reshape(frames, [-1, CLIP, *frames.shape[1:]]), axis=1)


def _windows(images: list[tf.Tensor], flows: list[tf.Tensor]) -> tf.Tensor:
    """All runs of `JUDGED` images and the flows between them, one after the other in the batch."""
    starts = range(len(images) - JUDGED + 1)
    seen = [
        images[start : start + JUDGED]
        + [flow / _FLOW_UNIT for flow in flows[start : start + JUDGED - 1]]
        for start in starts
    ]
    return tf.concat([tf.concat(window, axis=-1) for window in seen], axis=0)
