import cv2
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.evaluation.subjects import Files, Painted
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError

PLACES = [("street", 0), ("street", 1), ("street-2", 0)]


def put(folder, *names, size=(4, 2)):
    for index, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((size[1], size[0], 3), 10 * index, np.uint8))


def frame(sequence, number):
    return {"sequence": tf.constant(sequence), "frame": tf.constant(number, tf.int64)}


class Brush(Translator):
    """A translator of one level after the other."""

    def __init__(self, *levels):
        self.levels = iter(levels)

    def picture(self, record, *, redraw):
        return np.full((16, 16, 3), next(self.levels), np.uint8)


@pytest.mark.parametrize("stride", [1, 5])
def test_the_past_is_of_the_same_drive(stride):
    """Of a picture that has a past, half of it is the past's."""
    still = {"image_cg": tf.zeros((16, 16, 3), tf.uint8)}
    painted = Painted(
        stride=stride,
        translator=Brush(40, 80, 160, 100, 200),
        varies=False,
        history=History(0.5, Farneback()),
    )
    places = [("a", 0), ("a", 1), ("b", 2), ("b", 4), ("b", 5)]
    levels = [
        int(painted.picture(frame(drive, stride * n) | still)[8, 8, 0]) for drive, n in places
    ]
    assert levels == [40, 60, 160, 100, 150]


def test_pictures_are_found_by_sequence_and_number(tmp_path):
    names = ("street/000000.png", "street/a_000001_leftImg8bit.png", "street-2_0.png")
    put(tmp_path, *names)
    (tmp_path / "notes.txt").write_text("not a picture")
    files = Files.find(tmp_path, PLACES, (4, 2))
    assert [int(files.picture(frame(*place)).max()) for place in PLACES] == [0, 10, 20]


def test_frames_without_order_are_named_alone(tmp_path):
    places = [("0000123", 0), ("b_000007", 0)]
    put(tmp_path, "0000123.png", "all/b_000007_leftImg8bit_synthesized_image.jpg")
    put(tmp_path, "contact-sheet.png", "evaluation/best.png")
    assert set(Files.find(tmp_path, places, (4, 2)).files) == set(places)


def test_sequences_of_one_length_are_told_apart(tmp_path):
    places = [(sequence, number) for sequence in ("0000", "0001") for number in (0, 1)]
    put(tmp_path, *(f"{sequence}/{number:04}.png" for sequence, number in places))
    assert [*Files.find(tmp_path, places, (4, 2)).files] == places


def test_what_pix2pixhd_writes(tmp_path):
    put(tmp_path, "0001_input_label.jpg", "0001_synthesized_image.jpg")
    put(tmp_path, "0002_synthesized_image.jpg")
    places = [("test_B/0001", 0), ("test_B/0002", 0)]
    files = Files.find(tmp_path, places, (4, 2)).files
    assert files[places[0]].name == "0001_synthesized_image.jpg"
    assert set(files) == set(places)


def test_frames_without_order_are_told_apart_by_their_folders(tmp_path):
    places = [("a/7", 0), ("b/7", 0)]
    put(tmp_path, "a/7.png", "b/7.png")
    assert set(Files.find(tmp_path, places, (4, 2)).files) == set(places)


def test_a_single_sequence_needs_no_name(tmp_path):
    put(tmp_path, "000.png", "001.png")
    assert set(Files.find(tmp_path, PLACES[:2], (4, 2)).files) == set(PLACES[:2])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("street/0.png",), r"no picture of frame 1 of sequence 'street'; 2 of 3 frames have none"),
        (("street/0.png", "street/7.png"), r"street/7\.png: belongs to no frame"),
        (("avenue/0.png",), r"avenue/0\.png: belongs to no frame"),
        (("street/zero.png",), r"street/zero\.png: belongs to no frame"),
        (
            ("street/0.png", "street/00.png"),
            r"00\.png: is a picture of frame 0 of .* as .*0\.png is",
        ),
    ],
)
def test_pictures_that_do_not_fit_are_named(tmp_path, names, said):
    put(tmp_path, *names)
    with pytest.raises(UserError, match=said):
        Files.find(tmp_path, PLACES, (4, 2))


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        Files.find(tmp_path / "none", PLACES, (4, 2))


def test_another_size(tmp_path):
    put(tmp_path, "0.png", size=(8, 2))
    files = Files.find(tmp_path, PLACES[:1], (4, 2))
    with pytest.raises(UserError, match=r"0\.png: is 8x2; expected 4x2"):
        files.picture(frame("street", 0))
