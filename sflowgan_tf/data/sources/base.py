"""What the reader of a raw dataset returns: frames in order and a class table."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.data.media.pictures import SUFFIXES
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.listing import files_below


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """One frame of a raw dataset.

    Attributes:
        sequence: name of the film that it belongs to; a single frame is a sequence of its own.
        number: within the sequence; n and n + 1 are consecutive.
        group: frames of one group are never divided between training and validation, such as all
            drives and cameras of one route.
        split: "train" or "validation" where the dataset says so itself.
        labels: the label map's file.
        image_real: the photo's file.
        image_cg: the simulator's file, where it is another one.
        instances: the file of `data.media.pictures.read_instances`; it may be the label map's.
        motion: the file of `data.media.pictures.read_motion`, the exact flow to the next frame.
    """

    sequence: str
    number: int
    group: str
    labels: Path
    image_real: Path
    image_cg: Path | None = None
    instances: Path | None = None
    motion: Path | None = None
    split: str | None = None

    @property
    def files(self) -> list[Path]:
        """All files that the frame is read from."""
        files = (self.labels, self.image_real, self.image_cg, self.instances, self.motion)
        return list(dict.fromkeys(file for file in files if file is not None))

    def follows(self, other: "RawFrame") -> bool:
        """Whether it is the very next frame of the same sequence."""
        return self.sequence == other.sequence and self.number == other.number + 1


@dataclass(frozen=True)
class Source:
    """A raw dataset: its frames, ordered by sequence and number, and its class table.

    Raises:
        UserError: two frames have one number, or some frames lack what others have.
    """

    frames: list[RawFrame]
    table: ClassTable

    def __post_init__(self):
        """Refuses what records cannot express."""
        for first, second in itertools.pairwise(self.frames):
            if (first.sequence, first.number) == (second.sequence, second.number):
                raise UserError(
                    f"{second.image_real}: is frame {second.number} of sequence "
                    f"{second.sequence!r}, as {first.image_real} is; expected one of the two"
                )
            _check_alike(first, second, "image_cg", "CG frame")
            _check_alike(first, second, "instances", "instance map")
        pairs = [a for a, b in itertools.pairwise(self.frames) if b.follows(a)]
        for first, second in itertools.pairwise(pairs):
            _check_alike(first, second, "motion", "exact flow")

    @property
    def has_cg(self) -> bool:
        """Whether there are CG frames beside the real ones."""
        return self.frames[0].image_cg is not None

    @property
    def has_instances(self) -> bool:
        """Whether there are instance maps."""
        return self.frames[0].instances is not None

    @property
    def has_motion(self) -> bool:
        """Whether there is exact flow; frames without a successor need none."""
        return any(frame.motion is not None for frame in self.frames)


def _check_alike(first: RawFrame, second: RawFrame, field: str, named: str) -> None:
    lacks = [getattr(frame, field) is None for frame in (first, second)]
    if lacks[0] != lacks[1]:
        having, without = (second, first) if lacks[0] else (first, second)
        raise UserError(
            f"{without.image_real}: has no {named} beside it, {having.image_real} has; expected it "
            "for all frames or for none"
        )


def ordered(frames: list[RawFrame], root: Path, expected: str) -> list[RawFrame]:
    """Frames by sequence and number.

    Raises:
        UserError: there are none; `expected` says what was looked for below `root`.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; expected {expected}")
    if not frames:
        raise UserError(f"{root}: no frames found; expected {expected}")
    return sorted(frames, key=lambda frame: (frame.sequence, frame.number))


def pictures(folder: Path) -> list[Path]:
    """The PNG and JPEG files below a folder, in order."""
    return files_below(folder, SUFFIXES)
