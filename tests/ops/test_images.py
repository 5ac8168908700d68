import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sflowgan_tf.ops import images


@given(st.integers(0, 255))
def test_uint8_survives_the_way_there_and_back(value):
    assert int(images.to_uint8(images.to_signed(np.array([value], np.uint8)))[0]) == value


def test_the_range_is_minus_one_to_one_and_clipped():
    assert images.to_signed(np.array([0, 255], np.uint8)).numpy().tolist() == [-1.0, 1.0]
    assert images.to_uint8(np.array([-3.0, 3.0])).numpy().tolist() == [0, 255]


def test_a_sheet_holds_every_picture_where_it_belongs():
    red = np.full((8, 60, 3), (255, 0, 0), np.uint8)
    half = np.full((8, 60, 1), 0.5, np.float32)
    sheet = images.contact_sheet([[red, half], [half, red]], ["one", "two"])
    assert sheet.shape[1] == 60 + 4 + 60
    assert (sheet[22:30, :60] == red).all()
    assert (sheet[34:42, 64:] == red).all()
    assert (sheet[22:30, 64:] == 128).all()
    assert (sheet[:22] < 255).any(), "no title was written"


def test_a_row_with_a_picture_missing_is_an_error():
    with pytest.raises(ValueError, match="expected 2 pictures"):
        images.contact_sheet([[np.zeros((8, 8, 3), np.uint8)]], ["one", "two"])
