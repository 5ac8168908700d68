import pytest

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import TABLES, VOID
from tests.raster import write

NAMES = {"train": "0a0a0b1a-7c39d841", "val": "7d2f7975-e0c1c5a7", "test": "ac6d4f42-00000000"}
LAYOUTS = {
    "documented": ("images/10k", "labels/sem_seg/masks", ""),
    "older": ("seg/images", "seg/labels", "_train_id"),
}


def bdd(root, layout, parts=("train", "val", "test")):
    photos, maps, ending = LAYOUTS[layout]
    for part in parts:
        write(root / photos / part / f"{NAMES[part]}.jpg")
        if part != "test":
            file = root / maps / part / f"{NAMES[part]}{ending}.png"
            write(file, [[0, 13, 255], [18, 2, 10]])
    return root


@pytest.mark.parametrize("classes", ["own", "cityscapes"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_layouts_hold_train_ids_in_official_parts(tmp_path, layout, classes):
    source = find("bdd100k", bdd(tmp_path, layout), classes)
    assert [(frame.sequence, frame.group, frame.split) for frame in source.frames] == [
        (NAMES["train"], NAMES["train"], "train"),
        (NAMES["val"], NAMES["val"], "validation"),
    ]
    assert not source.frames[1].follows(source.frames[0])
    labels = read_labels(source.frames[0].labels, source.table)
    assert labels.tolist() == [[0, 13, VOID], [18, 2, 10]]
    assert source.table.names == TABLES["cityscapes"].names


def test_one_part_alone_has_no_split(tmp_path):
    (frame,) = find("bdd100k", bdd(tmp_path, "documented", parts=["train"])).frames
    assert frame.split is None
