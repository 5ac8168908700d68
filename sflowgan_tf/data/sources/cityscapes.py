"""Cityscapes: single annotated frames, and its video clips with labels for every frame."""

import re
from pathlib import Path

from sflowgan_tf.data.media.pictures import pictures
from sflowgan_tf.data.sources.base import RawFrame, Source, ordered, parted
from sflowgan_tf.ops.classes import table

_NAME = re.compile(r"(?P<sequence>.+_\d{6})_(?P<number>\d{6})_leftImg8bit")
_PARTS = ("train", "val")


def find(root: Path, classes: str) -> Source:
    """leftImg8bit and gtFine below `root`; the classes are always its trainIds."""
    return _find(root, "leftImg8bit", "gtFine")


def find_sequence(root: Path, classes: str) -> Source:
    """leftImg8bit_sequence and gtFine_sequence below `root`: a label map for every frame."""
    return _find(root, "leftImg8bit_sequence", "gtFine_sequence")


def _find(root: Path, images: str, annotations: str) -> Source:
    """The official splits count where both are there.

    A drive's name is its city and sequence number. Some cities are one long drive, and a gap in the
    frame numbers ends a clip.
    """
    train, validation = (
        [frame for file in pictures(root / images / part) if (frame := _frame(file, annotations))]
        for part in _PARTS
    )
    expected = f"{images}/{{train,val}}/<city>/<city>_<sequence>_<frame>_leftImg8bit.png"
    return Source(ordered(parted(train, validation), root, expected), table("cityscapes"))


def _frame(file: Path, annotations: str) -> RawFrame | None:
    match, city, part = _NAME.fullmatch(file.stem), file.parent, file.parents[1]
    if match is None or part.name not in _PARTS:  # not in a city's folder
        return None
    annotation = part.parents[1] / annotations / part.name / city.name
    name = f"{match['sequence']}_{match['number']}_gtFine"
    instances = annotation / f"{name}_instanceIds.png"
    return RawFrame(
        sequence=match["sequence"],
        number=int(match["number"]),
        group=match["sequence"],
        labels=annotation / f"{name}_labelIds.png",
        image_real=file,
        instances=instances if instances.is_file() else None,
    )
