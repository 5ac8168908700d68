"""Label maps for real frames that have none: the work of `segment label`."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omegaconf import OmegaConf
from PIL import Image
from tqdm import tqdm

from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.data.media import pictures
from sflowgan_tf.data.media.scenes import Source
from sflowgan_tf.data.media.videos import VideoFile
from sflowgan_tf.data.sources import folder
from sflowgan_tf.evaluation.segmenting import judges
from sflowgan_tf.evaluation.segmenting.judges import Judge
from sflowgan_tf.ops.classes import TABLES, VOID, ClassTable
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import link_or_copy, written_whole
from sflowgan_tf.utils.sampling import evenly_spaced
from sflowgan_tf.utils.yaml_files import read_yaml

CONTACT_SHEET, CONFIDENCE, DESCRIPTION = "contact-sheet.png", "confidence.csv", "folder.yaml"
_ON_SHEET = 8
_MOST_VOID = 0.5  # of a set's pixels, beyond which something is wrong


@dataclass(frozen=True)
class Labelled:
    """How sure a segmenter was of a frame.

    Attributes:
        name: of the frame, below its folder, without its suffix.
        confidence: mean over the pixels of the likeliest class' probability, 0 to 1.
        void: share of the pixels that no class was likely enough for, 0 to 1.
    """

    name: str
    confidence: float
    void: float


class Labeller:
    """Labels frames, each at its own size, and knows what made a label map."""

    def __init__(
        self, judge: Judge, table: ClassTable, *, threshold: float, size: tuple[int, int] | None
    ):
        """How frames are labelled.

        Args:
            judge: the segmenter.
            table: of its classes; label maps hold their indices, and 255 for void.
            threshold: the probability, from 0 to 1, below which a pixel's likeliest class is void.
            size: (width, height) at which the segmenter sees frames; None for the size it was
                trained on, or that of each frame.
        """
        self.judge, self.table, self.threshold = judge, table, threshold
        self.size = size or judge.size

    @classmethod
    def find(
        cls,
        segmenter: str,
        outputs: str | None,
        classes: str | None,
        *,
        threshold: float,
        size: tuple[int, int] | None,
    ) -> Labeller:
        """The one that a user names.

        Args:
            segmenter: as `judges.find` takes it.
            outputs: classes of its outputs, as `judges.find` takes them.
            classes: of the label maps: a class table or a YAML file with `classes` as
                `data.sources.folder` reads it; None for those of a run, or of `outputs`.
            threshold: see the class.
            size: see the class.

        Raises:
            UserError: there is none of that name, or its classes are others or unknown.
        """
        table = _table(segmenter, outputs, classes)
        return cls(judges.find(segmenter, table, outputs), table, threshold=threshold, size=size)

    def label(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The label map of a frame.

        Args:
            frame: (height, width, 3) uint8 RGB.

        Returns:
            (height, width) uint8 class indices of the table or VOID; and the likeliest class'
            probability, (height, width) float32.
        """
        size = frame.shape[:2]
        seen = frame
        if self.size is not None:
            seen = cv2.resize(frame, self.size, interpolation=cv2.INTER_AREA)
        shares = self.judge.probabilities(seen[None], size)[0]
        labels = shares.argmax(axis=-1).astype(np.uint8)
        confidence = shares.max(axis=-1)
        unsure = (labels == self.table.num_classes) | (confidence < self.threshold)
        labels[unsure] = VOID
        return labels, confidence

    def texts(self, frame: np.ndarray) -> dict[str, str]:
        """What a frame's label map depends on, for its metadata."""
        return {
            "segmenter": f"{self.judge.name} ({self.judge.weights})",
            "classes": " ".join(self.table.names),
            "threshold": f"{self.threshold:g}",
            "size": "x".join(map(str, self.size)) if self.size else "the frame's",
            "frame": f"{zlib.crc32(frame.tobytes()):08x}",
        }


def _table(segmenter: str, outputs: str | None, classes: str | None) -> ClassTable:
    """The class table of the label maps."""
    if classes is None and judges.is_run(segmenter):
        return Manifest.load(Run.existing(segmenter).manifest).classes
    name = classes or outputs
    if classes is None and name not in TABLES:
        raise UserError(
            f"--classes: which classes the outputs of {segmenter} are, it does not say itself; "
            f"expected a class table ({', '.join(TABLES)}) or a YAML file with `classes`"
        )
    chosen = folder.chosen_classes(name)
    return chosen if isinstance(chosen, ClassTable) else TABLES[str(chosen)]


class Labelling:
    """A tree of frames and label maps, as `prepare --dataset folder` reads it."""

    def __init__(self, labeller: Labeller, frames: Source, output: Path):
        """Labels `frames` into the folder `output`."""
        self.labeller, self.frames, self.output = labeller, frames, output

    def make(self) -> list[Labelled]:
        """Labels all frames; label maps that are there of the same frames and settings stay.

        Raises:
            UserError: a frame can't be read, what was labelled before it stays; or something else
                lies in the folder.
            Failure: the disk refuses.
        """
        self._check_description()
        made, rows = [], []
        is_film = isinstance(self.frames, VideoFile)
        count = None if is_film else len(self.frames.files)
        shown = {*evenly_spaced(count, _ON_SHEET)} if count else {*range(_ON_SHEET)}
        reading = tqdm(self.frames.images(0), "labelling", count, unit="frame")
        for index, frame in enumerate(reading):
            name = self.frames.name(index)
            if is_film:
                self._keep_frame(self.output / "images" / f"{name}.png", frame)
            else:
                self._link(self.frames.files[index], name)
            made.append(self._labelled(name, frame))
            if index in shown:
                rows.append(self._row(frame))
        if not made:
            raise UserError(f"{self.frames.place}: no frames in it")
        titles = ["frame", "labels", "confidence"]
        pictures.write_png(self.output / CONTACT_SHEET, contact_sheet(rows, titles), {})
        self._write_confidence(made)
        self._describe()
        return made

    def _labelled(self, name: str, frame: np.ndarray) -> Labelled:
        file, texts = self.output / "labels" / f"{name}.png", self.labeller.texts(frame)
        known = _texts_of(file)
        if texts.items() <= known.items() and {"confidence", "void"} <= known.keys():
            return Labelled(name, float(known["confidence"]), float(known["void"]))
        if file.exists() and "segmenter" not in known:
            raise UserError(
                f"{file}: is no label map of this command and would be lost; choose another "
                "--output"
            )
        labels, confidence = self.labeller.label(frame)
        made = Labelled(name, float(confidence.mean()), float((labels == VOID).mean()))
        numbers = {"confidence": f"{made.confidence:.4f}", "void": f"{made.void:.4f}"}
        pictures.write_png(file, labels, texts | numbers)
        return Labelled(name, float(numbers["confidence"]), float(numbers["void"]))

    def _row(self, frame: np.ndarray) -> list[np.ndarray]:
        labels, confidence = self.labeller.label(frame)
        return [frame, self.labeller.table.colorize(labels), confidence[..., None]]

    def _keep_frame(self, file: Path, frame: np.ndarray) -> None:
        if not file.is_file() or not np.array_equal(pictures.read_image(file), frame):
            pictures.write_png(file, frame, {})

    def _link(self, file: Path, name: str) -> None:
        """Puts a picture into the tree; on the same disk without taking its room once more."""
        there = self.output / "images" / f"{name}{file.suffix}"
        with writing(there):
            there.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(file, there)

    def _write_confidence(self, made: Sequence[Labelled]) -> None:
        file = self.output / CONFIDENCE
        with writing(file), written_whole(file) as partial, open(partial, "w", newline="") as out:
            table = csv.DictWriter(out, ["name", "confidence", "void"])
            table.writeheader()
            table.writerows(map(asdict, made))

    @property
    def _description(self) -> dict[str, Any]:
        """What says how the tree is read."""
        table = self.labeller.table
        rows: list[dict[str, Any]] = [
            {"id": index, "name": name, "color": [*color]}
            for index, (name, color) in enumerate(zip(table.names, table.colors, strict=True))
        ]
        rows.append({"id": VOID, "name": "void", "ignored": True})
        return {"images": "images", "labels": "labels", "classes": rows}

    def _check_description(self) -> None:
        """Refuses a folder that is described otherwise."""
        file = self.output / DESCRIPTION
        if file.exists() and read_yaml(file) != self._description:
            raise UserError(
                f"{file}: describes something else than label maps of these classes; choose "
                "another --output"
            )

    def _describe(self) -> None:
        file = self.output / DESCRIPTION
        with writing(file), written_whole(file) as partial:
            partial.write_text(OmegaConf.to_yaml(OmegaConf.create(self._description)))


def report(made: Sequence[Labelled]) -> Iterator[str]:
    """What a user should know of the label maps, a line each."""
    confidence = np.array([frame.confidence for frame in made])
    void = np.array([frame.void for frame in made])
    yield f"{len(made)} label maps: mean confidence {confidence.mean():.3f}, {void.mean():.1%} void"
    least = made[int(confidence.argmin())]
    yield f"Least sure of {least.name}: {least.confidence:.3f}, {least.void:.1%} void"
    if (confidence == 1).all():
        yield (
            "Note: the segmenter gives classes without probabilities, so nothing was left void for "
            "being unsure"
        )
    if void.mean() > _MOST_VOID:
        yield (
            f"Note: {void.mean():.0%} of the pixels are void; are these frames of what the "
            "segmenter was trained on? Look at the sheet, lower --threshold, or try another --size"
        )


def _texts_of(file: Path) -> dict[str, str]:
    """The texts of a PNG's metadata; none where there is no such file."""
    try:
        with Image.open(file) as image:
            image.load()  # texts may stand behind the pixels
            return dict(image.text)  # type: ignore[attr-defined]
    except (OSError, SyntaxError, AttributeError):
        return {}
