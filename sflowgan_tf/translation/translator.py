"""What stands before and after the generator when it serves: edges, ensemble, uint8 pictures."""

from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from sflowgan_tf.ops import images, labels
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble
from sflowgan_tf.ops.settings import SIDE_OUTPUTS, EdgeSettings

_LABELS = tf.TensorSpec([None, None, None], tf.uint8)
_EDGES = tf.TensorSpec([None, None, None, 1], tf.float32)
_IMAGE = tf.TensorSpec([None, None, None, 3], tf.uint8)
_WEIGHTS = tf.TensorSpec([None, SIDE_OUTPUTS], tf.float32)


class Translator(tf.Module):
    """Scene to picture, at any size and batch size.

    Source: S-Flow GAN, sec. 2.1: at test time the simulator's image gives the edges, the DNED
    redraws them as a real camera would have shown them, the generator paints.

    Attributes:
        redraws: whether the generator knows the DNED's edges, and so paints variations of a scene.
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
        """Joins built networks.

        Args:
            generator: scene (batch, height, width, classes + 1) -> image in [-1, 1].
            dned: edges -> logits of six side outputs.
            num_classes: of the label maps; ids from there on are void.
            edge_settings: of the Laplacian edges, as in the records.
            edge_map: what the model was trained with, see `ImageGAN`.
            redraws: whether the generator was trained on the DNED's edges, where `edge_map` has
                any.
        """
        super().__init__()
        self.generator, self.dned = generator, dned
        self.num_classes = num_classes
        self.edge_settings = edge_settings
        self.edge_map, self.redraws = edge_map, redraws and edge_map == "laplacian"

    def edges_of(self, frame: dict[str, Any]) -> tf.Tensor:
        """The edge map that a frame of the records brings along, for `redraw` or `paint`.

        Args:
            frame: of `data.pipeline.frames`; must hold instances if the model sees them.

        Returns:
            (1, height, width, 1) float32 in {0, 1}: the boundaries between instances for a model
            that sees them, else the edges of the simulator's image.
        """
        if self.edge_map == "instances":
            return instance_boundaries(frame["labels"][None], frame["instances"][None])
        return tf.cast(frame["edges_cg"], tf.float32)[None]

    def translate(
        self, labels: np.ndarray, image: np.ndarray, weights: np.ndarray | None
    ) -> np.ndarray:
        """One scene, painted; see `translation.painting.Translates`."""
        edges = self.laplacian(tf.constant(image[None]))
        if weights is not None:
            edges = self.redraw(edges, tf.constant(weights[None]))
        return self.paint(tf.constant(labels[None]), edges)[0].numpy()

    @tf.function(input_signature=[_IMAGE])
    def laplacian(self, image: tf.Tensor) -> tf.Tensor:
        """Edge map (batch, height, width, 1) float32 in {0, 1} of a uint8 RGB image."""
        return laplacian_edges(image, self.edge_settings)

    @tf.function(input_signature=[_EDGES, _WEIGHTS])
    def redraw(self, edges: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """The DNED's edge map, (batch, height, width, 1) float32 in [0, 1].

        Args:
            edges: (batch, height, width, 1) float32 in {0, 1}.
            weights: (batch, 6) float32, of the side outputs, >= 0.
        """
        return ensemble(self.dned(edges, training=False), weights)

    @tf.function(input_signature=[_LABELS, _EDGES])
    def paint(self, label_map: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        """Image (batch, height, width, 3) uint8.

        Args:
            label_map: (batch, height, width) uint8 class indices.
            edges: (batch, height, width, 1) float32 in [0, 1], as they shall be painted; a model
                that was trained without them ignores them.
        """
        edges = tf.zeros_like(edges) if self.edge_map == "none" else edges
        scene = labels.scene(label_map, edges, self.num_classes)
        return images.to_uint8(self.generator(scene, training=False))
