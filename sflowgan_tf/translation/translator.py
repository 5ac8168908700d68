"""From a scene to a picture through Keras networks: edges, ensemble, generator, uint8 pictures."""

from collections.abc import Mapping
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from sflowgan_tf.ops import images
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble, ensemble_weights
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.ops.settings import SIDE_OUTPUTS, EdgeSettings

Record = Mapping[str, tf.Tensor]  # a frame of `data.pipeline.frames`, by the fields of the records

_LABELS = tf.TensorSpec([None, None, None], tf.uint8)
_EDGES = tf.TensorSpec([None, None, None, 1], tf.float32)
_IMAGE = tf.TensorSpec([None, None, None, 3], tf.uint8)
_WEIGHTS = tf.TensorSpec([None, SIDE_OUTPUTS], tf.float32)


class Translator(tf.Module):
    """Paints scenes of any size, in batches of any size.

    Source: S-Flow GAN, sec. 2.1: at test time the Laplacian of the simulator's image gives the
    edges, the DNED redraws them as a real camera would have shown them, the generator paints.

    Attributes:
        generator: scene (batch, height, width, classes + 1) -> image in [-1, 1].
        dned: edge map (batch, height, width, 1) -> logits of six side outputs.
        num_classes: number of classes; label indices from there on are void.
        edge_settings: of the Laplacian edges.
        edge_map: "laplacian", "instances" (boundaries between instances) or "none" (labels alone).
        redraws: whether the generator was trained on the DNED's edges, so that other ensemble
            weights give other versions of a scene.
    """

    def __init__(
        self,
        *,
        generator: keras.Model,
        dned: keras.Model,
        num_classes: int,
        edge_settings: EdgeSettings,
        edge_map: Literal["laplacian", "instances", "none"] = "laplacian",
        redraws: bool = True,
    ):
        """Joins built networks; the arguments are the attributes.

        Args:
            generator: see the class.
            dned: see the class; unused where `redraws` is False.
            num_classes: see the class.
            edge_settings: those of the records that the model was trained on.
            edge_map: what it was trained with, see `ImageGAN`.
            redraws: counts for `edge_map="laplacian"` alone; others have no edges to redraw.
        """
        super().__init__()
        self.generator, self.dned = generator, dned
        self.num_classes = num_classes
        self.edge_settings = edge_settings
        self.edge_map, self.redraws = edge_map, redraws and edge_map == "laplacian"

    def edges_of(self, record: Record) -> tf.Tensor:
        """The edge map that belongs to a frame of the records, before the DNED.

        Args:
            record: of `data.pipeline.frames`; must hold instances if the model sees them.

        Returns:
            (1, height, width, 1) float32 in {0, 1}: the boundaries between instances for a model
            that sees them, else the Laplacian edges of the simulator's image.
        """
        if self.edge_map == "instances":
            return instance_boundaries(record["labels"][None], record["instances"][None])
        return tf.cast(record["edges_cg"], tf.float32)[None]

    def redrawn_edges_of(self, record: Record) -> tf.Tensor:
        """What a frame of the records is painted from at test time.

        Args:
            record: as for `edges_of`.

        Returns:
            (1, height, width, 1) float32 in [0, 1]: the DNED's edge map of equal ensemble weights,
            or that of `edges_of` for a model without a DNED.
        """
        edges = self.edges_of(record)
        return self.redraw(edges, tf.constant(ensemble_weights(1, 0))) if self.redraws else edges

    def picture(self, record: Record, *, redraw: bool) -> np.ndarray:
        """A frame of the records, painted; (height, width, 3) uint8 RGB.

        Args:
            record: as for `edges_of`.
            redraw: whether from `redrawn_edges_of` it, else from `edges_of` it.
        """
        edges = self.redrawn_edges_of(record) if redraw else self.edges_of(record)
        return self.paint(record["labels"][None], edges)[0].numpy()

    def versions(self, record: Record, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """A frame of the records, painted with several ensemble weights by a model with a DNED.

        Args:
            record: as for `edges_of`.
            count: number of versions.
            seed: of `ensemble_weights`, which gives the first version equal weights.

        Returns:
            The edge maps (count, height, width, 1) float32 in [0, 1] and the pictures (count,
            height, width, 3) uint8 RGB.
        """
        weights = tf.constant(ensemble_weights(count, seed))
        edges = self.redraw(tf.repeat(self.edges_of(record), count, axis=0), weights)
        pictures = self.paint(tf.repeat(record["labels"][None], count, axis=0), edges)
        return edges.numpy(), pictures.numpy()

    def translate(
        self, labels: np.ndarray, frame: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """One scene, painted; see `translation.model.Engine`."""
        edges = self.laplacian(tf.constant(frame[None]))
        if weights is not None:
            edges = self.redraw(edges, tf.constant(weights[None]))
        return self.paint(tf.constant(labels[None]), edges)[0].numpy()

    @tf.function(input_signature=[_IMAGE])
    def laplacian(self, image: tf.Tensor) -> tf.Tensor:
        """The Laplacian edges, (batch, height, width, 1) float32 in {0, 1}.

        Args:
            image: (batch, height, width, 3) uint8 RGB.
        """
        return laplacian_edges(image, self.edge_settings)

    @tf.function(input_signature=[_EDGES, _WEIGHTS])
    def redraw(self, edges: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """The DNED's edge map, (batch, height, width, 1) float32 in [0, 1].

        Args:
            edges: (batch, height, width, 1) float32 in {0, 1}.
            weights: (batch, 6) float32 >= 0, of the side outputs; only their ratios count.
        """
        return ensemble(self.dned(edges, training=False), weights)

    @tf.function(input_signature=[_LABELS, _EDGES])
    def paint(self, label_map: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        """The pictures of a batch of scenes, (batch, height, width, 3) uint8 RGB.

        Args:
            label_map: (batch, height, width) uint8 class indices; others are void.
            edges: (batch, height, width, 1) float32 in [0, 1], used as they are; a model with
                `edge_map="none"` ignores them.
        """
        edges = tf.zeros_like(edges) if self.edge_map == "none" else edges
        scene = network_input(label_map, edges, self.num_classes)
        return images.to_uint8(self.generator(scene, training=False))
