"""What is scored: the pictures that a run paints, or those that lie in a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sflowgan_tf.data.media.pictures import SUFFIXES, read_image
from sflowgan_tf.evaluation.result import FOLDER
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.painting import CONTACT_SHEET
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError

Frame = dict[str, Any]
Place = tuple[str, int]  # sequence and number of a frame

_RESULT, _INPUT = "_synthesized_image", "_input_label"  # what pix2pixHD appends to names


@dataclass(kw_only=True)
class Painted:
    """The pictures of a translator, painted as at test time.

    Attributes:
        translator: of the run.
        redraw: whether from the DNED's edges.
        history: which steadies pictures of consecutive frames; its weight may be 0.
    """

    translator: Translator
    redraw: bool
    history: History
    _last: Place | None = field(init=False, default=None)

    def picture(self, frame: Frame) -> np.ndarray:
        """Of a record's frame, (height, width, 3) uint8; its past is the call before, if it was."""
        painted = self.translator.picture(frame, redraw=self.redraw)
        sequence, number = frame["sequence"].numpy().decode(), int(frame["frame"])
        if self._last != (sequence, number - 1):
            self.history.forget()
        self._last = sequence, number
        return self.history.steady(frame["image_cg"].numpy(), painted[None])[0]

    def versions(self, frame: Frame, count: int, seed: int) -> np.ndarray:
        """The same scene with several ensemble weights, (count, height, width, 3) uint8."""
        return self.translator.versions(frame, count, seed)[1]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Pictures in a folder, each with the place of the record that it belongs to.

    Attributes:
        files: by place.
        size: (width, height) that they must have.
    """

    files: dict[Place, Path]
    size: tuple[int, int]

    @classmethod
    def find(cls, folder: Path, places: Sequence[Place], size: tuple[int, int]) -> Files:
        """The pictures of all frames of a reference.

        A picture's frame is the last number in its name, but for what Cityscapes and pix2pixHD
        append; its sequence is the one whose name stands before that in its path, set apart by
        anything but letters and digits, or the only one. A sequence of a single frame may be named
        alone. The sheet of `translate`, earlier evaluations and the inputs that pix2pixHD writes
        beside its results are passed over.

        Args:
            folder: of the pictures; folders below it count too.
            places: of the frames.
            size: (width, height) of the records.

        Raises:
            UserError: a frame has no picture, or several; a picture has no frame.
        """
        if not folder.is_dir():
            raise UserError(f"--images {folder}: no such folder")
        found: dict[Place, Path] = {}
        sequences = sorted({sequence for sequence, _ in places}, key=lambda s: (-len(s), s))
        alone = _alone(places)
        wanted = set(places)
        for file in sorted(folder.rglob("*")):
            below = file.relative_to(folder)
            if file.suffix.lower() not in SUFFIXES or below.parts[0] in (FOLDER, CONTACT_SHEET):
                continue
            if file.stem.endswith(_INPUT):
                continue
            place = _place(below, sequences, alone)
            if place not in wanted:
                raise UserError(
                    f"{file}: belongs to no frame of the reference, which has {len(sequences)} "
                    f"sequences such as {sequences[0]!r} and frames such as {places[0][1]}; a "
                    "picture's path holds its sequence's name, its name ends with the frame"
                )
            if place in found:
                raise UserError(
                    f"{file}: is frame {place} as {found[place]} is; expected one of it"
                )
            found[place] = file
        missing = [place for place in places if place not in found]
        if missing:
            sequence, number = missing[0]
            raise UserError(
                f"--images {folder}: no picture of frame {number} of sequence {sequence!r}; "
                f"{len(missing)} of {len(places)} frames have none"
            )
        return cls(files=found, size=size)

    def picture(self, frame: Frame) -> np.ndarray:
        """Of a record's frame, (height, width, 3) uint8.

        Raises:
            UserError: it is damaged, or of another size.
        """
        file = self.files[frame["sequence"].numpy().decode(), int(frame["frame"])]
        picture = read_image(file)
        height, width = picture.shape[:2]
        if (width, height) != self.size:
            raise UserError(
                f"{file}: is {width}x{height}; expected {self.size[0]}x{self.size[1]}, as the "
                "records: paint at that size, or prepare records of the other one"
            )
        return picture


def _alone(places: Sequence[Place]) -> dict[str, Place]:
    """The places of sequences of a single frame, by name and, where that is clear, by its end."""
    counted = Counter(sequence for sequence, _ in places)
    single = {place[0]: place for place in places if counted[place[0]] == 1}
    ends = Counter(PurePosixPath(sequence).name for sequence in single)
    by_end = {PurePosixPath(sequence).name: place for sequence, place in single.items()}
    return {end: place for end, place in by_end.items() if ends[end] == 1} | single


def _place(file: Path, sequences: Sequence[str], alone: dict[str, Place]) -> Place | None:
    name = file.stem.removesuffix(_RESULT).partition("_leftImg8bit")[0]
    for known in (file.with_name(name).as_posix(), name):
        if known in alone:
            return alone[known]
    numbers = [*re.finditer(r"\d+", name)]
    if not numbers:
        return None
    number = int(numbers[-1].group())
    if len(sequences) == 1:
        return sequences[0], number
    before = f"{file.parent.as_posix()}/{name[: numbers[-1].start()]}"
    named = [s for s in sequences if re.search(rf"(?<![^\W_]){re.escape(s)}(?![^\W_])", before)]
    return (named[0], number) if named else None
