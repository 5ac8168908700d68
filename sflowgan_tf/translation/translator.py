"""From a scene to a picture through Keras networks: edges, ensemble, generator, uint8 pictures."""

import functools
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from sflowgan_tf.ops import images, preprocessing
from sflowgan_tf.ops.edges import instance_boundaries, laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble, ensemble_weights
from sflowgan_tf.ops.network_input import network_input
from sflowgan_tf.ops.palette import ColorInput, Recoloring
from sflowgan_tf.ops.settings import SIDE_OUTPUTS, EdgeSettings

Record = Mapping[str, tf.Tensor]  # a frame of `data.pipeline.frames`, by the fields of the records

_LABELS = tf.TensorSpec([None, None, None], tf.uint8)
_EDGES = tf.TensorSpec([None, None, None, 1], tf.float32)
_IMAGE = tf.TensorSpec([None, None, None, 3], tf.uint8)
_WEIGHTS = tf.TensorSpec([None, SIDE_OUTPUTS], tf.float32)
_DNED_INPUT = tf.TensorSpec([None, None, None, None], tf.float32)
_COLORS = tf.TensorSpec([None, None, None, 3], tf.float32)
_RECOLORING = tf.TensorSpec([None, None, 3], tf.float32)


class Translator(tf.Module):
    """Paints scenes of any size, in batches of any size.

    Source: S-Flow GAN, sec. 2.1: at test time the Laplacian of the simulator's image gives the
    edges, the DNED redraws them as a real camera would have shown them, the generator paints.
    Colours as a further input are not in the paper.

    Attributes:
        generator: scene (batch, height, width, classes + 1) -> image in [-1, 1]; with appearance
            the scene has three channels more.
        dned: what it sees (batch, height, width, 1 or 3) -> logits of six side outputs.
        num_classes: number of classes; label indices from there on are void.
        edge_settings: of the Laplacian edges.
        edge_map: "laplacian", "instances" (boundaries between instances) or "none" (labels alone).
        redraws: whether the generator was trained on the DNED's edges, so that other ensemble
            weights give other versions of a scene.
        dned_sees: "edges", the Laplacian ones, or "image", the picture itself in [-1, 1].
        appearance: how the generator is given colours; None where it sees none.
        remembers: whether a frame of a `film` is painted from those before it, too.
    """

    remembers: ClassVar[bool] = False

    def __init__(
        self,
        *,
        generator: keras.Model,
        dned: keras.Model,
        num_classes: int,
        edge_settings: EdgeSettings,
        edge_map: Literal["laplacian", "instances", "none"] = "laplacian",
        redraws: bool = True,
        dned_sees: Literal["edges", "image"] = "edges",
        appearance: ColorInput | None = None,
    ):
        """Joins built networks; the arguments are the attributes.

        Args:
            generator: see the class.
            dned: see the class; unused where `redraws` is False.
            num_classes: see the class.
            edge_settings: those of the records that the model was trained on.
            edge_map: what it was trained with, see `ImageGAN`.
            redraws: counts for `edge_map="laplacian"` alone; others have no edges to redraw.
            dned_sees: see the class.
            appearance: see the class.
        """
        super().__init__()
        self.generator, self.dned = generator, dned
        self.num_classes = num_classes
        self.edge_settings = edge_settings
        self.edge_map, self.redraws = edge_map, redraws and edge_map == "laplacian"
        self.dned_sees: Literal["edges", "image"] = dned_sees
        self.appearance = appearance

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
        if not self.redraws:
            return self.edges_of(record)
        return self.redraw(self._shown_of(record), tf.constant(ensemble_weights(1, 0)))

    def colors_of(self, record: Record) -> tf.Tensor | None:
        """The colours that a frame of the records is painted in, `palette.given()`.

        Args:
            record: as for `edges_of`.

        Returns:
            (1, height, width, 3) float32 0..255; None for a model without appearance.
        """
        if self.appearance is None:
            return None
        frames = record["labels"][None], record["image_cg"][None]
        return self.colors(*frames, *self.recoloring(None, 1))

    def picture(self, record: Record, *, redraw: bool) -> np.ndarray:
        """A frame of the records, painted; (height, width, 3) uint8 RGB.

        Args:
            record: as for `edges_of`.
            redraw: whether from `redrawn_edges_of` it, else from `edges_of` it.
        """
        edges = self.redrawn_edges_of(record) if redraw else self.edges_of(record)
        return self.paint(record["labels"][None], edges, self.colors_of(record))[0].numpy()

    def film(self, *, redraw: bool) -> Callable[[Record], np.ndarray]:
        """A painter of a film, called with one frame of the records after the other.

        Args:
            redraw: as `picture` takes it.

        Returns:
            A function from a frame to its picture, (height, width, 3) uint8 RGB.
        """
        return functools.partial(self.picture, redraw=redraw)

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
        edges = self.redraw(tf.repeat(self._shown_of(record), count, axis=0), weights)
        colors = self.colors_of(record)
        pictures = self.paint(
            tf.repeat(record["labels"][None], count, axis=0),
            edges,
            None if colors is None else tf.repeat(colors, count, axis=0),
        )
        return edges.numpy(), pictures.numpy()

    def _shown_of(self, record: Record) -> tf.Tensor:
        """What the DNED sees of a frame of the records, with a batch axis."""
        if self.dned_sees == "image":
            return self.dned_input(record["image_cg"][None])
        return self.edges_of(record)

    def translate(
        self,
        labels: np.ndarray,
        frame: np.ndarray,
        weights: np.ndarray | None,
        recoloring: Recoloring | None = None,
    ) -> np.ndarray:
        """One scene, painted; see `translation.model.Engine`."""
        painted = self.painted(
            tf.constant(labels[None]),
            tf.constant(frame[None]),
            None if weights is None else tf.constant(weights[None]),
            None if self.appearance is None else self.recoloring(recoloring, 1),
        )
        return painted[0].numpy()

    def painted(
        self,
        label_map: tf.Tensor,
        image: tf.Tensor,
        weights: tf.Tensor | None,
        recoloring: tuple[tf.Tensor, tf.Tensor] | None,
    ) -> tf.Tensor:
        """A batch of scenes, painted from the simulator's frames, eagerly or inside of a graph.

        Args:
            label_map: (batch, height, width) uint8 class indices; others are void.
            image: (batch, height, width, 3) uint8 RGB.
            weights: (batch, 6) float32 >= 0, of the DNED's side outputs; None leaves the DNED out.
            recoloring: of `recoloring`; None for a model without appearance.

        Returns:
            (batch, height, width, 3) uint8 RGB.
        """
        if weights is None:
            edges = self.laplacian(image)
        else:
            edges = self.redraw(self.dned_input(image), weights)
        colors = None if recoloring is None else self.colors(label_map, image, *recoloring)
        return self.paint(label_map, edges, colors)

    def recoloring(
        self, recoloring: Recoloring | None, batch: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A recolouring as `painted` takes it, for a model with appearance.

        Args:
            recoloring: None for `palette.given()`.
            batch: how many scenes are painted in it.

        Returns:
            Scale and shift, each (batch, C + 1, 3) float32.
        """
        chosen = recoloring or self._colored.palette.given()
        scale, shift = (tf.constant(x, tf.float32)[None] for x in (chosen.scale, chosen.shift))
        return tf.repeat(scale, batch, axis=0), tf.repeat(shift, batch, axis=0)

    @property
    def _colored(self) -> ColorInput:
        if self.appearance is None:
            raise ValueError("this model sees no colours")
        return self.appearance

    @tf.function(input_signature=[_IMAGE])
    def laplacian(self, image: tf.Tensor) -> tf.Tensor:
        """The Laplacian edges, (batch, height, width, 1) float32 in {0, 1}.

        Args:
            image: (batch, height, width, 3) uint8 RGB.
        """
        return laplacian_edges(image, self.edge_settings)

    @tf.function(input_signature=[_IMAGE])
    def dned_input(self, image: tf.Tensor) -> tf.Tensor:
        """What the DNED sees of a frame, (batch, height, width, 1 or 3) float32.

        Args:
            image: (batch, height, width, 3) uint8 RGB.

        Returns:
            The Laplacian edges in {0, 1}, or the picture in [-1, 1], see `dned_sees`.
        """
        return self.laplacian(image) if self.dned_sees == "edges" else images.to_signed(image)

    @tf.function(input_signature=[_DNED_INPUT, _WEIGHTS])
    def redraw(self, dned_input: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """The DNED's edge map, (batch, height, width, 1) float32 in [0, 1].

        Args:
            dned_input: (batch, height, width, 1 or 3) float32, of the method of that name.
            weights: (batch, 6) float32 >= 0, of the side outputs; only their ratios count.
        """
        channels = 1 if self.dned_sees == "edges" else 3
        dned_input = tf.ensure_shape(dned_input, [None, None, None, channels])
        return ensemble(self.dned(dned_input, training=False), weights)

    @tf.function(input_signature=[_LABELS, _IMAGE, _RECOLORING, _RECOLORING])
    def colors(
        self, label_map: tf.Tensor, image: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor
    ) -> tf.Tensor:
        """The colours that a model with appearance is given, (batch, height, width, 3) float32.

        Args:
            label_map: (batch, height, width) uint8 class indices; others are void.
            image: (batch, height, width, 3) uint8 RGB.
            scale: (batch, C + 1, 3) float32, see `Recoloring`.
            shift: (batch, C + 1, 3) float32, grey levels.

        Returns:
            The recoloured colours of the frame's regions, 0..255.
        """
        regions = self._colored.regions
        colors = preprocessing.region_colors(label_map, image, self.num_classes, regions, ops)
        return preprocessing.recolored(colors, label_map, scale, shift, ops)

    def paint(
        self, label_map: tf.Tensor, edges: tf.Tensor, colors: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The pictures of a batch of scenes, (batch, height, width, 3) uint8 RGB.

        Args:
            label_map: (batch, height, width) uint8 class indices; others are void.
            edges: (batch, height, width, 1) float32 in [0, 1], used as they are; a model with
                `edge_map="none"` ignores them.
            colors: (batch, height, width, 3) float32 0..255, of `colors`; None for a model without
                appearance.
        """
        if colors is None:
            return self._paint(label_map, edges)
        return self._paint_in_colors(label_map, edges, colors)

    @tf.function(input_signature=[_LABELS, _EDGES])
    def _paint(self, label_map: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        return self._generated(label_map, edges, None)

    @tf.function(input_signature=[_LABELS, _EDGES, _COLORS])
    def _paint_in_colors(
        self, label_map: tf.Tensor, edges: tf.Tensor, colors: tf.Tensor
    ) -> tf.Tensor:
        return self._generated(label_map, edges, colors)

    def _generated(
        self, label_map: tf.Tensor, edges: tf.Tensor, colors: tf.Tensor | None
    ) -> tf.Tensor:
        edges = tf.zeros_like(edges) if self.edge_map == "none" else edges
        scene = network_input(label_map, edges, self.num_classes, colors)
        return images.to_uint8(self.generator(scene, training=False))
