import base64
import struct
import zlib
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from sflowgan_tf import Records
from sflowgan_tf.minicity.frames import sequence
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.playing import scenes
from sflowgan_tf.playing.cutouts import cutouts
from sflowgan_tf.playing.scenes import Empty, Given, Stored, Street
from sflowgan_tf.utils.errors import UserError

TABLE = TABLES["synthia"]
SIZE = (64, 32)


def test_a_street_is_minicitys():
    frame = next(islice(sequence(3, 0, scenes.DRIVE, SIZE), 2, None))
    canvas = scenes.find(Street(seed=3, number=2), SIZE, TABLE)
    np.testing.assert_array_equal(canvas.labels, TABLE.encode(frame.labels))
    np.testing.assert_array_equal(canvas.frame, frame.image_cg)
    assert not canvas.strokes.any()


@pytest.fixture
def home(archive, tmp_path, monkeypatch):
    """A folder with datasets/old, the archive's records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/old").symlink_to(archive / "records")


def test_a_frame_of_records_is_the_readers(home):
    assert list(scenes.datasets(TABLE)) == ["old"]
    assert not scenes.datasets(TABLES["cityscapes"])
    frame = next(islice(Records("datasets/old", "train"), 1, None))
    canvas = scenes.find(Stored(dataset="old", split="train", number=1), SIZE, TABLE)
    np.testing.assert_array_equal(canvas.labels, frame["labels"])
    np.testing.assert_array_equal(canvas.frame, frame["image_cg"])


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Street(seed=-1, number=0), "street -1"),
        (Street(seed=1, number=scenes.DRIVE), "0 to 39"),
        (Stored(dataset="../old", split="train", number=0), "expected old"),
        (Stored(dataset="old", split="test", number=0), "old has train 0 to"),
        (Stored(dataset="old", split="train", number=10_000), "old has train 0 to"),
    ],
)
def test_a_scene_that_is_not_there_is_named(home, place, sentence):
    with pytest.raises(UserError, match=sentence):
        scenes.find(place, SIZE, TABLE)


@pytest.mark.parametrize(
    "place",
    [
        Street(seed=7, number=0),
        Stored(dataset="a b", split="train", number=3),
        Given("x:y"),
        Given("empty"),
        Empty(),
    ],
)
def test_places_are_read_as_they_were_written(place):
    assert scenes.parsed(str(place)) == place


@pytest.mark.parametrize("text", ["", "minicity:1", "minicity:-1:0", "records:a:b:c", "moon:1:1"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(UserError, match="expected minicity:SEED:NUMBER"):
        scenes.parsed(text)


def test_an_empty_street_is_sky_above_road_in_their_colours():
    colors = np.arange(39, dtype=np.uint8).reshape(13, 3)
    canvas = scenes.empty(SIZE, TABLE, colors)
    sky, road = TABLE.names.index("sky"), TABLE.names.index("road")
    assert {*canvas.labels[:16].flat} == {sky} and {*canvas.labels[16:].flat} == {road}
    assert (canvas.frame[20, 5] == colors[road]).all()


@pytest.fixture
def files(tmp_path):
    """A label map and a frame of 128x64, left half road, right half car."""
    labels = np.full((64, 128), 3, np.uint16)
    labels[:, 64:] = 8
    frame = np.zeros((64, 128, 3), np.uint8)
    frame[:, 64:] = 200
    paths = tmp_path / "labels.png", tmp_path / "frame.png"
    for path, image in zip(paths, (labels, frame), strict=True):
        Image.fromarray(image).save(path)
    return paths


def test_given_files_get_the_models_size_and_classes(files):
    canvas = scenes.of_files(*files, SIZE, TABLE)
    road, car = TABLE.names.index("road"), TABLE.names.index("car")
    assert canvas.size == SIZE
    assert (canvas.labels[:, :32] == road).all() and (canvas.labels[:, 32:] == car).all()
    assert (canvas.frame[:, :32] == 0).all() and (canvas.frame[:, 32:] == 200).all()


def test_sizes_that_differ_are_named(files, tmp_path):
    Image.new("RGB", (128, 60)).save(tmp_path / "frame.png")
    with pytest.raises(UserError, match=r"labels\.png is 128x64, but frame\.png is 128x60"):
        scenes.of_files(*files, SIZE, TABLE)


def test_a_header_that_claims_too_much_is_refused_before_it_is_decoded(files):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    files[1].write_bytes(bomb + chunk(b"IEND", b""))
    with pytest.raises(UserError, match=r"frame\.png: "):
        scenes.of_files(*files, SIZE, TABLE)


@pytest.mark.parametrize("name", ["frame.gif", "frame"])
def test_other_kinds_of_files_are_refused(files, tmp_path, name):
    other = files[1].rename(tmp_path / name)
    with pytest.raises(UserError, match=rf"{name}: expected a file \.png or"):
        scenes.of_files(files[0], other, SIZE, TABLE)


def test_things_to_put_are_what_they_are_called():
    classes = {"car": "car", "man": "pedestrian", "woman": "pedestrian", "cyclist": "bicycle"}
    found = cutouts((256, 128), TABLE)
    assert len(found) == 7
    for one in found:
        (kind,) = {*one.labels[one.inside].tolist()}
        assert TABLE.names[kind] == classes[one.name.split()[-1]], one.name
        assert one.inside.any(0).all() and one.inside.any(1).all() and one.inside.sum() > 200
        planes = one.inside.size
        assert len(zlib.decompress(base64.b64decode(one.packed()))) == 5 * planes


def test_a_model_of_other_classes_has_none():
    assert cutouts((256, 128), TABLES["camvid"]) == []
