"""The work of `translate`: scenes on disk, through a translator, to pictures on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tqdm import tqdm

from sflowgan_tf.data.files import SUFFIXES, read_image, read_labels, resize
from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.ops.labels import ClassTable
from sflowgan_tf.serving import Translator
from sflowgan_tf.sheets import ensemble_weights
from sflowgan_tf.whole import written_whole

_KINDS = ("_gtFine_labelIds", "_leftImg8bit")  # what Cityscapes appends to a frame's name
_ON_SHEET = 8


@dataclass(frozen=True)
class Scene:
    """A label map and the frame that belongs to it."""

    name: str  # of the frame, below the folder, without its suffix
    labels: Path
    frame: Path


def pair_up(labels: Path, frames: Path) -> list[Scene]:
    """Scenes of two folders, by file name below them, in order.

    Raises:
        UserError: a folder is missing or has no pictures; a frame has no label map or the reverse.
    """
    by_name = _pictures(labels, "--labels")
    scenes = []
    for name, frame in _pictures(frames, "--frames").items():
        if name not in by_name:
            raise UserError(f"{frame}: no label map of that name below {labels}")
        scenes.append(
            Scene(str(frame.relative_to(frames).with_suffix("")), by_name.pop(name), frame)
        )
    if by_name:
        raise UserError(f"{next(iter(by_name.values()))}: no frame of that name below {frames}")
    return scenes


def _pictures(folder: Path, flag: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{flag} {folder}: no such folder")
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise UserError(f"{flag} {folder}: no pictures ({', '.join(SUFFIXES)}) in it")
    # Cityscapes keeps colour and instance maps beside those with the ids.
    of_a_kind = [path for path in files if path.stem.endswith(_KINDS)]
    pictures: dict[str, Path] = {}
    for path in of_a_kind or files:
        other = pictures.setdefault(_key(path.relative_to(folder)), path)
        if other != path:
            raise UserError(f"{path}: {other.name} lies beside it; expected one file of a name")
    return pictures


def _key(path: Path) -> str:
    name = str(path.with_suffix(""))
    for kind in _KINDS:
        name = name.removesuffix(kind)
    return name


class Translation:
    """Paints scenes, one after the other."""

    def __init__(
        self,
        translator: Translator,
        *,
        output: Path,
        size: tuple[int, int],
        table: ClassTable,
        variations: int,
        seed: int,
        redraw: bool,
        origin: dict[str, str],
    ):
        """What stays the same for all scenes.

        Args:
            translator: of a run or an artefact.
            output: folder of the pictures; of folders `variation-N` where there are several.
            size: (width, height) of the pictures.
            table: how the label maps' ids become the model's classes.
            variations: versions of each scene.
            seed: of the variations.
            redraw: whether the DNED redraws the edges.
            origin: what made the pictures, for their metadata.
        """
        self.translator, self.output, self.size, self.table = translator, output, size, table
        self.weights = ensemble_weights(variations, seed) if redraw else [None]
        self.origin = origin | {"seed": str(seed)}
        self.sheet_file = output / "contact-sheet.png"

    def check(self, scenes: list[Scene]) -> None:
        """Reads every scene once, so that nothing is painted where one of them is wrong.

        Raises:
            UserError: names the file and what is wrong in it.
        """
        for scene in tqdm(scenes, desc="checking", unit="scene", leave=False):
            self._read(scene)

    def run(self, scenes: list[Scene]) -> None:
        """Paints; pictures that are there already are painted anew."""
        rows = []
        for scene in tqdm(scenes, desc="painting", unit="scene"):
            labels, frame = self._read(scene)
            painted = list(self._paint(labels, frame))
            for version, (image, weights) in enumerate(painted):
                self._write(self._folder(version) / f"{scene.name}.png", image, weights)
            if len(rows) < _ON_SHEET:
                rows.append([self.table.colorize(labels), frame, *(image for image, _ in painted)])
        titles = ["labels", "given frame", *(f"version {n + 1}" for n in range(len(self.weights)))]
        _write_png(self.sheet_file, contact_sheet(rows, titles), self.origin)

    def _read(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        labels, frame = read_labels(scene.labels, self.table), read_image(scene.frame)
        if labels.shape != frame.shape[:2]:
            raise UserError(
                f"{scene.labels} is {labels.shape[1]}x{labels.shape[0]}, but {scene.frame} is "
                f"{frame.shape[1]}x{frame.shape[0]}; expected the same size"
            )
        return resize(labels, self.size), resize(frame, self.size)

    def _paint(
        self, labels: np.ndarray, frame: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        edges = self.translator.laplacian(tf.constant(frame[None]))
        for weights in self.weights:
            shown = edges if weights is None else self.translator.redraw(edges, weights[None])
            yield self.translator.paint(tf.constant(labels[None]), shown)[0].numpy(), weights

    def _folder(self, version: int) -> Path:
        several = len(self.weights) > 1
        return self.output / f"variation-{version + 1}" if several else self.output

    def _write(self, file: Path, image: np.ndarray, weights: np.ndarray | None) -> None:
        texts = {"edges": "laplacian"}
        if weights is not None:
            texts = {"edges": "dned", "ensemble_weights": " ".join(f"{w:.9g}" for w in weights)}
        _write_png(file, image, self.origin | texts)


def _write_png(file: Path, image: np.ndarray, texts: dict[str, str]) -> None:
    """Writes RGB uint8 with texts in the metadata."""
    metadata = PngInfo()
    for key, value in texts.items():
        metadata.add_text(key, value)
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as partial:
        Image.fromarray(image).save(partial, format="png", pnginfo=metadata)
