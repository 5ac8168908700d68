"""The video GAN of eq. 9: the image GAN on both frames of a pair, and a loss on their flow."""

from typing import Any

import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.ops import images
from sflowgan_tf.ops.flow import dense_flow
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.ops.warp import consistent
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.gan.networks import Networks
from sflowgan_tf.training.gan.objective import Objective


class VideoGAN(ImageGAN):
    """The image losses of both frames + l4 L_flow (eq. 9) in phase "video"; else an ImageGAN.

    One generator paints both frames in one batch and sees nothing that it painted before: so a film
    can be made in any order, and an error in one frame does not reach the next. Both frames have
    the same ensemble weights, as all frames of a film have.

    Source: S-Flow GAN, sec. 3.3. The paper's two generators share their weights, so they are one
    here; that its image losses are the mean over both frames is our choice.
    """

    def __init__(
        self,
        networks: Networks,
        objective: Objective,
        *,
        flow_from_records: bool,
        farneback: Farneback,
        **image_gan: Any,
    ):
        """Joins built networks.

        Args:
            networks: as `ImageGAN` takes them.
            objective: as well; the weight of the flow loss is that of a loss in pixels.
            flow_from_records: whether the data's flow_real is F(.) of its real frames as they are.
                It is not where they were cropped or enlarged, since F(.) of a part differs from the
                part of F(.); then F(.) of the real frames is computed in each step.
            farneback: settings of `dense_flow`, those of flow_real.
            **image_gan: the other arguments of `ImageGAN`.
        """
        super().__init__(networks, objective, **image_gan)
        self.flow_from_records, self.farneback = flow_from_records, farneback

    @property
    def frames_per_example(self) -> int:
        """A pair in phase "video"."""
        return 2 if self.phase == "video" else 1

    def loss_terms(
        self, data: dict[str, tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Losses and curve values of a batch, see `ImageGAN.loss_terms`.

        Args:
            data: as `ImageGAN.train_step` takes it; in phase "video" with an axis of two frames
                behind the batch's, and flow_real (batch, height, width, 2) float32, pixels.
        """
        if self.phase != "video":
            return super().loss_terms(data)
        weights = tf.repeat(self.ensemble_weights(tf.shape(data["labels"])[0]), 2, axis=0)
        terms, logs, image_fake = self.image_terms(single_frames(data), weights)
        fake = image_fake[::2], image_fake[1::2]
        flow_real = self._flow_real(data)
        if self.objective.losses.flow:
            flow_fake = dense_flow(*map(images.to_levels, fake), farneback=self.farneback)
            mask = self._consistent_pixels(data, flow_real)
            terms["flow_loss"] = losses.flow_loss(flow_real, flow_fake, mask)
        if self.objective.losses.warping:
            real = tf.unstack(images.to_signed(data["image_real"]), axis=1)
            terms["warping_loss"] = losses.warping_loss(*fake, flow_real, *real)
        return terms, logs

    def _flow_real(self, data: dict[str, tf.Tensor]) -> tf.Tensor:
        """F(.) of the real pair."""
        if self.flow_from_records:
            return data["flow_real"]
        return dense_flow(*tf.unstack(data["image_real"], axis=1), farneback=self.farneback)

    def _consistent_pixels(
        self, data: dict[str, tf.Tensor], flow_real: tf.Tensor
    ) -> tf.Tensor | None:
        """The pixels on which the real pair's flows, there and back, agree; None for all pixels."""
        if not self.objective.losses.flow_where_consistent:
            return None
        first, second = tf.unstack(data["image_real"], axis=1)
        return consistent(flow_real, dense_flow(second, first, self.farneback))


def single_frames(data: dict[str, Any]) -> dict[str, tf.Tensor]:
    """The frames of each example, one after the other along the batch."""
    return {
        name: tf.reshape(data[name], [-1, *data[name].shape[2:]])
        for name in ("labels", "edges", "image_real")
    }
