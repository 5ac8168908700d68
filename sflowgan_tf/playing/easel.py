"""A model that paints canvases: with edges that are drawn by hand, and in any appearance."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf import loading
from sflowgan_tf.ops.palette import Recoloring
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.playing.cutouts import Cutout, cutouts
from sflowgan_tf.playing.recipe import CLUSTER, DRAWN, EQUAL, GIVEN, LIKE, Look
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.appearance import SetColors
from sflowgan_tf.translation.model import Model
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.memory import enough_memory

RELEASED = "minicity"  # the model that comes with the package
_KEPT = 2  # models in memory


@dataclass(frozen=True, kw_only=True, eq=False)
class Painted:
    """What became of a canvas.

    Attributes:
        picture: (height, width, 3) uint8 RGB.
        edges: (height, width) float32 in [0, 1], that it was painted from.
    """

    picture: np.ndarray
    edges: np.ndarray


class Easel:
    """A model with its networks at hand; paints one canvas at a time.

    Attributes:
        model: as its user holds it.
    """

    def __init__(self, model: Model, translator: Translator):
        """Paints one canvas of the model's size, which takes longer than any other."""
        self.model, self._translator = model, translator
        self._lock = threading.Lock()
        width, height = model.size
        blank = np.zeros((height, width, 3), np.uint8)
        self.paint(Canvas.of(blank[..., 0], blank), self.usual)

    @property
    def usual(self) -> Look:
        """How it paints where nothing else is asked for."""
        return Look(weights=EQUAL if self.model.redraws else None)

    @property
    def appearances(self) -> list[str]:
        """What `Look.appearance` may be."""
        palette = self.model.palette
        if palette is None:
            return [GIVEN]
        clusters = [f"{CLUSTER}:{number}" for number in range(len(palette.clusters))]
        return [GIVEN, *clusters, DRAWN, LIKE]

    def paint(self, canvas: Canvas, look: Look, recoloring: Recoloring | None = None) -> Painted:
        """Paints a canvas.

        Args:
            canvas: of any size.
            look: how.
            recoloring: that the frames of a film share; None for that of the canvas alone.

        Raises:
            UserError: the model can't paint so.
            Failure: the memory does not suffice.
        """
        translator = self._translator
        labels, frame = (tf.constant(x[None]) for x in (canvas.labels, canvas.frame))
        recoloring = recoloring or self.recoloring([canvas], look)
        width, height = canvas.size
        size = f"to paint {width}x{height}"
        with self._lock, enough_memory(size, lambda: "choose a smaller scene"):
            edges = canvas.edges(self._edges(frame, look).numpy()[0, ..., 0])
            colors = None
            if translator.appearance is not None:
                colors = translator.colors(labels, frame, *translator.recoloring(recoloring, 1))
            drawn = tf.constant(edges[None, ..., None])
            picture = translator.paint(labels, drawn, colors)[0].numpy()
        return Painted(picture=picture, edges=edges)

    def _edges(self, frame: tf.Tensor, look: Look) -> tf.Tensor:
        """The edge map of a frame before strokes, (1, height, width, 1) float32."""
        if look.weights is None or not self.model.redraws:
            return self._translator.laplacian(frame)
        weights = tf.constant([look.weights], tf.float32)
        return self._translator.redraw(self._translator.dned_input(frame), weights)

    def recoloring(self, canvases: Iterable[Canvas], look: Look) -> Recoloring | None:
        """The recolouring that all canvases of a set share; None for a model without palette.

        Raises:
            UserError: the model does not know that appearance.
        """
        palette = self.model.palette
        kind, _, number = look.appearance.partition(":")
        if look.appearance not in self.appearances or (kind == LIKE and look.tone is None):
            known = ", ".join(self.appearances)
            raise UserError(f"appearance {look.appearance!r}: this model knows {known}")
        if palette is None:
            return None
        scenes = ((canvas.labels, canvas.frame) for canvas in canvases)
        colors = SetColors.of(scenes, palette.num_classes)
        source = colors.source(palette)
        if look.tone is not None and kind == LIKE:
            return look.tone.recoloring(colors.tone, palette.num_classes)
        if kind == CLUSTER:
            return palette.cluster(int(number), source)
        return palette.drawn(look.seed, source) if kind == DRAWN else palette.given(source)

    @cached_property
    def cutouts(self) -> list[Cutout]:
        """What can be put into a scene of the model's size."""
        return cutouts(self.model.size, self.model.classes)

    @property
    def brush_colors(self) -> np.ndarray:
        """What a brush puts into the frame with each class, (classes, 3) uint8 RGB.

        The colours that the simulator of the training gave them, else the class table's.
        """
        colors = np.array(self.model.classes.colors, np.float32)
        palette = self.model.palette
        if palette is not None:
            mean = (palette.simulator or palette.real).mean[:-1]
            colors = np.where(np.isnan(mean), colors, mean)
        return np.rint(colors).astype(np.uint8)


class Studio:
    """The models of this machine, the last used ones in memory.

    Attributes:
        first: the name of the model that the page opens with.
    """

    def __init__(self, first: str):
        """Loads the first model.

        Raises:
            UserError: there is none of that name, or it can't be played with.
        """
        self.first = first
        self._easels: OrderedDict[str, Easel] = OrderedDict()
        self._lock = threading.Lock()
        self.easel(first)

    @property
    def names(self) -> list[str]:
        """The first model, the released one and the runs in runs/ that painted already."""
        runs = [file.parent.name for file in sorted(Path("runs").glob("*/config.yaml"))]
        return [*dict.fromkeys([self.first, RELEASED, *filter(_paints, runs)])]

    def easel(self, name: str) -> Easel:
        """A model by its name, one of `names`.

        Raises:
            UserError: there is none of that name, or it can't be played with.
        """
        with self._lock:
            if name not in self._easels:
                if name not in self.names:
                    raise UserError(f"model {name[:80]!r}: expected {', '.join(self.names)}")
                self._easels[name] = _loaded(name)
                if len(self._easels) > _KEPT:
                    self._easels.popitem(last=False)
            self._easels.move_to_end(name)
            return self._easels[name]


def _paints(run: str) -> bool:
    """Whether a run is one of `fit` with a checkpoint."""
    try:
        begun = Run.named(run)
        return begun.is_begun and settings.read(begun.config).task == "translation"
    except UserError:
        return False


def _loaded(name: str) -> Easel:
    model = loading.load(name)
    if not isinstance(model.engine, Translator):
        raise UserError(
            f"{name}: an exported model, whose edges can't be drawn by hand; expected a run, or "
            f"{RELEASED}"
        )
    return Easel(model, model.engine)
