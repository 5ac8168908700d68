import numpy as np
import pytest

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.data.sources.kitti import read_objects, read_tracks
from sflowgan_tf.ops.classes import TABLES, VOID
from sflowgan_tf.utils.errors import UserError
from tests.raster import write

# road; the first car and the 257th; void; the first person; a person without a track
PANOPTIC = [[(0, 0, 0), (13, 0, 1), (13, 1, 1)], [(255, 0, 0), (11, 0, 1), (11, 0, 0)]]


def step(root, drives=(("train", "0000"), ("val", "0002")), numbers=(0, 1, 3), moved=False):
    for part, drive in drives:
        photos = root / "images" / part if moved else root / "training/image_02"
        for number in numbers:
            write(photos / drive / f"{number:06d}.png")
            write(root / "panoptic_maps" / part / drive / f"{number:06d}.png", PANOPTIC)
    return root


def semantics(root, instances=True):
    for name in ("000000_10", "000001_10"):
        write(root / "training/image_2" / f"{name}.png")
        write(root / "training/image_2" / f"{name.replace('_10', '_11')}.png")
        write(root / "training/semantic" / f"{name}.png", [[7, 26, 4], [23, 33, 0]])
        if instances:
            numbers = np.array([[1792, 6657, 1024], [5888, 8450, 0]], np.uint16)
            write(root / "training/instance" / f"{name}.png", numbers)
    return root


@pytest.mark.parametrize("moved", [False, True])
def test_drives_are_sequences_of_their_official_part(tmp_path, moved):
    source = find("kitti", step(tmp_path, moved=moved))
    frames = source.frames
    assert [(frame.sequence, frame.number, frame.split) for frame in frames] == [
        (drive, number, part)
        for drive, part in (("0000", "train"), ("0002", "validation"))
        for number in (0, 1, 3)
    ]
    assert [frame.group for frame in frames] == [frame.sequence for frame in frames]
    assert [b.follows(a) for a, b in zip(frames, frames[1:], strict=False)] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert all(file.is_file() for frame in frames for file in frame.files)


@pytest.mark.parametrize("classes", ["own", "cityscapes"])
def test_red_is_the_train_id(tmp_path, classes):
    source = find("kitti", step(tmp_path), classes)
    labels = read_labels(source.frames[0].labels, source.table)
    assert labels.tolist() == [[0, 13, 13], [VOID, 11, 11]]
    assert source.table.names == TABLES["cityscapes"].names


def test_green_and_blue_are_the_track_within_the_class(tmp_path):
    (frame, *_) = find("kitti", step(tmp_path)).frames
    numbers = frame.instance_reader(frame.instances)
    assert numbers.tolist() == [[0, 13001, 13257], [0, 11001, 0]] and numbers.dtype == np.uint16


def test_one_part_alone_has_no_split(tmp_path):
    frames = find("kitti", step(tmp_path, drives=[("train", "0000"), ("train", "0001")])).frames
    assert {frame.split for frame in frames} == {None}


@pytest.mark.parametrize("classes", ["own", "cityscapes"])
def test_semantics_are_single_frames_with_label_ids(tmp_path, classes):
    source = find("kitti", semantics(tmp_path), classes)
    assert [frame.sequence for frame in source.frames] == ["000000_10", "000001_10"]
    frame = source.frames[0]
    assert read_labels(frame.labels, source.table).tolist() == [[0, 13, VOID], [10, 18, VOID]]
    assert frame.instance_reader(frame.instances).tolist() == [[0, 6657, 0], [0, 8450, 0]]


def test_semantics_need_no_instances(tmp_path):
    assert not find("kitti", semantics(tmp_path, instances=False)).has_instances


def test_another_map_is_no_instance_map(tmp_path):
    semantics(tmp_path)
    with pytest.raises(UserError, match="000000_10.png: is no panoptic map; expected three chan"):
        read_tracks(tmp_path / "training/semantic/000000_10.png")
    with pytest.raises(UserError, match="000000_10.png: is no instance map of KITTI's; expected"):
        read_objects(tmp_path / "training/semantic/000000_10.png")


def test_converted_maps_of_one_channel_are_refused_as_instances_not_as_labels(tmp_path):
    """A map of trainIds alone is a label map, but it knows no tracks."""
    source = find("kitti", step(tmp_path))
    file = source.frames[0].labels
    write(file, [[0, 13, 13], [255, 11, 11]])
    assert read_labels(file, source.table).tolist() == [[0, 13, 13], [VOID, 11, 11]]
    with pytest.raises(UserError, match="is no panoptic map"):
        read_tracks(file)
