"""What a training of the GAN minimises."""

from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from sflowgan_tf.config import Config, Dned, Losses
from sflowgan_tf.ops.settings import Regions

EdgeMap = Literal["laplacian", "instances", "none"]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The losses of eqs. 2 to 9 with their weights, and what the networks see.

    Attributes:
        losses: the form of eqs. 2 and 3 and the weight of each loss; 0 leaves a loss out.
        dned: how the DNED is trained and used: what it sees, the edge map or the image; whether
            eq. 4 trains it; HED's class balancing in eq. 4; the share of examples whose ensemble
            weights are drawn from a flat Dirichlet distribution instead of being equal.
        slice_weights: of the slices in eq. 6; None for equal ones.
        perceptual_scale: at which eq. 6 compares, over 0 to 1.
        edge_map: what the generator sees beside the labels: "laplacian", the edges of the real
            image, or in the later phases the DNED's; "instances", pix2pixHD's boundaries between
            instances; "none", zeros.
        discriminator_sees_edges: whether D is conditioned on the edge map too; on the one before
            the DNED in every phase.
        regions: over which the colours that the generator sees are averaged; None for one that sees
            none.
    """

    losses: Losses
    dned: Dned
    slice_weights: list[float] | None
    perceptual_scale: float
    edge_map: EdgeMap
    discriminator_sees_edges: bool
    regions: Regions | None

    def weighted_sum(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        """What G and DNED minimise: eq. 7 and, of pairs of frames, eq. 9.

        Args:
            terms: scalar losses by name, among them "generator_loss", whose weight is 1; those that
                the generator does not minimise are passed over.
        """
        weights = {
            "feature_matching_loss": self.losses.feature_matching,
            "perceptual_loss": self.losses.perceptual,
            "l1_loss": self.losses.l1,
            "dned_loss": self.losses.dned,
            "flow_loss": self.losses.flow,
            "warping_loss": self.losses.warping,
        }
        weighted = [weight * terms[name] for name, weight in weights.items() if name in terms]
        return sum(weighted, start=terms["generator_loss"])

    @classmethod
    def of(cls, config: Config, regions: Regions | None = None) -> "Objective":
        """The objective of a configuration; `regions` says in indices what `appearance` does."""
        return cls(
            losses=config.losses,
            dned=config.dned,
            slice_weights=config.perceptual.slice_weights,
            perceptual_scale=config.perceptual.scale,
            edge_map=config.edge_map,
            discriminator_sees_edges=config.discriminator.sees_edges,
            regions=regions,
        )
