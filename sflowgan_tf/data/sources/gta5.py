"""Playing for Data (GTA5): frames of a game, not consecutive, with Cityscapes' labelIds.

Layout: the dataset's page (Richter et al., Playing for Data, ECCV 2016); its split is the file
split.mat of read_mapping.zip there.
"""

from dataclasses import replace
from pathlib import Path

from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from sflowgan_tf.data.media.pictures import pictures
from sflowgan_tf.data.sources.base import Source, ordered, parted, single
from sflowgan_tf.ops.classes import VOID, table
from sflowgan_tf.utils.errors import UserError

_LICENSE_PLATE = 34  # -1 in Cityscapes
_EXPECTED = "images/*.png and labels/*.png, named by five digits"


def find(root: Path, classes: str) -> Source:
    """images/ and labels/ below `root`; the classes are always Cityscapes' trainIds.

    Where split.mat lies beside them, its training and validation parts count, and what it is for
    testing is left out.

    Raises:
        UserError: there are no frames, or split.mat can't be read.
    """
    frames = {
        int(photo.stem): single(photo, root / "labels" / f"{photo.stem}.png")
        for photo in pictures(root / "images")
        if photo.stem.isdigit()
    }
    if (root / "split.mat").is_file():
        numbers = _split(root / "split.mat")
        found = parted(*([frames[key] for key in part if key in frames] for part in numbers))
    else:
        found = [*frames.values()]
    cityscapes = table("cityscapes")
    ids = cityscapes.ids | {_LICENSE_PLATE: VOID}
    return Source(ordered(found, root, _EXPECTED), replace(cityscapes, ids=ids, coding="ids"))


def _split(file: Path) -> tuple[list[int], list[int]]:
    """The numbers of the frames for training and of those for validation."""
    try:
        parts = loadmat(file)
        return parts["trainIds"].ravel().tolist(), parts["valIds"].ravel().tolist()
    except (MatReadError, KeyError, NotImplementedError, OSError, TypeError, ValueError):
        raise UserError(
            f"{file}: can't be read; expected trainIds and valIds, as in read_mapping.zip; without "
            "the file `prepare` draws the validation frames"
        ) from None
