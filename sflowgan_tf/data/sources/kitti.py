"""KITTI: KITTI-STEP's drives, labelled throughout, or the 200 single frames of KITTI semantics.

Layout: KITTI tracking and DeepLab2's page on KITTI-STEP (Weber et al., STEP, 2021); the devkit of
KITTI's semantic segmentation benchmark, 2015.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sflowgan_tf.data.media.pictures import pictures, read_numbers
from sflowgan_tf.data.sources.base import RawFrame, Source, ordered, parted, single
from sflowgan_tf.ops.classes import table
from sflowgan_tf.utils.errors import UserError

_MAPS = "panoptic_maps"
_EXPECTED = (
    "KITTI-STEP's panoptic_maps/{train,val}/<sequence>/<frame>.png and "
    "training/image_02/<sequence>/<frame>.png, or KITTI semantics' training/image_2/*_10.png and "
    "training/semantic/*_10.png"
)


def find(root: Path, classes: str) -> Source:
    """KITTI-STEP where its maps lie below `root`, else KITTI semantics.

    The classes are always Cityscapes' trainIds.

    Raises:
        UserError: there are no frames.
    """
    if (root / _MAPS).is_dir():
        frames = parted(*(_step(root, part) for part in ("train", "val")))
        classes_of = replace(table("cityscapes-trainids"), channel="red", coding="ids")
    else:
        frames = [
            _semantics(photo)
            for photo in pictures(root / "training" / "image_2")
            if photo.stem.endswith("_10")  # _11 is the next frame, without a label map
        ]
        classes_of = table("cityscapes")
    return Source(ordered(frames, root, _EXPECTED), classes_of)


def _step(root: Path, part: str) -> list[RawFrame]:
    """The drives of one part, photos as KITTI packs them or moved as DeepLab2 wants them."""
    moved = root / "images" / part
    photos = moved if moved.is_dir() else root / "training" / "image_02"
    maps = root / _MAPS / part
    return [
        RawFrame(
            sequence=file.parent.name,
            number=int(file.stem),
            group=file.parent.name,
            labels=file,
            image_real=photos / file.parent.name / file.name,
            instances=file,
            instance_reader=read_tracks,
        )
        for file in pictures(maps)
        if file.parents[1] == maps and file.stem.isdigit()
    ]


def _semantics(photo: Path) -> RawFrame:
    labels, instances = (
        photo.parents[1] / tree / f"{photo.stem}.png" for tree in ("semantic", "instance")
    )
    if not instances.is_file():
        return single(photo, labels)
    return single(photo, labels, instances=instances, instance_reader=read_objects)


def read_tracks(file: Path) -> np.ndarray:
    """Reads the tracks of a panoptic map as (height, width) uint16.

    Its red channel is the class, and green * 256 + blue the track within the class, 0 for none;
    the numbers are class * 1000 + track, as STEP's panoptic ids.

    Raises:
        UserError: it is unreadable, or has not three channels of 8 bits.
    """
    pixels = read_numbers(file)
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise UserError(f"{file}: is no panoptic map; expected three channels of 8 bits")
    kinds, high, low = np.moveaxis(pixels.astype(np.uint16), -1, 0)
    tracks = 256 * high + low
    return np.where(tracks > 0, 1000 * kinds + tracks, 0).astype(np.uint16)


def read_objects(file: Path) -> np.ndarray:
    """Reads the objects of KITTI semantics as (height, width) uint16.

    The file has labelId * 256 + object within the class, 0 for none; the numbers are the same.

    Raises:
        UserError: it is unreadable, or has not one channel of 16 bits.
    """
    pixels = read_numbers(file)
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise UserError(f"{file}: is no instance map of KITTI's; expected one channel of 16 bits")
    return np.where(pixels % 256 > 0, pixels, 0).astype(np.uint16)
