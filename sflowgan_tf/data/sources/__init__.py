"""The raw datasets, each with its reader."""

from collections.abc import Callable
from pathlib import Path

from sflowgan_tf.data.sources import (
    bdd100k,
    camvid,
    cityscapes,
    folder,
    gta5,
    kitti,
    mapillary,
    synthia,
    vkitti,
)
from sflowgan_tf.data.sources.base import RawFrame, Source, without
from sflowgan_tf.utils.errors import UserError

__all__ = ["SOURCES", "RawFrame", "Source", "find"]

SOURCES: dict[str, Callable[[Path, str], Source]] = {
    "minicity": synthia.find,  # it is written in SYNTHIA's layout
    "synthia": synthia.find,
    "cityscapes": cityscapes.find,
    "cityscapes_sequence": cityscapes.find_sequence,
    "vkitti": vkitti.find,
    "gta5": gta5.find,
    "camvid": camvid.find,
    "kitti": kitti.find,
    "bdd100k": bdd100k.find,
    "mapillary": mapillary.find,
    "folder": folder.find,
}


def find(dataset: str, root: Path, classes: str = "own", left_out: str = "") -> Source:
    """The frames of a raw dataset at `root`, a key of `SOURCES`.

    Classes are its "own", or "cityscapes" for the trainIds, which some have anyway and others' can
    be mapped to. Frames whose photos' paths below `root` hold a match of the regular expression
    `left_out` are left out, if it says any.

    Raises:
        UserError: no such dataset, or nothing of it at `root`, or nothing left, or `classes` that
            it can't be read with.
    """
    if dataset not in SOURCES:
        raise UserError(f"--dataset {dataset}: expected one of {', '.join(SOURCES)}")
    source = SOURCES[dataset](root, classes)
    return without(source, left_out, root if root.is_dir() else root.parent)
