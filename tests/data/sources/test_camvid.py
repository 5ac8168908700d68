import pytest

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import VOID
from sflowgan_tf.utils.errors import UserError
from tests.raster import write

SINGLE = ("0001TP_006690", "0001TP_006720", "0006R0_f00930", "0016E5_00390", "Seq05VD_f00000")
FILM = ("0016E5_07959", "0016E5_07961", "0016E5_07963")
# lane marking, a bus, a child; sidewalk, void, a traffic light
COLORS = [[(128, 0, 192), (192, 128, 192), (192, 128, 64)], [(0, 0, 192), (0, 0, 0), (0, 64, 64)]]


def original(root, names=SINGLE + FILM):
    for name in names:
        write(root / "701_StillsRaw_full" / f"{name}.png")
        write(root / "LabeledApproved_full" / f"{name}_L.png", COLORS)
    return root


def segnet(root, train=SINGLE[:4], val=FILM, test=SINGLE[4:]):
    for part, names in {"train": train, "val": val, "test": test}.items():
        for name in names:
            write(root / part / f"{name}.png")
            write(root / f"{part}annot" / f"{name}.png", [[0, 10, 11], [3, 8, 5]])
    return root


def test_colours_of_32_classes_become_segnets_11(tmp_path):
    source = find("camvid", original(tmp_path))
    assert source.table.names == (
        "sky", "building", "pole", "road", "sidewalk", "vegetation", "traffic sign", "fence", "car",
        "pedestrian", "bicycle",
    )  # fmt: skip
    labels = read_labels(source.frames[0].labels, source.table)
    assert labels.tolist() == [[3, 8, 9], [4, VOID, 6]]
    assert len(source.table.color_ids) == 32


def test_segnets_maps_hold_ids(tmp_path):
    source = find("camvid", segnet(tmp_path))
    labels = read_labels(source.frames[0].labels, source.table)
    assert labels.tolist() == [[0, 10, VOID], [3, 8, 5]]


def test_only_the_film_has_consecutive_frames(tmp_path):
    source = find("camvid", original(tmp_path))
    frames = source.frames
    pairs = [b.image_real.stem for a, b in zip(frames, frames[1:], strict=False) if b.follows(a)]
    assert pairs == [*FILM[1:]] and source.stride == 2
    drives = {frame.image_real.stem.split("_")[0]: frame.group for frame in frames}
    assert drives == {
        d: f"701_StillsRaw_full/{d}" for d in ("0001TP", "0006R0", "0016E5", "Seq05VD")
    }
    assert len({frame.group for frame in frames}) == 4, "the film stays with its drive"
    assert {frame.split for frame in frames} == {None}
    file = "LabeledApproved_full/0001TP_006690_L.png"
    assert frames[0].labels == tmp_path / file


def test_segnets_split_counts_also_where_a_drive_is_in_both_parts(tmp_path):
    frames = find("camvid", segnet(tmp_path)).frames
    assert [frame.image_real.stem for frame in frames if frame.split == "train"] == [*SINGLE[:4]]
    assert [frame.image_real.stem for frame in frames if frame.split == "validation"] == [*FILM]
    groups = {(frame.split, frame.group) for frame in frames}
    assert {("train", "train/0016E5"), ("validation", "val/0016E5")} <= groups


def test_frames_a_second_apart_are_no_film(tmp_path):
    source = find("camvid", original(tmp_path, names=SINGLE))
    assert source.stride == 1
    assert len({frame.sequence for frame in source.frames}) == len(SINGLE)


def test_cityscapes_classes_cannot_be_had(tmp_path):
    with pytest.raises(UserError, match="records.classes=cityscapes: class table 'camvid' cannot"):
        find("camvid", segnet(tmp_path), "cityscapes")
