"""Where scenes come from: minicity's streets, prepared records, files, an empty street."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.data.media.pictures import SUFFIXES, read_image, read_labels, resize
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.simulators import Camera, Minicity
from sflowgan_tf.simulators.live_painting import reading
from sflowgan_tf.utils.errors import UserError

DRIVE = 40  # moments of a street
MOST_SEED = 2**31 - 1
MOST_FILE_PIXELS = 1 << 25  # of a picture that is given: 8192x4096
MOST_BYTES = 20 << 20  # of its file
_DATASETS = Path("datasets")


@dataclass(frozen=True, kw_only=True)
class Street:
    """A moment of a drive through minicity.

    Attributes:
        seed: of the street.
        number: of the moment, 0 to DRIVE - 1.
    """

    seed: int
    number: int

    def __str__(self) -> str:
        """For recipes; `parsed` reads it."""
        return f"minicity:{self.seed}:{self.number}"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A frame of prepared records.

    Attributes:
        dataset: a folder in datasets/.
        split: "train" or "validation".
        number: of the frame, from 0 on.
    """

    dataset: str
    split: str
    number: int

    def __str__(self) -> str:
        """For recipes; `parsed` reads it."""
        return f"records:{self.dataset}:{self.split}:{self.number}"


@dataclass(frozen=True)
class Given:
    """What was uploaded, which can't be found again."""

    name: str

    def __str__(self) -> str:
        """For recipes; `parsed` reads it."""
        return f"given:{self.name}"


@dataclass(frozen=True)
class Empty:
    """Sky above a road."""

    def __str__(self) -> str:
        """For recipes; `parsed` reads it."""
        return "empty"


Place = Street | Stored | Given | Empty


def parsed(text: str) -> Place:
    """The place that a text names, as its `str` wrote it.

    Raises:
        UserError: it is none.
    """
    kind, *rest = text.split(":")
    match kind, rest:
        case "minicity", [seed, number] if _is_number(seed) and _is_number(number):
            return Street(seed=int(seed), number=int(number))
        case "records", [dataset, split, number] if _is_number(number):
            return Stored(dataset=dataset, split=split, number=int(number))
        case "empty", []:
            return Empty()
        case "given", _:
            return Given(text.partition(":")[2])
    raise UserError(f"scene {text[:80]!r}: expected minicity:SEED:NUMBER or the like")


def find(place: Street | Stored, size: tuple[int, int], classes: ClassTable) -> Canvas:
    """A scene, for a model of that size and these classes.

    Raises:
        UserError: there is no such scene, or it is one of other classes.
    """
    return _street(place, size, classes) if isinstance(place, Street) else _stored(place, classes)


def _street(place: Street, size: tuple[int, int], classes: ClassTable) -> Canvas:
    if not 0 <= place.seed <= MOST_SEED:
        raise UserError(f"street {place.seed}: expected a whole number from 0 to {MOST_SEED}")
    if not 0 <= place.number < DRIVE:
        raise UserError(f"moment {place.number}: a street has the moments 0 to {DRIVE - 1}")
    return next(drive(place.seed, DRIVE, size, classes, place.number))


def drive(
    seed: int, frames: int, size: tuple[int, int], classes: ClassTable, start: int = 0
) -> Iterator[Canvas]:
    """A drive through minicity, moment by moment.

    Args:
        seed: of the street.
        frames: moments of the drive.
        size: (width, height).
        classes: of the model.
        start: the moment to begin with.

    Raises:
        UserError: the model has other classes than minicity.
    """
    cameras = (Camera(name="front", size=size),)
    simulator = Minicity(seed=seed, frames=frames, fps=Fraction(10), cameras=cameras)
    table = reading(classes, simulator.table)
    with simulator.drive(start) as ticks:
        for tick in ticks:
            yield Canvas.of(table.encode(tick.labels), tick.frame)


def datasets(classes: ClassTable) -> dict[str, Manifest]:
    """The records in datasets/ that have a model's classes, by their folders' names."""
    found = {}
    for file in sorted(_DATASETS.glob("*/manifest.json")):
        try:
            manifest = Manifest.load(file.parent)
        except UserError:  # of another version, or in the making
            continue
        if manifest.classes.names == classes.names:
            found[file.parent.name] = manifest
    return found


def _stored(place: Stored, classes: ClassTable) -> Canvas:
    known = datasets(classes)
    if place.dataset not in known:
        there = ", ".join(known) or "there are none with this model's classes"
        raise UserError(f"records {place.dataset!r}: not in datasets/; expected {there}")
    manifest, folder = known[place.dataset], _DATASETS / place.dataset
    split = manifest.splits.get(place.split)
    if split is None or not 0 <= place.number < split.records:
        parts = ", ".join(f"{name} 0 to {s.records - 1}" for name, s in manifest.splits.items())
        raise UserError(f"frame {place.number} of {place.split!r}: {place.dataset} has {parts}")
    stored = next(islice(pipeline.stored_records(folder, split), place.number, None))
    frame = pipeline.decoded(stored, manifest)
    return Canvas.of(frame["labels"].numpy(), frame["image_cg"].numpy())


def empty(size: tuple[int, int], classes: ClassTable, colors: np.ndarray) -> Canvas:
    """Sky above a road, to paint on; where a model has neither, all is its first class.

    Args:
        size: (width, height).
        classes: of the model.
        colors: (classes, 3) uint8 RGB, of `Easel.brush_colors`.
    """
    width, height = size
    labels = np.zeros((height, width), np.uint8)
    for name, top in (("sky", 0), ("road", height // 2)):
        if name in classes.names:
            labels[top:] = classes.names.index(name)
    return Canvas.of(labels, colors[labels])


def of_files(label_map: Path, picture: Path, size: tuple[int, int], table: ClassTable) -> Canvas:
    """A label map and a frame, cut and resized to the size of a model.

    Args:
        label_map: a PNG.
        picture: a PNG or JPEG.
        size: (width, height).
        table: how the label map's ids become the model's classes.

    Raises:
        UserError: one is unreadable or too large, or they differ in size.
    """
    labels = read_labels(checked(label_map, (".png",)), table)
    frame = read_image(checked(picture, SUFFIXES))
    if labels.shape != frame.shape[:2]:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (labels, frame)]
        raise UserError(
            f"{label_map.name} is {sizes[0]}, but {picture.name} is {sizes[1]}; expected the same "
            "size"
        )
    return Canvas.of(resize(labels, size), resize(frame, size))


def checked(file: Path, suffixes: tuple[str, ...]) -> Path:
    """A picture that was given, whose header was looked at before anything is decoded.

    Raises:
        UserError: it is of another kind, or too large.
    """
    if file.suffix.lower() not in suffixes:
        raise UserError(f"{file.name}: expected a file {' or '.join(suffixes)}")
    if file.stat().st_size > MOST_BYTES:
        raise UserError(f"{file.name}: larger than {MOST_BYTES >> 20} MB; give a smaller picture")
    try:
        with Image.open(file, formats=["png", "jpeg"]) as header:
            width, height = header.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise UserError(f"{file.name}: no PNG or JPEG, or a damaged one; copy it anew") from None
    if width * height > MOST_FILE_PIXELS:
        raise UserError(f"{file.name}: {width}x{height} pixels; give a smaller picture")
    return file


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 11
