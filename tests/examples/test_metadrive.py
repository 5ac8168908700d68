"""The example that records MetaDrive, without MetaDrive: what it writes, and that it goes on."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest

from sflowgan_tf.data.media.pictures import read_image, read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import TABLES
from tests import places

SCRIPT = places.ROOT / "examples/metadrive/record.py"
CLASSES = ("road", "sidewalk", "terrain", "sky", "car", "truck", "road line")


@pytest.fixture
def example():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("metadrive_record", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def drives(example, monkeypatch):
    """The script's simulator becomes one of six moments; gives where each drive began."""
    began = []

    def drive(seed, every, start, size):
        began.append(start)
        for number in range(start, 6):
            yield moment(number, size)

    monkeypatch.setattr(example, "drive", drive)
    return began


def moment(number, size=(64, 32)):
    """A frame of one colour, BGR, and ids of all classes in turn."""
    ids = np.resize(np.array([1, 2, 10, 11, 14, 15, 24, 0], np.uint8), size[::-1])
    return np.full((*size[::-1], 3), (number, 100, 200), np.uint8), ids


def record(example, output, frames=3, **settings):
    words = ["--output", str(output), "--frames", str(frames), "--size", "64x32"]
    words += [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return example.record(**vars(example.flags().parse_args(words)))


def content(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_prepare_reads_the_tree(example, drives, tmp_path):
    record(example, tmp_path, seed=1)
    record(example, tmp_path, seed=2)
    source = find("folder", tmp_path)
    assert [(frame.sequence, frame.number) for frame in source.frames] == [
        (f"images/drive-{drive:03d}", number) for drive in (1, 2) for number in range(3)
    ]
    assert source.table.names == CLASSES
    first = source.frames[0]
    assert (read_image(first.image_real) == (200, 100, 0)).all(), "RGB"
    labels = read_labels(first.labels, source.table)
    np.testing.assert_array_equal(labels[0, :8], [0, 1, 2, 3, 4, 5, 6, 255])


def test_the_label_maps_are_also_carlas_and_so_cityscapes(example, drives, tmp_path):
    record(example, tmp_path)
    file = tmp_path / "labels/drive-001/000000.png"
    carla, cityscapes = TABLES["carla-0.9.14"], TABLES["carla-0.9.14-as-cityscapes"]
    assert tuple(carla.names[carla.ids[example.IDS[name]]] for name in CLASSES) == CLASSES
    names = [cityscapes.names[index] for index in read_labels(file, cityscapes)[0, :7]]
    assert names == ["road", "sidewalk", "terrain", "sky", "car", "truck", "road"]


def test_the_same_command_goes_on_and_more_frames_lengthen_the_drive(example, drives, tmp_path):
    record(example, tmp_path, frames=2)
    before = content(tmp_path)
    assert record(example, tmp_path, frames=5).endswith("drive-001: 5 frames")
    record(example, tmp_path, frames=5)
    assert drives == [0, 2], "no frame twice, and the simulator is not started for nothing"
    assert before.items() <= content(tmp_path).items()
    for number in range(5):
        image = cv2.imread(str(tmp_path / f"images/drive-001/{number:06d}.png"))
        np.testing.assert_array_equal(image, moment(number)[0])


def test_a_frame_whose_writing_was_interrupted_is_recorded_anew(example, drives, tmp_path):
    record(example, tmp_path, frames=3)
    whole = content(tmp_path)
    last = tmp_path / "images/drive-001/000002.png"
    last.rename(last.with_name(f".{last.name}.partial"))
    record(example, tmp_path, frames=3)
    assert drives == [0, 2] and content(tmp_path) == whole


def test_a_drive_that_ends_early_says_so(example, drives, tmp_path):
    assert record(example, tmp_path, frames=9).endswith(
        "6 frames; there the drive ends, another --seed gives another one"
    )


def test_a_drive_of_other_settings_is_refused(example, drives, tmp_path):
    record(example, tmp_path)
    with pytest.raises(example.UserError, match="drive-001.json is of other settings; choose"):
        record(example, tmp_path, every=2)


def test_an_edited_description_stays_and_further_drives_are_recorded(example, drives, tmp_path):
    record(example, tmp_path)
    edited = "images: images\nlabels: labels\ntable: carla-0.9.14\n"
    (tmp_path / "folder.yaml").write_text(edited)
    record(example, tmp_path, seed=2)
    assert (tmp_path / "folder.yaml").read_text() == edited
    assert len(find("folder", tmp_path, "cityscapes").frames) == 6


def test_an_output_that_cannot_be_written_is_named(example, drives, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(example.UserError, match="file/folder.yaml: .*; choose another --output"):
        record(example, tmp_path / "file")


@pytest.mark.parametrize("size", ["256", "256x", "31x64", "64x5000", "ax64", "-64x64"])
def test_a_wrong_size_is_refused(example, size, capsys):
    with pytest.raises(SystemExit):
        example.flags().parse_args(["--output", "drives", f"--size={size}"])
    assert f"--size: expected WIDTHxHEIGHT, 32 to 4096 each, got {size}" in capsys.readouterr().err


def test_without_metadrive_it_can_be_imported_and_says_what_is_missing(
    example, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "metadrive", None)
    with pytest.raises(ModuleNotFoundError, match="metadrive"):
        record(example, tmp_path)
