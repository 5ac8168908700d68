"""The subjects of an evaluation: pictures that a run paints, or those that lie in a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from sflowgan_tf import config as settings
from sflowgan_tf.data.media.pictures import SUFFIXES, read_image
from sflowgan_tf.evaluation.frames import Frame, PaintFunction, Place
from sflowgan_tf.evaluation.frames import place as place_of
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import FOLDER
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.painting import CONTACT_SHEET
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.listing import files_below

_RESULT, _INPUT = "_synthesized_image", "_input_label"  # what pix2pixHD appends to names


@dataclass(kw_only=True)
class Painted:
    """The pictures of a translator, painted as at test time.

    Attributes:
        translator: that paints.
        varies: whether it paints from the DNED's edges, and so several versions of a scene.
        history: steadies pictures of consecutive frames; its weight may be 0.
        stride: between the numbers of consecutive frames.
        description: run, step and edges, for the result.
        logs: folder of TensorBoard's files of the run; None without any.
    """

    translator: Translator
    varies: bool
    history: History
    stride: int
    description: dict[str, Any] = field(default_factory=dict)
    logs: Path | None = None
    _last: Place | None = field(init=False, default=None)
    _film: PaintFunction | None = field(init=False, default=None)

    @classmethod
    def of_run(
        cls, name: str, reference: Reference, *, edges: str | None, weight: float
    ) -> Painted:
        """The pictures of the latest checkpoint of a run, named as `Run.existing` takes it.

        The "dned" or "laplacian" draws the `edges`; None for the DNED where it can. `weight` is of
        the past, as `History` takes it. Its flow has the settings of the records that the run was
        trained on, as when `translate` paints, not those of `reference`, whose frames are painted.

        Raises:
            UserError: there is no such run or no checkpoint, or it can't paint so.
        """
        run = Run.existing(name)
        translator, trained, step = assembly.restored_translator(run)
        if translator.edge_map == "instances" and not reference.manifest.has_instances:
            raise UserError(
                f"--reference {reference.folder}: has no instances, which run {run.folder} needs; "
                "prepare records from a source that has instance maps"
            )
        if edges == "dned" and not translator.redraws:
            raise UserError(
                f"--edges dned: run {run.folder} never saw the DNED's edges; leave --edges out"
            )
        varies = translator.redraws if edges is None else edges == "dned"
        description = {
            "run": name,
            "step": step,
            "edges": "dned" if varies else translator.edge_map,
            "training seed": settings.read(run.config).seed,
        }
        if translator.appearance:
            description["appearance"] = "given"
            if not reference.manifest.has_cg:
                translator.appearance = translator.appearance.of_real_frames()
        return cls(
            translator=translator,
            varies=varies,
            history=History(weight, trained.flow),
            stride=reference.manifest.stride,
            description=description | ({"history": weight} if weight else {}),
            logs=run.logs,
        )

    def picture(self, frame: Frame) -> np.ndarray:
        """The picture of a frame, (height, width, 3) uint8 RGB.

        Its past is the picture of the call before, where that was of the frame before.
        """
        sequence, number = place_of(frame)
        if self._film is None or self._last != (sequence, number - self.stride):
            self._film = self.translator.film(redraw=self.varies)
            self.history.forget()
        self._last = sequence, number
        painted = self._film(frame)
        return self.history.steady(frame["image_cg"].numpy(), painted[None])[0]

    @property
    def remembers(self) -> bool:
        """Whether the pictures of a film depend on those before."""
        return bool(self.history.weight) or self.translator.remembers

    def versions(self, frame: Frame, count: int, seed: int) -> np.ndarray:
        """One scene, painted with several ensemble weights, (count, height, width, 3) uint8 RGB."""
        return self.translator.versions(frame, count, seed)[1]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Pictures in a folder, each with the place of the frame that it shows.

    Attributes:
        folder: of the pictures.
        files: the picture of each place.
        size: (width, height) that they must have.
        varies: False; there is one picture of a scene.
        logs: None; they were not trained here.
    """

    folder: Path
    files: dict[Place, Path]
    size: tuple[int, int]
    varies: ClassVar[bool] = False
    logs: ClassVar[Path | None] = None

    @property
    def description(self) -> dict[str, Any]:
        """The folder, for the result."""
        return {"images": str(self.folder)}

    @classmethod
    def find(cls, folder: Path, places: Sequence[Place], size: tuple[int, int]) -> Files:
        """The pictures of all frames of a reference.

        A picture's frame is the last number in its name, but for what Cityscapes and pix2pixHD
        append; its sequence is the one whose name stands before that in its path, set apart by
        anything but letters and digits, or the only one. A sequence of a single frame may be named
        alone. The sheet of `translate`, earlier evaluations and the inputs that pix2pixHD writes
        beside its results are passed over; folders below `folder` are not.

        Raises:
            UserError: a frame has no picture, or several; a picture has no frame.
        """
        if not folder.is_dir():
            raise UserError(f"--images {folder}: no such folder")
        files: dict[Place, Path] = {}
        sequences = sorted({sequence for sequence, _ in places}, key=lambda s: (-len(s), s))
        alone = _alone(places)
        expected = set(places)
        for file in files_below(folder, SUFFIXES):
            below = file.relative_to(folder)
            if below.parts[0] in (FOLDER, CONTACT_SHEET) or file.stem.endswith(_INPUT):
                continue
            place = _place(below, sequences, alone)
            if place not in expected:
                raise UserError(
                    f"{file}: belongs to no frame of the reference, which has {len(sequences)} "
                    f"sequences such as {sequences[0]!r} and frames such as {places[0][1]}; a "
                    "picture's path holds its sequence's name, its name ends with the frame"
                )
            if place in files:
                raise UserError(
                    f"{file}: is a picture of frame {place[1]} of sequence {place[0]!r} as "
                    f"{files[place]} is; expected one of each frame, so move one of them away"
                )
            files[place] = file
        missing = [place for place in places if place not in files]
        if missing:
            sequence, number = missing[0]
            raise UserError(
                f"--images {folder}: no picture of frame {number} of sequence {sequence!r}; "
                f"{len(missing)} of {len(places)} frames have none"
            )
        return cls(folder=folder, files=files, size=size)

    def picture(self, frame: Frame) -> np.ndarray:
        """The picture of a frame, (height, width, 3) uint8 RGB.

        Raises:
            UserError: its file is damaged, or of another size.
        """
        file = self.files[place_of(frame)]
        picture = read_image(file)
        height, width = picture.shape[:2]
        if (width, height) != self.size:
            raise UserError(
                f"{file}: is {width}x{height}; expected {self.size[0]}x{self.size[1]}, as the "
                "records: paint at that size, or prepare records of the other one"
            )
        return picture


def _alone(places: Sequence[Place]) -> dict[str, Place]:
    """The places of sequences of a single frame, by name and by the name's last part.

    A last part that several of these names share is left out.
    """
    lengths = Counter(sequence for sequence, _ in places)
    single = {place[0]: place for place in places if lengths[place[0]] == 1}
    ends = Counter(PurePosixPath(sequence).name for sequence in single)
    by_end = {PurePosixPath(sequence).name: place for sequence, place in single.items()}
    return {end: place for end, place in by_end.items() if ends[end] == 1} | single


def _place(file: Path, sequences: Sequence[str], alone: dict[str, Place]) -> Place | None:
    """The place of the frame that a picture's path below its folder names; None where it does not.

    `sequences` are the names of all, the longest first; `alone` is of `_alone`.
    """
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
