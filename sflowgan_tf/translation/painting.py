"""From scenes to pictures on disk: the work of `translate`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from sflowgan_tf.data.media.pictures import resize, write_png
from sflowgan_tf.data.media.scenes import Scene, Scenes
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.ops.palette import Recoloring
from sflowgan_tf.translation.appearance import MEASURED, AppearanceChoice, SetColors
from sflowgan_tf.translation.model import Model
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.memory import enough_memory
from sflowgan_tf.utils.sampling import evenly_spaced

CONTACT_SHEET = "contact-sheet.png"
_ON_SHEET = 8


class Painter:
    """Paints scenes, each in one or several versions, and knows what made them."""

    def __init__(
        self,
        model: Model,
        *,
        size: tuple[int, int],
        table: ClassTable,
        variations: int,
        seed: int,
        redraw: bool,
        appearance: AppearanceChoice | None = None,
    ):
        """How scenes are read and painted.

        Args:
            model: that paints.
            size: (width, height) of the pictures.
            table: how the label maps' ids become the model's classes.
            variations: number of versions of each scene; 1 without the DNED and drawn colours.
            seed: of the variations, and of drawn colours.
            redraw: whether the DNED redraws the edges, where the model has one.
            appearance: the colours, for a model with a palette; None for those that are given.

        Raises:
            UserError: the model can't paint in these colours.
        """
        self.model, self.size, self.table = model, size, table
        is_redrawn = redraw and model.redraws
        self.edges: Literal["dned", "laplacian"] = "dned" if is_redrawn else "laplacian"
        self.weights = ensemble_weights(variations, seed) if is_redrawn else [None] * variations
        self.origin = model.origin | {"seed": str(seed)}
        self.appearance, self._seed, self._aim = None, seed, None
        if model.palette is not None:
            self.appearance = appearance or AppearanceChoice.parse("given")
            self._aim = self.appearance.aim(model.palette, table)
        elif appearance is not None:
            raise UserError(
                f"--appearance {appearance.text}: this model sees no colours; leave it out"
            )

    def read(self, scenes: Scenes, start: int) -> Iterator[Scene]:
        """Scenes from `start` on, at the size of the pictures."""
        for scene in scenes.read(self.table, start):
            labels, frame = resize(scene.labels, self.size), resize(scene.frame, self.size)
            yield replace(scene, labels=labels, frame=frame)

    def recolorings(self, scenes: Scenes, count: int) -> list[Recoloring | None]:
        """The recolouring of each version, which all scenes of a set share.

        The set's frames are read once, and 64 of them measured at most.

        Args:
            scenes: the set.
            count: how many there are.

        Returns:
            None for each version of a model without palette; nothing is read then.
        """
        if self._aim is None:
            return [None] * len(self.weights)
        looked_at = {*evenly_spaced(count, MEASURED)}
        reading = tqdm(scenes.read(self.table, 0), "measuring", count, unit="scene", leave=False)
        colors = SetColors.of(
            (
                (resize(scene.labels, self.size), resize(scene.frame, self.size))
                for index, scene in enumerate(reading)
                if index in looked_at
            ),
            self.model.classes.num_classes,
        )
        return [self._aim(colors, self._seed + version) for version in range(len(self.weights))]

    def paint(self, scene: Scene, recolorings: Sequence[Recoloring | None]) -> Iterator[np.ndarray]:
        """The versions of a scene, each (height, width, 3) uint8 RGB.

        Args:
            scene: of `read`.
            recolorings: of `recolorings`.

        Raises:
            Failure: the memory does not suffice.
        """
        width, height = self.size
        for weights, recoloring in zip(self.weights, recolorings, strict=True):
            with enough_memory(f"to paint {width}x{height}", lambda: "choose a smaller --size"):
                picture = self.model.translate(
                    scene.labels, scene.frame, weights, edges=self.edges, appearance=recoloring
                )
            yield picture

    def texts(self, version: int) -> dict[str, str]:
        """What made a version, for its metadata."""
        weights, texts = self.weights[version], dict(self.origin)
        if self.appearance is not None:
            texts["appearance"] = self.appearance.text
            if self.appearance.kind == "random":
                texts["appearance_seed"] = str(self._seed + version)
        if weights is None:
            return texts | {"edges": self.model.edge_map}
        written = " ".join(f"{weight:.9g}" for weight in weights)
        return texts | {"edges": "dned", "ensemble_weights": written}


class Pictures:
    """PNG files of painted scenes."""

    def __init__(self, painter: Painter, folder: Path):
        """Pictures in a folder; in folders `variation-N` there where there are several versions."""
        self.painter, self.folder = painter, folder
        self.sheet_file = folder / CONTACT_SHEET

    def make(self, scenes: Scenes) -> int:
        """Paints and returns the number of pictures; those that are there are painted anew.

        Raises:
            UserError: a scene is wrong; nothing is painted then.
            Failure: a picture can't be written, or the memory does not suffice.
        """
        count, rows = scenes.check(self.painter.table, one_size=False), []
        recolorings = self.painter.recolorings(scenes, count)
        for scene in tqdm(self.painter.read(scenes, 0), "painting", count, unit="scene"):
            images = list(self.painter.paint(scene, recolorings))
            for version, image in enumerate(images):
                file = self._folder(version) / f"{scene.name}.png"
                write_png(file, image, self.painter.texts(version))
            if len(rows) < _ON_SHEET:
                rows.append([self.painter.table.colorize(scene.labels), scene.frame, *images])
        versions = [f"version {n + 1}" for n in range(len(self.painter.weights))]
        sheet = contact_sheet(rows, ["labels", "given frame", *versions])
        write_png(self.sheet_file, sheet, self.painter.origin)
        return count * len(versions)

    def _folder(self, version: int) -> Path:
        several = len(self.painter.weights) > 1
        return self.folder / f"variation-{version + 1}" if several else self.folder
