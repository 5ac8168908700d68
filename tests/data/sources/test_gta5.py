import numpy as np
import pytest
from scipy.io import savemat

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import TABLES, VOID
from sflowgan_tf.utils.errors import UserError
from tests.raster import write

PALETTE = [(0, 0, 0)] * 35
for color, key in TABLES["cityscapes"].color_ids.items():
    PALETTE[key] = color
PALETTE[34] = PALETTE[26]  # a licence plate has the colour of cars
LABELS = [[7, 26, 34], [0, 33, 11]]


def game(root, numbers=(1, 2, 10)):
    for number in numbers:
        write(root / "images" / f"{number:05d}.png")
        write(root / "labels" / f"{number:05d}.png", LABELS, PALETTE)
    return root


def split(root, train, val, test=()):
    savemat(root / "split.mat", {"trainIds": train, "valIds": val, "testIds": test})


@pytest.mark.parametrize("classes", ["own", "cityscapes"])
def test_palettes_hold_cityscapes_ids_and_licence_plates(tmp_path, classes):
    source = find("gta5", game(tmp_path), classes)
    labels = read_labels(source.frames[0].labels, source.table)
    assert labels.tolist() == [[0, 13, VOID], [VOID, 18, 2]]
    assert source.table.names == TABLES["cityscapes"].names


def test_no_frame_follows_another(tmp_path):
    write(tmp_path / "images/cover.png")
    source = find("gta5", game(tmp_path))
    frames = source.frames
    assert [frame.sequence for frame in frames] == ["00001", "00002", "00010"]
    assert [frame.group for frame in frames] == ["00001", "00002", "00010"]
    assert {frame.number for frame in frames} == {0} and {frame.split for frame in frames} == {None}
    assert frames[0].labels == tmp_path / "labels/00001.png"


def test_split_mat_is_the_split_and_its_test_part_is_left_out(tmp_path):
    split(game(tmp_path), train=np.array([[10], [1]]), val=[3, 2], test=[4])
    frames = find("gta5", tmp_path).frames
    assert [(frame.sequence, frame.split) for frame in frames] == [
        ("00001", "train"),
        ("00002", "validation"),
        ("00010", "train"),
    ]
    split(tmp_path, train=[1], val=[3], test=[2, 10])
    (frame,) = find("gta5", tmp_path).frames
    assert frame.sequence == "00001" and frame.split is None, "no validation frame is there"


@pytest.mark.parametrize("content", [b"", b"no matrix", None])
def test_another_split_mat_is_named(tmp_path, content):
    if content is None:
        savemat(game(tmp_path) / "split.mat", {"trainIds": [1]})
    else:
        (game(tmp_path) / "split.mat").write_bytes(content)
    with pytest.raises(UserError, match=r"split\.mat: can't be read; expected trainIds and valIds"):
        find("gta5", tmp_path)
