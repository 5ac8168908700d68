from fractions import Fraction

import av
import cv2
import numpy as np
import png
import pytest
from PIL import Image

from sflowgan_tf.data.media.scenes import pair_up
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.utils.errors import UserError

TABLE = TABLES["cityscapes"]


@pytest.fixture
def folders(tmp_path):
    """Two scenes of which one lies in a folder of its own."""
    for name in ("a", "night/b"):
        save(tmp_path, name, 7)
    return tmp_path


def save(root, name, number, size=(8, 16)):
    """A scene whose label map has one id and whose frame one grey."""
    for kind, picture in (
        ("labels", np.full(size, number, np.uint8)),
        ("frames", np.full((*size, 3), number, np.uint8)),
    ):
        file = root / kind / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), picture)


def video(file, greys, rate=10):
    """Lossless grey, one grey a frame."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 16, 8, "gray"
        for grey in greys:
            frame = av.VideoFrame.from_ndarray(np.full((8, 16), grey, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def pair(root, *, in_order=False, labels="labels", frames="frames"):
    return pair_up(root / labels, root / frames, in_order=in_order)


def test_scenes_are_paired_by_name_below_their_folders(folders):
    scenes = pair(folders)
    assert scenes.labels.files[1] == folders / "labels/night/b.png"
    read = list(scenes.read(TABLE, 0))
    assert [scene.name for scene in read] == ["a", "night/b"]
    assert (read[0].labels == 0).all() and (read[0].frame == 7).all()  # labelId 7 is index 0
    assert [scene.name for scene in scenes.read(TABLE, 1)] == ["night/b"]
    assert scenes.fps is None


def test_cityscapes_names_differ_by_what_they_append(tmp_path):
    for kind in ("gtFine_labelIds", "leftImg8bit"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"aachen_000000_000019_{kind}.png").touch()
    (tmp_path / "gtFine_labelIds/aachen_000000_000019_gtFine_color.png").touch()
    scenes = pair(tmp_path, labels="gtFine_labelIds", frames="leftImg8bit", in_order=True)
    assert scenes.frames.name(0) == "aachen_000000_000019_leftImg8bit"
    assert len(scenes.labels.files) == 1


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("frames/a.png", r"labels/a\.png: no frame of that name"),
        ("labels/a.png", r"frames/a\.png: no label map of that name"),
    ],
)
def test_a_scene_that_lacks_a_half_is_named(folders, missing, said):
    (folders / missing).unlink()
    with pytest.raises(UserError, match=said):
        pair(folders)


def test_a_picture_and_a_folder_make_no_scene(folders):
    with pytest.raises(UserError, match="one is a single picture, the other a folder"):
        pair(folders, labels="labels/a.png")


def test_folders_that_are_missing_or_empty_are_named(folders):
    with pytest.raises(UserError, match=r"--labels .*nowhere: no such folder, picture or video"):
        pair(folders, labels="nowhere")
    (folders / "empty").mkdir()
    with pytest.raises(UserError, match=r"--frames .*empty: no pictures"):
        pair(folders, frames="empty")


def test_a_picture_of_another_kind_is_named_where_no_other_stands_for_it(folders):
    (folders / "frames/a.webp").touch()  # beside a.png
    pair(folders)
    (folders / "frames/c.webp").touch()
    with pytest.raises(UserError, match="c.webp: expected .png, .jpg"):
        pair(folders)


@pytest.mark.parametrize("in_order", [False, True])
def test_two_pictures_are_a_scene_whatever_their_names(tmp_path, in_order):
    """Of 2 bits: FFmpeg, which reads videos, would stretch 3 to 255, which is void."""
    ids = np.full((4, 8), 3)
    with (tmp_path / "ids.png").open("wb") as file:
        png.Writer(8, 4, greyscale=True, bitdepth=2).write(file, ids.tolist())
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:2] = 200
    Image.fromarray(picture).save(tmp_path / "photo.jpg", exif=exif)
    scenes = pair(tmp_path, in_order=in_order, labels="ids.png", frames="photo.jpg")
    (scene,) = scenes.read(TABLES["cityscapes-trainids"], 0)
    assert scene.name == "photo" and (scene.labels == 3).all()
    assert scene.frame[0].max() < 20 and scene.frame[-1].min() > 180


def test_two_files_of_a_name_are_an_error(folders):
    (folders / "frames/a.jpg").touch()
    with pytest.raises(UserError, match="expected one file of a name"):
        pair(folders)


def test_sizes_that_differ_are_named(folders):
    cv2.imwrite(str(folders / "frames/a.png"), np.zeros((4, 16, 3), np.uint8))
    with pytest.raises(UserError, match=r"labels/a\.png is 16x8, but .*a\.png is 16x4"):
        pair(folders).check(TABLE, one_size=False)


def test_a_film_is_ordered_by_number(tmp_path):
    for number in (7, 8, 9, 10, 11):
        save(tmp_path, f"take2_{number}_v", number)
    scenes = pair(tmp_path, in_order=True)
    assert [scene.frame[0, 0, 0] for scene in scenes.read(TABLE, 0)] == [7, 8, 9, 10, 11]
    assert scenes.check(TABLE, one_size=True) == 5


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((1, 2, 4, 5), r"frames/4\.png: comes after 2\.png; expected number 3"),
        ((0, 2, 4, 5, 6, 8), r"frames/5\.png: comes after 4\.png; expected number 6"),
        ((1, 3, 4), r"frames/3\.png: comes after 1\.png; expected number 2"),
        (("1", "01", "2"), r"frames/0?1\.png: has the number of 0?1\.png; expected one file each"),
    ],
)
def test_a_gap_is_named(tmp_path, numbers, said):
    for number in numbers:
        save(tmp_path, str(number), 7)
    pair(tmp_path)  # pictures need no order
    with pytest.raises(UserError, match=said):
        pair(tmp_path, in_order=True)


def test_every_second_frame_is_a_film_and_so_is_a_single_one(tmp_path):
    save(tmp_path, "8", 8)
    assert pair(tmp_path, in_order=True).check(TABLE, one_size=True) == 1
    for number in (10, 12):
        save(tmp_path, str(number), number)
    assert len(pair(tmp_path, in_order=True).frames.files) == 3


@pytest.mark.parametrize(("other", "sequence"), [("b/1", r"b/\*"), ("b_1", r"b_\*")])
def test_several_sequences_are_no_film(tmp_path, other, sequence):
    save(tmp_path, "x_0", 7)
    save(tmp_path, other, 7)
    with pytest.raises(UserError, match=rf"frames: holds several sequences \({sequence}, x_\*\)"):
        pair(tmp_path, in_order=True)


def test_a_frame_without_number_is_no_film(folders):
    with pytest.raises(UserError, match=r"frames/a\.png: no number"):
        pair(folders, in_order=True)


def test_another_size_in_a_film_is_named(tmp_path):
    save(tmp_path, "0", 7)
    save(tmp_path, "1", 7, size=(4, 8))
    scenes = pair(tmp_path, in_order=True)
    assert scenes.check(TABLE, one_size=False) == 2
    with pytest.raises(UserError, match=r"frames/1\.png is 8x4, but .*frames/0\.png is 16x8"):
        scenes.check(TABLE, one_size=True)


def test_videos_go_together_by_frame(tmp_path):
    video(tmp_path / "l.mkv", [7, 8, 11])
    video(tmp_path / "f.mkv", [20, 30, 40], Fraction(30000, 1001))
    scenes = pair(tmp_path, labels="l.mkv", frames="f.mkv")
    read = list(scenes.read(TABLE, 1))
    assert [scene.name for scene in read] == ["000001", "000002"]
    assert [scene.labels[0, 0] for scene in read] == [1, 2]
    assert [scene.frame[0, 0].tolist() for scene in read] == [[30] * 3, [40] * 3]
    assert scenes.fps == Fraction(30000, 1001)


def test_a_folder_goes_with_a_video_in_order_of_its_numbers(tmp_path):
    for number in (9, 10):
        save(tmp_path, str(number), 7)
    video(tmp_path / "l.mkv", [7, 8])
    scenes = pair(tmp_path, labels="l.mkv")
    assert [(s.name, s.labels[0, 0]) for s in scenes.read(TABLE, 0)] == [("9", 0), ("10", 1)]
    assert scenes.fps == 10


@pytest.mark.parametrize("counts", [(2, 5), (4, 1)])
def test_counts_that_differ_are_both_named(tmp_path, counts):
    video(tmp_path / "l.mkv", [7] * counts[0])
    video(tmp_path / "f.mkv", [7] * counts[1])
    said = rf"l\.mkv has {counts[0]} label maps, but .*f\.mkv has {counts[1]} frames"
    with pytest.raises(UserError, match=said):
        pair(tmp_path, labels="l.mkv", frames="f.mkv").check(TABLE, one_size=True)


def test_videos_without_frames_are_an_error(tmp_path):
    with av.open(str(tmp_path / "empty.avi"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 8, "gray"
        container.start_encoding()
    with pytest.raises(UserError, match=r"empty\.avi: no frames in it"):
        pair(tmp_path, labels="empty.avi", frames="empty.avi").check(TABLE, one_size=True)
