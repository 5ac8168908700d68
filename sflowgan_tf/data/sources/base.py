"""What the reader of a raw dataset returns: frames in order and a class table."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sflowgan_tf.data.media.pictures import read_instances, read_motion
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """One frame of a raw dataset.

    Attributes:
        sequence: name of the film that it belongs to; a single frame is a sequence of its own.
        number: within the sequence; n and n + `stride` are consecutive.
        group: frames of one group are never divided between training and validation, such as all
            drives and cameras of one route.
        split: "train" or "validation" where the dataset says so itself.
        stride: from one frame of the dataset to the next, as of a simulator's every fifth tick.
        labels: the label map's file.
        image_real: the photo's file.
        image_cg: the simulator's file, where it is another one.
        instances: the instance map's file; it may be the label map's.
        motion: the file of the exact flow to the next frame.
        instance_reader: of `instances`; gives what `data.media.pictures.read_instances` does.
        motion_reader: of `motion`; gives what `data.media.pictures.read_motion` does.
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
    stride: int = 1
    instance_reader: Callable[[Path], np.ndarray] = read_instances
    motion_reader: Callable[[Path], tuple[np.ndarray, np.ndarray]] = read_motion

    @property
    def files(self) -> list[Path]:
        """All files that the frame is read from."""
        files = (self.labels, self.image_real, self.image_cg, self.instances, self.motion)
        return list(dict.fromkeys(file for file in files if file is not None))

    def follows(self, other: "RawFrame") -> bool:
        """Whether it is the very next frame of the same sequence."""
        return self.sequence == other.sequence and self.number == other.number + self.stride


@dataclass(frozen=True)
class Source:
    """A raw dataset: its frames, ordered by sequence and number, and its class table.

    Raises:
        UserError: two frames have one number, a number has more bits than records hold, or some
            frames lack what others have.
    """

    frames: list[RawFrame]
    table: ClassTable

    def __post_init__(self):
        """Refuses what records cannot express."""
        for frame in self.frames:
            if abs(frame.number) >= 1 << 63:
                raise UserError(
                    f"{frame.image_real}: is frame {frame.number}; expected a number of 18 "
                    "digits at most: rename the frames, or name fewer digits with `sequence`"
                )
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
    def stride(self) -> int:
        """Between the numbers of consecutive frames."""
        return self.frames[0].stride

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


def single(photo: Path, labels: Path, **others: Any) -> RawFrame:
    """A frame that no other follows: a sequence and a group of its own, named as its photo.

    `others` are further attributes of the frame, or other values of these.
    """
    place: dict[str, Any] = {"sequence": photo.stem, "number": 0, "group": photo.stem}
    return RawFrame(image_real=photo, labels=labels, **(place | others))


def parted(train: list[RawFrame], validation: list[RawFrame]) -> list[RawFrame]:
    """The frames of a dataset's own two parts, which are the split where both have frames."""
    if not (train and validation):
        return train + validation
    parts = {"train": train, "validation": validation}
    return [replace(frame, split=name) for name, part in parts.items() for frame in part]


def ordered(frames: list[RawFrame], root: Path, expected: str) -> list[RawFrame]:
    """Frames by sequence and number, with the stride of their numbers.

    Raises:
        UserError: there are none; `expected` says what was looked for below `root`.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; expected {expected}")
    if not frames:
        raise UserError(f"{root}: no frames found; expected {expected}")
    found = sorted(frames, key=lambda frame: (frame.sequence, frame.number))
    stride = _stride(found)
    return [replace(frame, stride=stride) for frame in found]


def _stride(frames: list[RawFrame]) -> int:
    """The step between most frame numbers if it divides all of them; else 1.

    So numbers drawn without a rule, as of single annotated frames, make no pairs.
    """
    pairs = [(a, b) for a, b in itertools.pairwise(frames) if a.sequence == b.sequence]
    steps = Counter(b.number - a.number for a, b in pairs if b.number > a.number)
    if not steps:
        return 1
    step, count = steps.most_common(1)[0]
    return step if step == math.gcd(*steps) and 2 * count > steps.total() else 1


def without(source: Source, left_out: str, root: Path) -> Source:
    """The frames of a source but for those whose photos' paths hold a match of `left_out`.

    Args:
        source: of a reader.
        left_out: a regular expression, in paths below `root` with slashes; nothing for all frames.
        root: of the source.

    Raises:
        UserError: it is no regular expression, or it leaves out no frame or every one.
    """
    if not left_out:
        return source
    try:
        pattern = re.compile(left_out)
    except re.error as error:
        raise UserError(
            f"records.left_out={left_out!r}: expected a regular expression ({error})"
        ) from None
    above = f"{root.as_posix()}/"
    names = [frame.image_real.as_posix().removeprefix(above) for frame in source.frames]
    kept = [f for f, name in zip(source.frames, names, strict=True) if not pattern.search(name)]
    if len(kept) in (0, len(names)):
        outcome = "leaves out every frame" if not kept else "leaves out no frame"
        raise UserError(f"records.left_out={left_out!r}: {outcome}; they are {names[0]} and so on")
    return replace(source, frames=kept)
