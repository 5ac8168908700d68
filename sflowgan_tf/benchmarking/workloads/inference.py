"""A scene, painted: from label map and frame to picture."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from sflowgan_tf.benchmarking.operations import inlined, operations
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads import noise
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.config import Config
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.edges import instance_boundaries
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette, frame_means
from sflowgan_tf.training import assembly
from sflowgan_tf.training.assembly.palettes import regions
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError

Scene = tuple[np.ndarray, np.ndarray]  # label map (height, width) and frame (height, width, 3)


class Inference(Workload):
    """A batch of scenes painted by fresh networks, as `translate` does it."""

    def __init__(self, task: Task):
        """Builds the networks.

        Raises:
            UserError: they can't be made, or paint from what they painted before.
        """
        super().__init__(task)
        if self.config.generator.kind == "sequential":
            raise UserError("generator.kind=sequential: paints no single scenes; set another kind")
        num_classes = self.classes.num_classes
        self.batch = noise.batch(task.sides, (task.batch,), num_classes, task.seed)
        scenes = zip(self.batch["labels"].numpy(), self.batch["image_real"].numpy(), strict=True)
        self.translator = fresh_translator(self.config, self.classes, scenes)
        self._paint = tf.function(self._painted)

    def _painted(self) -> tf.Tensor:
        labels, image = self.batch["labels"], self.batch["image_real"]
        weights = recoloring = colors = None
        if self.translator.appearance is not None:
            recoloring = self.translator.recoloring(None, self.task.batch)
        if self.config.edge_map == "instances":  # as `evaluate` paints: no scene has instances
            edges = instance_boundaries(labels, self.batch["instances"])
            if recoloring is not None:
                colors = self.translator.colors(labels, image, *recoloring)
            return self.translator.paint(labels, edges, colors)
        if self.translator.redraws:
            weights = tf.repeat(ensemble_weights(1, 0), self.task.batch, axis=0)
        return self.translator.painted(labels, image, weights, recoloring)

    def run(self) -> None:
        """Paints once; the pictures are waited for."""
        self._paint().numpy()

    @property
    def parameters(self) -> dict[str, int]:
        """Of the networks that paint."""
        networks = {"generator": self.translator.generator}
        if self.translator.redraws:
            networks["dned"] = self.translator.dned
        return {name: network.count_params() for name, network in networks.items()}

    @property
    def operations(self) -> int:
        """Of one batch."""
        return operations(inlined(self._painted))

    @property
    def dtype(self) -> str:
        """Pictures are painted in float32, whatever a training's precision."""
        return "float32"


def fresh_translator(config: Config, classes: ClassTable, scenes: Iterable[Scene]) -> Translator:
    """The translator of a configuration whose networks are not trained.

    Args:
        config: of the networks.
        classes: of the label maps.
        scenes: from which the colours are measured, for a generator that sees any; they serve as
            simulator's and as real frames.

    Raises:
        UserError: `appearance.fine` names a class that there is not.
    """
    averaged = regions(config, classes)
    palette = _palette(scenes, classes.num_classes) if averaged else None
    return Translator(
        generator=assembly.generator(config, classes.num_classes),
        dned=assembly.dned(config),
        num_classes=classes.num_classes,
        edge_settings=config.records.edges,
        edge_map=config.edge_map,
        dned_sees=config.dned.sees,
        appearance=ColorInput(regions=averaged, palette=palette) if averaged and palette else None,
    )


def _palette(scenes: Iterable[Scene], num_classes: int) -> Palette:
    means = np.stack([frame_means(labels, frame, num_classes) for labels, frame in scenes])
    colors = ClassColors.of(means)
    return Palette(real=colors, simulator=colors, clusters=means, frames=means)
