import base64
import zlib

import numpy as np
import pytest

from sflowgan_tf.playing.canvas import DRAWN, MOST_PIXELS, RUBBED_OUT, Canvas
from sflowgan_tf.utils.errors import UserError


def canvas():
    """6x4, with one pixel drawn and one rubbed out."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 13, (4, 6)).astype(np.uint8)
    labels[0, 0] = 255
    strokes = np.zeros((4, 6), np.uint8)
    strokes[1, 2], strokes[3, 5] = DRAWN, RUBBED_OUT
    frame = draw.integers(0, 256, (4, 6, 3)).astype(np.uint8)
    return Canvas(labels=labels, frame=frame, strokes=strokes)


def packed(planes):
    return base64.b64encode(zlib.compress(planes)).decode()


def test_the_browser_gets_the_planes_one_after_the_other():
    one = canvas()
    planes = zlib.decompress(base64.b64decode(one.packed()))
    assert len(planes) == 5 * 24
    assert planes[:24] == bytes(one.labels.ravel())
    assert planes[24 : 24 + 3] == bytes(one.frame[0, 0])
    assert planes[96:] == bytes(one.strokes.ravel())


def test_what_the_browser_sends_is_the_same_canvas():
    one = canvas()
    again = Canvas.unpacked(one.packed(), (6, 4), 13)
    assert again.same(one) and again.size == (6, 4)
    changed = Canvas(labels=one.labels, frame=one.frame, strokes=np.zeros_like(one.strokes))
    assert not again.same(changed)


def test_strokes_set_edges_and_leave_all_others():
    edges = np.full((4, 6), 0.5, np.float32)
    expected = edges.copy()
    expected[1, 2], expected[3, 5] = 1, 0
    np.testing.assert_array_equal(canvas().edges(edges), expected)


@pytest.mark.parametrize(
    ("text", "size", "sentence"),
    [
        ("no base64!", (6, 4), "damaged"),
        ("AAAA", (6, 4), "damaged"),
        (packed(bytes(119)), (6, 4), "not the size"),
        (packed(bytes(1 << 22)), (6, 4), "not the size"),
        (packed(bytes(120)), (MOST_PIXELS, 2), "at most"),
        (packed(bytes(120)), (0, 4), "at most"),
        (packed(bytes([13]) + bytes(119)), (6, 4), "class 13"),
        (packed(bytes(119) + bytes([3])), (6, 4), "strokes"),
    ],
)
def test_what_is_no_canvas_is_refused(text, size, sentence):
    with pytest.raises(UserError, match=sentence):
        Canvas.unpacked(text, size, 13)
