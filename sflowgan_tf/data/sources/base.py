"""What every source gives: frames in order and a class table."""

from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.data.files import SUFFIXES
from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import ClassTable


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """One frame of a raw dataset.

    Attributes:
        sequence: what consecutive frames have in common; frames of an unordered source have one each.
        number: within the sequence; n and n + 1 are consecutive.
        group: what must not be split between training and validation, such as all cameras of a drive.
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


@dataclass(frozen=True)
class Source:
    """A raw dataset: its frames, ordered by sequence and number, and its class table."""

    frames: list[RawFrame]
    table: ClassTable

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
