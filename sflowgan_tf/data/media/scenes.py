"""What is to be painted: label maps and the frames that belong to them, of folders or videos."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, zip_longest
from pathlib import Path
from statistics import mode

import numpy as np
from tqdm import tqdm

from sflowgan_tf.data.media.pictures import SUFFIXES, pictures, read_image, read_labels
from sflowgan_tf.data.media.videos import VideoFile
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.listing import normal_name

_KINDS = ("_gtFine_labelIds", "_leftImg8bit")  # what Cityscapes appends to a frame's name
_ALONE = "/0"  # a single picture's key, which no file has: two of any names make a scene
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<after>\D*)")


class Folder:
    """The pictures below a folder, read like the frames of a `VideoFile`."""

    fps = None

    def __init__(self, place: Path, by_key: dict[str, Path]):
        """The files of `by_key` in its order, below the folder `place`.

        A file's key is that of its scene: what the names of a label map and its frame share.
        """
        self.place, self.by_key, self.files = place, by_key, list(by_key.values())

    def name(self, index: int) -> str:
        """Path of a picture below the folder, without its suffix."""
        return str(self.files[index].relative_to(self.place).with_suffix(""))

    def where(self, index: int) -> str:
        """Path of a picture, for messages."""
        return str(self.files[index])

    def images(self, start: int) -> Iterator[np.ndarray]:
        """Pictures from number `start` on, each (height, width, 3) uint8 RGB."""
        return map(read_image, self.files[start:])

    def labels(self, table: ClassTable, start: int) -> Iterator[np.ndarray]:
        """Label maps from number `start` on, each (height, width) uint8 class indices."""
        return (read_labels(file, table) for file in self.files[start:])

    def in_order(self) -> "Folder":
        """The folder with its pictures ordered by the last number in their names.

        Raises:
            UserError: a name has no number, a number is missing, or there are several sequences.
        """
        places = {key: _place(key, file) for key, file in self.by_key.items()}
        sequences = sorted({sequence for sequence, _ in places.values()})
        if sequences[1:]:
            raise UserError(
                f"{self.place}: holds several sequences ({', '.join(sequences[:3])}); a film is "
                "made of one: name the folder of one sequence"
            )
        keys = sorted(places, key=lambda key: places[key][1])
        numbered = [(self.by_key[key], places[key][1]) for key in keys]
        steps = sorted(after[1] - before[1] for before, after in pairwise(numbered))
        step = mode(steps) if steps else 1
        for (before, number), (file, following) in pairwise(numbered):
            if following == number:
                raise UserError(f"{file}: has the number of {before.name}; expected one file each")
            if following != number + step:
                raise UserError(
                    f"{file}: comes after {before.name}; expected number {number + step}: "
                    "the numbers of a film's frames have no gap"
                )
        return Folder(self.place, {key: self.by_key[key] for key in keys})


def _place(key: str, file: Path) -> tuple[str, int]:
    """The sequence that a picture belongs to, and its number in the sequence."""
    path = Path(key)
    match = _NUMBERED.fullmatch(path.name)
    if match is None:
        raise UserError(f"{file}: no number in its name; expected one, by which a film is ordered")
    return str(path.with_name(f"{match['before']}*{match['after']}")), int(match["number"])


Source = Folder | VideoFile


@dataclass(frozen=True)
class Scene:
    """A label map and the frame that belongs to it.

    Attributes:
        name: of the frame, below its folder, without its suffix.
        labels: (height, width) uint8 class indices.
        frame: (height, width, 3) uint8 RGB.
    """

    name: str
    labels: np.ndarray
    frame: np.ndarray


@dataclass(frozen=True)
class Scenes:
    """The label maps and frames to paint, as many of the one as of the other."""

    labels: Source
    frames: Source

    @property
    def fps(self) -> Fraction | None:
        """Frames a second of the videos; None where both are folders."""
        return self.frames.fps or self.labels.fps

    def read(self, table: ClassTable, start: int) -> Iterator[Scene]:
        """Reads scenes from number `start` on, counted from 0; `table` is the label maps'.

        Raises:
            UserError: a source is unreadable; there are more label maps than frames or the
                reverse; a label map and its frame differ in size.
        """
        maps, images = self.labels.labels(table, start), self.frames.images(start)
        for index, (labels, frame) in enumerate(zip_longest(maps, images), start):
            if labels is None or frame is None:
                longer = 1 + index + sum(1 for _ in (images if labels is None else maps))
                counts = (index, longer) if labels is None else (longer, index)
                raise UserError(
                    f"{self.labels.place} has {counts[0]} label maps, but {self.frames.place} has "
                    f"{counts[1]} frames; expected as many"
                )
            if labels.shape != frame.shape[:2]:
                raise UserError(
                    f"{self.labels.where(index)} is {_size(labels)}, but "
                    f"{self.frames.where(index)} is {_size(frame)}; expected the same size"
                )
            yield Scene(self.frames.name(index), labels, frame)

    def check(self, table: ClassTable, *, one_size: bool) -> int:
        """Reads every scene once, so that nothing is painted where one of them is wrong.

        With `one_size` all must have the size of the first one. Returns how many there are.

        Raises:
            UserError: names the file or frame and what is wrong in it.
        """
        count, size = 0, None
        scenes = tqdm(self.read(table, 0), desc="checking", unit="scene", leave=False)
        for count, scene in enumerate(scenes, start=1):
            size = size or _size(scene.frame)
            if one_size and _size(scene.frame) != size:
                raise UserError(
                    f"{self.frames.where(count - 1)} is {_size(scene.frame)}, but "
                    f"{self.frames.where(0)} is {size}; a film's frames have one size"
                )
        if not count:
            raise UserError(f"{self.frames.place}: no frames in it")
        return count


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


def pair_up(labels: Path, frames: Path, *, in_order: bool) -> Scenes:
    """Pairs label maps with their frames: two folders by name, others by order.

    Each is a folder, a video or a single picture.

    With `in_order` folders must hold one sequence without gaps, which is then ordered by number;
    beside a video they must in any case.

    Raises:
        UserError: one is missing or has no pictures; a frame has no label map or the reverse; a
            folder is not one whole sequence.
    """
    maps, images = source(labels, "--labels"), source(frames, "--frames")
    if isinstance(maps, Folder) and isinstance(images, Folder):
        maps = _matching(maps, images)
        if not in_order:
            return Scenes(maps, images)
    images = images.in_order()
    return Scenes(maps.in_order(), images)


def source(path: Path, flag: str) -> Source:
    """The pictures of a folder, a picture or a video; a folder's names may be Cityscapes'.

    Raises:
        UserError: there is no such place, no pictures in it, or two of one name; `flag` named it.
    """
    if path.is_file():
        is_picture = path.suffix.lower() in SUFFIXES
        return Folder(path.parent, {_ALONE: path}) if is_picture else VideoFile(path)
    if not path.is_dir():
        raise UserError(f"{flag} {path}: no such folder, picture or video")
    files = pictures(path)
    if not files:
        raise UserError(f"{flag} {path}: no pictures ({', '.join(SUFFIXES)}) in it")
    # Cityscapes keeps colour and instance maps beside those with the ids.
    of_a_kind = [file for file in files if file.stem.endswith(_KINDS)]
    by_key: dict[str, Path] = {}
    for file in of_a_kind or files:
        other = by_key.setdefault(_key(file.relative_to(path)), file)
        if other != file:
            raise UserError(f"{file}: {other.name} lies beside it; expected one file of a name")
    return Folder(path, by_key)


def _key(file: Path) -> str:
    name = normal_name(file.with_suffix(""))
    for kind in _KINDS:
        name = name.removesuffix(kind)
    return name


def _matching(labels: Folder, frames: Folder) -> Folder:
    """The label maps in the order of the frames."""
    if (_ALONE in labels.by_key) != (_ALONE in frames.by_key):
        raise UserError(
            f"{labels.place} and {frames.place}: one is a single picture, the other a folder; "
            "expected two pictures or two folders"
        )
    for key, file in frames.by_key.items():
        if key not in labels.by_key:
            raise UserError(f"{file}: no label map of that name below {labels.place}")
    for key, file in labels.by_key.items():
        if key not in frames.by_key:
            raise UserError(f"{file}: no frame of that name below {frames.place}")
    return Folder(labels.place, {key: labels.by_key[key] for key in frames.by_key})
