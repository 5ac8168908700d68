"""What every source gives: frames in order and a class table."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.data.files import SUFFIXES
from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import ClassTable


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """One frame of a raw dataset.

    Attributes:
        sequence: what consecutive frames share; frames of an unordered source have one each.
        number: within the sequence; n and n + 1 are consecutive.
        group: what is never split between training and validation: a route's drives and cameras.
        split: "train" or "validation" where the dataset says so itself.
        labels: the label map's file.
        image_real: the photo's file.
        image_cg: the simulator's file, where it is another one.
    """

    sequence: str
    number: int
    group: str
    labels: Path
    image_real: Path
    image_cg: Path | None = None
    split: str | None = None

    @property
    def files(self) -> list[Path]:
        """All that it is read from."""
        return [file for file in (self.labels, self.image_real, self.image_cg) if file is not None]

    def follows(self, other: "RawFrame") -> bool:
        """Whether it is the very next frame of the same sequence."""
        return self.sequence == other.sequence and self.number == other.number + 1


@dataclass(frozen=True)
class Source:
    """A raw dataset: its frames, ordered by sequence and number, and its class table.

    Raises:
        UserError: two frames have one number, or some frames lack the CG that others have.
    """

    frames: list[RawFrame]
    table: ClassTable

    def __post_init__(self):
        """Checks what records cannot express."""
        for first, second in itertools.pairwise(self.frames):
            if (first.sequence, first.number) == (second.sequence, second.number):
                raise UserError(
                    f"{second.image_real}: is frame {second.number} of sequence "
                    f"{second.sequence!r}, as {first.image_real} is; expected one of the two"
                )
            if (first.image_cg is None) != (second.image_cg is None):
                with_cg, without = sorted((first, second), key=lambda frame: frame.image_cg is None)
                raise UserError(
                    f"{without.image_real}: has no CG frame beside it, {with_cg.image_real} has; "
                    "expected it for all frames or for none"
                )

    @property
    def has_cg(self) -> bool:
        """Whether there are CG frames beside the real ones."""
        return self.frames[0].image_cg is not None


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
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
