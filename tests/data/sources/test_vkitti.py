import pickle

import numpy as np
import pytest

from sflowgan_tf.data.dataset import Records
from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.preparing.preparation import prepare
from sflowgan_tf.data.record_settings import RecordSettings
from sflowgan_tf.data.sources import find
from sflowgan_tf.data.sources.vkitti import read_instances, read_motion
from sflowgan_tf.ops.classes import VOID
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError
from tests.raster import write

ROAD, CAR, VAN, RAIL = (100, 60, 100), (255, 127, 80), (0, 139, 139), (250, 100, 255)
COLORS = [[ROAD, CAR, VAN], [RAIL, (0, 0, 0), ROAD]]
TRACKS = [[0, 1, 200], [0, 0, 0]]
# red, green, blue: right by 2, the width less 1; left by 1.2 and down by 0.6; the sky
FLOW = [[(65535, 32768, 1), (13107, 52428, 65535), (0, 0, 0)]] * 2


def scene(root, scene="Scene01", variant="clone", camera="Camera_0", count=2, instances=True):
    frames = root / scene / variant / "frames"
    for number in range(count):
        write(frames / "rgb" / camera / f"rgb_{number:05d}.jpg")
        write(frames / "classSegmentation" / camera / f"classgt_{number:05d}.png", COLORS)
        if instances:
            palette = [(n, n, n) for n in range(256)]
            file = frames / "instanceSegmentation" / camera / f"instancegt_{number:05d}.png"
            write(file, TRACKS, palette)
        if number < count - 1:
            file = frames / "forwardFlow" / camera / f"flow_{number:05d}.png"
            write(file, np.array(FLOW, np.uint16))
    return frames


def test_all_variants_and_cameras_of_a_scene_are_one_group(tmp_path):
    for place in (("Scene01", "clone", "Camera_0"), ("Scene01", "15-deg-left", "Camera_1")):
        scene(tmp_path, *place)
    scene(tmp_path, "Scene20", "fog")
    source = find("vkitti", tmp_path)
    assert [(frame.sequence, frame.number, frame.group) for frame in source.frames] == [
        (sequence, number, sequence[:7])
        for sequence in (
            "Scene01/15-deg-left/Camera_1",
            "Scene01/clone/Camera_0",
            "Scene20/fog/Camera_0",
        )
        for number in (0, 1)
    ]
    assert source.has_instances and source.has_motion and source.frames[1].motion is None
    assert source.frames[1].follows(source.frames[0])
    names = [file.name for file in source.frames[0].files]
    assert names == ["classgt_00000.png", "rgb_00000.jpg", "instancegt_00000.png", "flow_00000.png"]
    assert pickle.loads(pickle.dumps(source.frames)) == source.frames, "they go to other processes"


def test_colours_become_classes_of_its_own_or_cityscapes(tmp_path):
    scene(tmp_path)
    own, cityscapes = (find("vkitti", tmp_path, classes) for classes in ("own", "cityscapes"))
    file = own.frames[0].labels
    names = [["road", "car", "van"], ["guard rail", None, "road"]]
    index = {name: place for place, name in enumerate(own.table.names)} | {None: VOID}
    assert read_labels(file, own.table).tolist() == [[index[n] for n in row] for row in names]
    assert read_labels(file, cityscapes.table).tolist() == [[0, 13, 13], [VOID, VOID, 0]]
    assert cityscapes.table.num_classes == 19


def test_indices_without_colours_are_no_label_map(tmp_path):
    scene(tmp_path)
    file = tmp_path / "classgt_00000.png"
    write(file, TRACKS)
    with pytest.raises(UserError, match="classgt_00000.png: has no colours"):
        read_labels(file, find("vkitti", tmp_path).table)


def test_flow_is_of_the_size_less_1(tmp_path):
    frames = scene(tmp_path)
    flow, valid = read_motion(frames / "forwardFlow/Camera_0/flow_00000.png")
    assert flow.dtype == np.float32
    np.testing.assert_allclose(flow[1], [[2, 0], [-1.2, 0.6], [-2, -1]], atol=2e-5)
    assert valid.tolist() == [[True, True, False]] * 2


def test_instances_are_the_palettes_indices(tmp_path):
    frames = scene(tmp_path)
    numbers = read_instances(frames / "instanceSegmentation/Camera_0/instancegt_00000.png")
    assert numbers.tolist() == TRACKS and numbers.dtype == np.uint16
    with pytest.raises(UserError, match="classgt_00000.png: is no instance map; expected a pal"):
        read_instances(frames / "classSegmentation/Camera_0/classgt_00000.png")


def test_flow_and_instances_arrive_in_the_records(tmp_path):
    for name in ("Scene01", "Scene02"):
        scene(tmp_path / "raw", name)
    source = find("vkitti", tmp_path / "raw")
    settings = RecordSettings(
        size=(3, 2),
        classes=source.table,
        edges=EdgeSettings(),
        flow=Farneback(levels=1, winsize=5, iterations=1),
        validation_fraction=0,
        validation_sequences=("Scene02",),
        frames_per_shard=4,
        seed=0,
    )
    prepare(source, tmp_path / "out", settings, dataset="vkitti", workers=1, skip_bad=False)
    (pair,) = Records(tmp_path / "out").pairs()
    assert pair["instances"].tolist() == [TRACKS] * 2
    motion, valid = pair["motion"], pair["motion_valid"]
    np.testing.assert_allclose(motion[0, 0], [2, 0], atol=1 / 64)
    below = [True, False, False]  # the second pixel leaves the frame there
    assert valid.tolist() == [[True, True, False], below]


def test_a_map_that_one_frame_alone_has_or_lacks_is_named(tmp_path):
    frames = scene(tmp_path, count=3)
    (frames / "forwardFlow/Camera_0/flow_00001.png").unlink()
    with pytest.raises(UserError, match="rgb_00001.jpg: has no exact flow beside it"):
        find("vkitti", tmp_path)
    scene(tmp_path, count=3)
    (frames / "instanceSegmentation/Camera_0/instancegt_00002.png").unlink()
    with pytest.raises(UserError, match="rgb_00002.jpg: has no instance map beside it"):
        find("vkitti", tmp_path)


def test_frames_alone_are_data_too(tmp_path):
    scene(tmp_path, count=1, instances=False)
    source = find("vkitti", tmp_path)
    assert not source.has_instances and not source.has_motion


def test_archives_in_folders_of_their_own_are_not_found(tmp_path):
    scene(tmp_path / "vkitti_2.0.3_rgb")
    with pytest.raises(UserError, match="no frames found; .*unpacked into this one folder"):
        find("vkitti", tmp_path)
