import unicodedata

import cv2
import numpy as np
import pytest

from sflowgan_tf.data.sources import find
from sflowgan_tf.utils.errors import UserError

EXPORT = """
images: photo
labels: tags
cg: rgb
classes:
  - {id: 0, name: nothing, ignored: true}
  - {id: 3, name: road, color: [128, 64, 128]}
  - {id: 4, name: road}
  - {id: 9, name: car}
channel: red
"""


def touch(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.zeros((4, 8, 3), np.uint8))


def seqs(root, drive="SYNTHIA-SEQS-01-DAWN", camera="Stereo_Left/Omni_F", count=2, trees=("RGB",)):
    for number in range(count):
        for tree in trees:
            touch(root / drive / tree / camera / f"{number:06d}.png")


def cityscapes(
    root, split="train", city="aachen", sequence=0, numbers=(19,), kind="", suffix="png"
):
    prefix = f"{city.rpartition('/')[2] or 'nowhere'}_{sequence:06d}"
    for number in numbers:
        name = f"{prefix}_{number:06d}_leftImg8bit.{suffix}"
        touch(root / f"leftImg8bit{kind}" / split / city / name)


def places(source):
    return [(frame.sequence, frame.number) for frame in source.frames]


def test_synthia_finds_every_camera_of_a_drive_and_keeps_them_together(tmp_path):
    seqs(tmp_path)
    seqs(tmp_path, camera="Stereo_Right/Omni_B")
    source = find("synthia", tmp_path)
    drive = "SYNTHIA-SEQS-01-DAWN"
    assert places(source) == [
        (f"{drive}/{camera}", number)
        for camera in ("Stereo_Left/Omni_F", "Stereo_Right/Omni_B")
        for number in (0, 1)
    ]
    assert {frame.group for frame in source.frames} == {"SYNTHIA-SEQS-01"}
    first = source.frames[0]
    assert first.labels == tmp_path / drive / "GT/LABELS/Stereo_Left/Omni_F/000000.png"
    assert first.image_real == tmp_path / drive / "RGB/Stereo_Left/Omni_F/000000.png"
    assert not source.has_cg and source.table.name == "synthia"
    assert source.has_instances and first.instances == first.labels
    assert len(first.files) == 2, "each once"
    assert find("synthia", tmp_path / drive).table is source.table, "one drive by itself"


def test_a_route_in_another_weather_is_the_same_group(tmp_path):
    names = {
        "SYNTHIA-SEQS-01-DAWN": "SYNTHIA-SEQS-01",
        "SYNTHIA-SEQS-01-FOG": "SYNTHIA-SEQS-01",
        "SYNTHIA-SEQS-02-FALL": "SYNTHIA-SEQS-02",
        "my-drive-01": "my-drive-01",
    }
    for name in names:
        seqs(tmp_path, drive=name, count=1)
    frames = find("synthia", tmp_path).frames
    assert {frame.sequence.split("/")[0]: frame.group for frame in frames} == names


def test_a_drive_that_is_still_being_drawn_is_no_data(tmp_path):
    seqs(tmp_path, drive="MINICITY-SEQS-01-FOG", count=1)
    seqs(tmp_path, drive="MINICITY-SEQS-02-FOG.partial")
    assert places(find("minicity", tmp_path)) == [("MINICITY-SEQS-01-FOG/Stereo_Left/Omni_F", 0)]


def test_photos_beside_the_simulators_frames_make_these_the_cg(tmp_path):
    seqs(tmp_path, trees=("RGB", "REAL"))
    source = find("minicity", tmp_path)
    assert source.has_cg
    assert "/REAL/" in source.frames[0].image_real.as_posix()
    assert "/RGB/" in source.frames[0].image_cg.as_posix()


def test_exact_flow_is_taken_where_it_is(tmp_path):
    seqs(tmp_path, count=3)
    assert not find("minicity", tmp_path).has_motion
    seqs(tmp_path, trees=("GT/FLOW",))
    source = find("minicity", tmp_path)
    assert source.has_motion
    folder = tmp_path / "SYNTHIA-SEQS-01-DAWN/GT/FLOW/Stereo_Left/Omni_F"
    files = [folder / "000000.png", folder / "000001.png", None]
    assert [frame.motion for frame in source.frames] == files
    files[0].unlink()
    with pytest.raises(UserError, match="000000.png: has no exact flow beside it"):
        find("minicity", tmp_path)


def test_photos_for_some_drives_only_are_an_error(tmp_path):
    seqs(tmp_path, trees=("RGB", "REAL"))
    seqs(tmp_path, drive="SYNTHIA-SEQS-02-FALL")
    with pytest.raises(UserError, match="SEQS-02-FALL.*has no CG frame beside it"):
        find("synthia", tmp_path)


def test_synthia_rand_has_no_consecutive_frames_and_its_own_ids(tmp_path):
    for number in (0, 1):
        touch(tmp_path / "RGB" / f"{number:07d}.png")
    source = find("synthia", tmp_path)
    assert source.table.name == "synthia-rand"
    assert not source.frames[1].follows(source.frames[0])
    assert find("synthia", tmp_path, "cityscapes").table.name == "synthia-rand-as-cityscapes"


def test_cityscapes_takes_its_own_split_only_where_both_parts_are_there(tmp_path):
    cityscapes(tmp_path)
    cityscapes(tmp_path, split="test", city="berlin")
    source = find("cityscapes", tmp_path)
    assert [frame.split for frame in source.frames] == [None], "test has no labels"
    cityscapes(tmp_path, split="val", city="lindau")
    source = find("cityscapes", tmp_path)
    assert [frame.split for frame in source.frames] == ["train", "validation"]
    name = "aachen_000000_000019_gtFine_labelIds.png"
    assert source.frames[0].labels == tmp_path / "gtFine/train/aachen" / name


def test_cityscapes_instances_are_taken_where_all_frames_have_them(tmp_path):
    cityscapes(tmp_path, numbers=(18, 19))
    assert not find("cityscapes", tmp_path).has_instances
    touch(tmp_path / "gtFine/train/aachen/aachen_000000_000018_gtFine_instanceIds.png")
    with pytest.raises(UserError, match="000019_leftImg8bit.png: has no instance map beside it"):
        find("cityscapes", tmp_path)
    touch(tmp_path / "gtFine/train/aachen/aachen_000000_000019_gtFine_instanceIds.png")
    source = find("cityscapes", tmp_path)
    assert source.has_instances
    assert source.frames[0].instances.name == "aachen_000000_000018_gtFine_instanceIds.png"


def test_a_picture_outside_a_citys_folder_is_no_frame(tmp_path):
    cityscapes(tmp_path)
    cityscapes(tmp_path, city="")
    cityscapes(tmp_path, city="bonn/old")
    assert places(find("cityscapes", tmp_path)) == [("aachen_000000", 19)]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_gap_in_the_frame_numbers_ends_a_clip(tmp_path, suffix):
    cityscapes(tmp_path, city="bonn", numbers=(3, 4, 6), kind="_sequence", suffix=suffix)
    frames = find("cityscapes_sequence", tmp_path).frames
    assert [b.follows(a) for a, b in zip(frames, frames[1:], strict=False)] == [True, False]
    assert frames[0].labels.parts[-4:-1] == ("gtFine_sequence", "train", "bonn")


def test_the_last_frame_of_a_sequence_is_not_followed_by_another_sequence(tmp_path):
    cityscapes(tmp_path, sequence=0, numbers=(19,))
    cityscapes(tmp_path, sequence=1, numbers=(20,))
    first, second = find("cityscapes", tmp_path).frames
    assert not second.follows(first)


@pytest.mark.parametrize(
    ("dataset", "looked_for"),
    [
        ("synthia", "RGB,GT/LABELS"),
        ("cityscapes", "leftImg8bit/"),
        ("cityscapes_sequence", "leftImg8bit_sequence/"),
        ("vkitti", "classSegmentation"),
        ("gta5", "images/"),
        ("camvid", "701_StillsRaw_full/.*SegNet"),
        ("kitti", "panoptic_maps/.*training/semantic"),
        ("bdd100k", "labels/sem_seg/masks/.*_train_id.png"),
        ("mapillary", "training,validation"),
        ("folder", "folder.yaml"),
    ],
)
def test_a_wrong_root_says_what_was_looked_for(tmp_path, dataset, looked_for):
    with pytest.raises(UserError, match=looked_for):
        find(dataset, tmp_path)
    with pytest.raises(UserError, match="missing.*no such"):
        find(dataset, tmp_path / "missing")


def test_an_unknown_dataset_lists_those_there_are(tmp_path):
    with pytest.raises(UserError, match="--dataset paris: expected one of minicity, synthia"):
        find("paris", tmp_path)


def write(root, text):
    (root / "folder.yaml").write_text(text)
    return root


def export(root, text=EXPORT, names=("night/0001", "night/0002", "day/0001")):
    for name in names:
        for folder, suffix in (("photo", "jpg"), ("rgb", "png"), ("tags", "png")):
            touch(root / folder / f"{name}.{suffix}")
    return write(root, text)


def test_a_description_names_folders_and_classes(tmp_path):
    for name in ("night/0001", "night/0002", "day/0001"):
        touch(tmp_path / "objects" / f"{name}.png")
    source = find("folder", export(tmp_path, EXPORT + "instances: objects"))
    assert places(source) == [("photo/day", 1), ("photo/night", 1), ("photo/night", 2)]
    frame = source.frames[-1]
    assert [file.relative_to(tmp_path).as_posix() for file in frame.files] == [
        "tags/night/0002.png",
        "photo/night/0002.jpg",
        "rgb/night/0002.png",
        "objects/night/0002.png",
    ]
    table = source.table
    assert table.names == ("road", "car"), "ids of one name are one class"
    assert table.ids == {0: 255, 3: 0, 4: 0, 9: 1}
    assert table.colors[0] == (128, 64, 128) and table.channel == "red"
    assert find("folder", tmp_path / "folder.yaml") == source


def test_globs_match_pictures_by_what_their_wildcards_stand_for(tmp_path):
    for drive in ("drive1", "drive2"):
        touch(tmp_path / drive / "out" / "0007_rgb.png")
        touch(tmp_path / drive / "out" / "0007_seg.png")
    text = "images: '*/out/*_rgb.png'\nlabels: '*/out/*_seg.png'\ntable: carla-0.9.14\n"
    source = find("folder", write(tmp_path, text), "cityscapes")
    assert places(source) == [("drive1", 7), ("drive2", 7)]
    assert source.frames[1].labels == tmp_path / "drive2/out/0007_seg.png"
    assert source.table.name == "carla-0.9.14-as-cityscapes"


def test_globs_take_endings_in_any_case_and_names_in_either_form(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "ü") for form in ("NFC", "NFD"))
    touch(tmp_path / composed / "out" / "0007_rgb.PNG")
    touch(tmp_path / decomposed / "tags" / "0007_seg.png")
    text = "images: '*/out/*_rgb.png'\nlabels: '*/tags/*_seg.PNG'\ntable: cityscapes\n"
    (frame,) = find("folder", write(tmp_path, text)).frames
    assert (frame.image_real.name, frame.labels.name) == ("0007_rgb.PNG", "0007_seg.png")


@pytest.mark.parametrize("other", ["0001.png", "0001.JPG"])
def test_two_pictures_of_one_name_are_an_error(tmp_path, other):
    export(tmp_path, names=("night/0001",))  # a JPEG as photo
    touch(tmp_path / "photo/night" / other)
    with pytest.raises(UserError, match=f"{other}.* the same name|the same name.*{other}"):
        find("folder", tmp_path)


def test_one_name_in_both_forms_of_unicode_is_an_error(tmp_path):
    export(tmp_path, names=[unicodedata.normalize(form, "ü/0001") for form in ("NFC", "NFD")])
    with pytest.raises(UserError, match="the same name"):
        find("folder", tmp_path)


def test_names_may_hold_anything(tmp_path):
    name = "drive [1]\n*{x} (y)?/0001"
    (frame,) = find("folder", export(tmp_path, names=(name,))).frames
    assert [file.relative_to(tmp_path).with_suffix("").as_posix() for file in frame.files] == [
        f"{folder}/{name}" for folder in ("tags", "photo", "rgb")
    ]


def test_a_label_map_without_a_photo_is_a_frame_whose_photo_is_missing(tmp_path):
    export(tmp_path, names=("a/1", "a/3"))
    touch(tmp_path / "tags/a/2.png")
    frames = find("folder", tmp_path).frames
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert frames[1].image_real == tmp_path / "photo/a/2.png"
    seqs(tmp_path / "synthia", count=2, trees=("RGB", "GT/LABELS"))
    alone = tmp_path / "synthia/SYNTHIA-SEQS-01-DAWN/GT/LABELS/Stereo_Left/Omni_F/000002.png"
    touch(alone)
    *_, last = find("synthia", tmp_path / "synthia").frames
    assert last.labels == alone and last.image_real.name == "000002.png"


def test_parts_may_share_a_folder_of_label_maps(tmp_path):
    for name in ("1", "2"):
        touch(tmp_path / "tags" / f"{name}.png")
    touch(tmp_path / "photo/1.png")
    touch(tmp_path / "val/2.png")
    text = "images: photo\nlabels: tags\nvalidation: {images: val, labels: tags}\n"
    frames = find("folder", write(tmp_path, text + "table: cityscapes")).frames
    assert sorted(frame.image_real.parent.name for frame in frames) == ["photo", "val"]


@pytest.mark.parametrize("number", [1 << 63, 10**30])
def test_a_number_that_records_cannot_hold_is_an_error(tmp_path, number):
    with pytest.raises(UserError, match=f"is frame {number}; expected a number of 18 digits"):
        find("folder", export(tmp_path, names=(f"a/{number}",)))
    (frame,) = find("folder", export(tmp_path / "fine", names=(f"a/{(1 << 63) - 1}",))).frames
    assert frame.number == (1 << 63) - 1


@pytest.mark.parametrize("group", ["[a-z]+", "x?"])
def test_a_number_that_is_none_is_an_error(tmp_path, group):
    text = EXPORT + f"sequence: '(?P<sequence>.)/(?P<number>{group})\\d*'"
    with pytest.raises(UserError, match="in 'a/.*' the group `number` matches .*expected digits"):
        find("folder", export(tmp_path, text, names=("a/b1", "a/1")))


def test_folders_may_lie_elsewhere(tmp_path):
    for folder in ("photo", "tags"):
        touch(tmp_path / folder / "a.b" / "0001.png")
    (tmp_path / "here").mkdir()
    text = f"images: ../photo/\nlabels: {tmp_path / 'tags'}\ntable: cityscapes\n"
    (frame,) = find("folder", write(tmp_path / "here", text)).frames
    assert frame.labels == tmp_path / "tags/a.b/0001.png"
    assert frame.sequence == "../photo/a.b"


def test_a_regular_expression_can_name_a_group_of_sequences(tmp_path):
    text = EXPORT + r"sequence: '(?P<sequence>((?P<group>\w+)/)?\w+)/(?P<number>\d+)'"
    (tmp_path / "export.yaml").write_text(text)
    for place in ("drive/left", "drive/right", "alone"):
        for tree in ("photo", "tags", "rgb"):
            touch(tmp_path / tree / place / "7.png")
    found = find("folder", tmp_path / "export.yaml").frames
    assert {frame.sequence: frame.group for frame in found} == {
        "photo/drive/left": "photo/drive",
        "photo/drive/right": "photo/drive",
        "photo/alone": "photo/alone",
    }


def test_a_regular_expression_can_name_sequence_and_number(tmp_path):
    text = EXPORT + r"sequence: 't(?P<number>\d+)_(?P<sequence>\w+)'"
    source = find("folder", export(tmp_path, text, ("t5_town", "t6_town", "cover")))
    assert places(source) == [("photo/cover", 0), ("photo/town", 5), ("photo/town", 6)]


def test_pictures_without_order_have_no_successors(tmp_path):
    source = find("folder", export(tmp_path, EXPORT + "ordered: false"))
    assert {frame.number for frame in source.frames} == {0}
    assert len({frame.sequence for frame in source.frames}) == 3


def test_numbers_of_one_stride_are_consecutive(tmp_path):
    names = ("day/0005", "day/0010", "day/0015", "day/0025", "night/0010")
    source = find("folder", export(tmp_path, names=names))
    assert source.stride == 5
    pairs = zip(source.frames, source.frames[1:], strict=False)
    assert [b.follows(a) for a, b in pairs] == [True, True, False, False]


@pytest.mark.parametrize(
    "numbers", [(3, 17, 24, 91), (0, 30, 60, 64), (0, 5, 10, 15, 16)], ids=["any", "most", "one"]
)
def test_numbers_without_a_common_stride_are_no_pairs(tmp_path, numbers):
    source = find("folder", export(tmp_path, names=[f"day/{n:04d}" for n in numbers]))
    assert source.stride == 1


def test_frames_can_be_left_out_by_their_path(tmp_path):
    file = export(tmp_path)
    source = find("folder", file, left_out="photo/night/.*[2-9]")
    assert places(source) == [("photo/day", 1), ("photo/night", 1)]


@pytest.mark.parametrize(
    ("left_out", "message"),
    [("tags/", "leaves out no frame"), ("photo/", "every frame"), ("(", "regular expression")],
)
def test_a_wrong_expression_of_what_to_leave_out_is_an_error(tmp_path, left_out, message):
    with pytest.raises(UserError, match=f"records.left_out=.*{message}"):
        find("folder", export(tmp_path), left_out=left_out)


def test_validation_frames_may_be_a_film_beside_single_frames(tmp_path):
    for name in ("photo/a_1", "photo/a_2", "vphoto/a_7", "vphoto/a_9"):
        touch(tmp_path / f"{name}.png")
        touch(tmp_path / f"{name.replace('photo', 'tags')}.png")
    text = (
        "images: photo\nlabels: tags\ntable: cityscapes\nordered: false\n"
        "validation: {images: vphoto, labels: vtags, ordered: true}"
    )
    frames = find("folder", write(tmp_path, text)).frames
    assert [frame.number for frame in frames] == [0, 0, 7, 9]
    assert frames[3].follows(frames[2])


def test_validation_folders_are_the_split(tmp_path):
    for folder in ("photo", "tags", "vphoto", "vtags"):
        touch(tmp_path / folder / "town" / "1.png")
    text = (
        "images: photo\nlabels: tags\ntable: cityscapes\n"
        "validation: {images: vphoto, labels: vtags}"
    )
    frames = find("folder", write(tmp_path, text)).frames
    assert [(frame.group, frame.split) for frame in frames] == [
        ("photo/town", "train"),
        ("vphoto/town", "validation"),
    ]


def test_pix2pixhds_tree_is_recognized(tmp_path):
    for folder in ("train_A", "train_B", "test_A", "test_B"):
        touch(tmp_path / folder / "1.png")
        touch(tmp_path / folder / "2.png")
    source = find("folder", tmp_path)
    assert [frame.split for frame in source.frames] == ["validation"] * 2 + ["train"] * 2
    assert source.frames[-1].labels == tmp_path / "train_A/2.png"
    assert not source.frames[-1].follows(source.frames[-2])
    assert not source.has_instances
    for part in ("train", "test"):
        touch(tmp_path / f"{part}_inst" / "1.png")
    source = find("folder", tmp_path)
    assert source.has_instances
    assert source.frames[-1].instances == tmp_path / "train_inst/2.png", "missed by `prepare`"


def test_pix2pixhds_other_names_are_recognized_too(tmp_path):
    for folder in ("train_label", "train_img"):
        touch(tmp_path / folder / "1.png")
    (frame,) = find("folder", tmp_path).frames
    assert frame.labels == tmp_path / "train_label/1.png" and frame.split is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EXPORT + "imagse: photo", "imagse.*the keys are images, labels, cg"),
        ("labels: tags\ntable: cityscapes", "images"),
        ("images: photo\nlabels: tags", "either `table` or `classes`"),
        ("images: photo\nlabels: tags\ntable: gta", "no class table 'gta'"),
        (EXPORT.replace("channel: red", "channel: blue"), "channel: expected red"),
        (EXPORT.replace("id: 9", "id: 3"), "id 3 is there twice"),
        (EXPORT.replace("id: 9", "id: 70000"), "id 70000: expected 0 to 65535"),
        (
            EXPORT.replace("}", ", ignored: true}").replace("true, ignored: true", "true"),
            "expected 1 to",
        ),
        (EXPORT.replace("id: 9", "id: car"), "classes"),
        (EXPORT.replace("[128, 64, 128]", "[128]"), "color of 'road'"),
        (EXPORT.replace("[128, 64, 128]", "[128, 64, 300]"), "color of 'road'"),
        (EXPORT + "sequence: '('", "the keys are"),
        (EXPORT + "sequence: 'a'", "expected a regular expression with the groups"),
        ("images: [", r"line \d, column \d+: no YAML: "),
    ],
)
def test_a_wrong_description_says_what_is_wrong(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        find("folder", export(tmp_path, text))
    assert "\n" not in str(error.value)


def test_classes_without_a_colour_can_be_told_apart(tmp_path):
    rows = "".join(f"  - {{id: {i}, name: class {i}}}\n" for i in range(12, 30))
    text = EXPORT.replace("channel:", f"{rows}channel:")
    table = find("folder", export(tmp_path, text)).table
    assert len({*table.colors}) == len(table.names)
    assert np.ptp(np.array(table.colors[-18:]), axis=1).min() > 100  # none is black or grey


def test_own_classes_cannot_be_read_as_cityscapes(tmp_path):
    with pytest.raises(UserError, match="records.classes=cityscapes: expected own"):
        find("folder", export(tmp_path), "cityscapes")


def test_two_pictures_of_one_number_are_an_error(tmp_path):
    export(tmp_path, names=("a/1", "a/01"))
    with pytest.raises(UserError, match=r"is frame 1 of sequence 'photo/a', as"):
        find("folder", tmp_path)
