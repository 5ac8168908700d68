"""Films of a generator that sees what it painted before."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sflowgan_tf.networks.sequential import Past, SequentialGenerator, no_past
from sflowgan_tf.ops import images
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.translation.translator import Record, Translator


class SequentialTranslator(Translator):
    """A translator with vid2vid's generator; a scene by itself is painted as a film's first frame.

    Source: Wang et al., "Video-to-Video Synthesis", NeurIPS 2018. That a film begins without a
    frame before it, instead of with one of another network, is a setting of the authors' code.
    """

    generator: SequentialGenerator
    remembers = True

    def film(self, *, redraw: bool) -> Callable[[Record], np.ndarray]:
        """Paints each frame from those before; see `Translator.film`."""
        past: Past | None = None

        def paint(record: Record) -> np.ndarray:
            nonlocal past
            edges = self.redrawn_edges_of(record) if redraw else self.edges_of(record)
            edges = tf.zeros_like(edges) if self.edge_map == "none" else edges
            scene = network_input(record["labels"][None], edges, self.num_classes, None)
            if past is None:
                image, past = self._first(scene), no_past(scene)
            else:
                image = self._next(scene, *past)
            past = past.followed_by(scene, image)
            return images.to_uint8(image)[0].numpy()

        return paint

    @tf.function
    def _first(self, scene: tf.Tensor) -> tf.Tensor:
        return self.generator(scene, training=False)

    @tf.function
    def _next(self, scene: tf.Tensor, scenes: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
        return self.generator.following(scene, Past(scenes, pictures)).image
