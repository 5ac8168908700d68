"""BDD100K: 8,000 single frames with label maps in Cityscapes' trainIds.

Layout: BDD100K's documentation (data download), and the one of its first release, seg/.
"""

from pathlib import Path

from sflowgan_tf.data.media.pictures import pictures
from sflowgan_tf.data.sources.base import Source, ordered, parted, single
from sflowgan_tf.ops.classes import table

# where photos and label maps lie, and what a label map's name ends with
_LAYOUTS = (("images/10k", "labels/sem_seg/masks", ""), ("seg/images", "seg/labels", "_train_id"))
_EXPECTED = (
    "images/10k/{train,val}/*.jpg and labels/sem_seg/masks/{train,val}/*.png, or "
    "seg/images/{train,val}/*.jpg and seg/labels/{train,val}/*_train_id.png"
)


def find(root: Path, classes: str) -> Source:
    """The annotated frames below `root`; the classes are always Cityscapes' trainIds.

    Raises:
        UserError: there are none.
    """
    photos, maps, ending = next(
        (layout for layout in _LAYOUTS if (root / layout[0]).is_dir()), _LAYOUTS[0]
    )
    train, validation = (
        [
            single(photo, root / maps / part / f"{photo.stem}{ending}.png")
            for photo in pictures(root / photos / part)
        ]
        for part in ("train", "val")
    )
    return Source(ordered(parted(train, validation), root, _EXPECTED), table("cityscapes-trainids"))
