import numpy as np
import pytest

from sflowgan_tf.ops.palette import ClassColors, Palette, Recoloring
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.utils.errors import UserError
from tests.translation.echo import model_of

LABELS = np.zeros((16, 32), np.uint8)
FRAME = np.zeros((16, 32, 3), np.uint8)


GRAY = ClassColors(mean=np.full((20, 3), 99, np.float32), spread=np.ones((20, 3), np.float32))
PALETTE = Palette(real=GRAY, simulator=None, clusters=GRAY.mean[None], frames=GRAY.mean[None])


class Remembers:
    """An engine that keeps the weights and the recolouring it was asked with."""

    def __init__(self, *, redraws=True):
        self.redraws, self.asked, self.recolorings = redraws, [], []

    def translate(self, labels, frame, weights, recoloring=None):
        self.asked.append(weights)
        self.recolorings.append(recoloring)
        return frame


def test_by_default_the_dned_draws_the_edges_with_equal_weights():
    engine = Remembers()
    model = model_of(engine)
    assert model.redraws
    for edges in (None, "dned"):
        assert model.translate(LABELS, FRAME, edges=edges) is FRAME
        np.testing.assert_allclose(engine.asked[-1], np.full(6, 1 / 6))
        assert engine.asked[-1].dtype == np.float32


def test_weights_are_those_given():
    engine = Remembers()
    model_of(engine).translate(LABELS, FRAME, [1, 0, 0, 0, 0, 3])
    np.testing.assert_array_equal(engine.asked[0], np.float32([1, 0, 0, 0, 0, 3]))


def test_laplacian_edges_leave_the_dned_out():
    engine = Remembers()
    model_of(engine).translate(LABELS, FRAME, edges="laplacian")
    assert engine.asked == [None]


def test_a_model_without_a_dned_has_laplacian_edges():
    engine = Remembers(redraws=False)
    model = model_of(engine)
    for edges in (None, "laplacian"):
        model.translate(LABELS, FRAME, edges=edges)
    assert engine.asked == [None, None]
    for request in ({"edges": "dned"}, {"weights": np.ones(6)}):
        with pytest.raises(UserError, match="this model has no DNED"):
            model.translate(LABELS, FRAME, **request)


@pytest.mark.parametrize(
    ("labels", "frame", "sentence"),
    [
        (LABELS[None], FRAME, r"labels: expected \(height, width\) uint8.*got \(1, 16, 32\) uint8"),
        (
            LABELS.tolist(),
            FRAME,
            "labels: expected .* class indices, got list, which is no NumPy",
        ),
        (LABELS, FRAME.tolist(), "frame: expected .* uint8 RGB.*got list, which is no NumPy"),
        (LABELS, None, "got NoneType, which is no NumPy array"),
        (LABELS.astype(int), FRAME, r"got \(16, 32\) int64; classes\.encode\(raw\) makes them"),
        (LABELS, FRAME[..., :1], r"frame: expected \(16, 32, 3\) uint8.*got \(16, 32, 1\) uint8"),
        (LABELS, FRAME[:, :30], r"frame: expected \(16, 32, 3\).*resize one of them"),
        (LABELS, FRAME / 255, r"got \(16, 32, 3\) float64"),
        (LABELS[:1], FRAME[:1], "expected 2 pixels a side or more"),
        (
            LABELS + np.uint8(23),
            FRAME,
            "index 23 is outside .* 19 classes; .* 0 to 18",
        ),
    ],
)
def test_arrays_of_no_scene_are_a_sentence(labels, frame, sentence):
    with pytest.raises(UserError, match=sentence):
        model_of(Remembers()).translate(labels, frame)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.ones(5), r"weights: expected shape \(6,\), got \(5,\)"),
        ([[1], [1, 2]], r"weights: expected 6 numbers, got \[\[1\], \[1, 2\]\]"),
        ("equal", "weights: expected 6 numbers, got 'equal'"),
        (np.ones((1, 6)), r"expected shape \(6,\), got \(1, 6\)"),
        (np.zeros(6), "expected numbers from 0 on, one of them larger"),
        (-np.ones(6), "expected numbers from 0 on"),
        (np.full(6, np.nan), "expected numbers from 0 on"),
    ],
)
def test_weights_that_are_none_are_a_sentence(weights, sentence):
    with pytest.raises(UserError, match=sentence):
        model_of(Remembers()).translate(LABELS, FRAME, weights)


def test_weights_and_laplacian_edges_exclude_each_other():
    with pytest.raises(UserError, match="weights: are the DNED's"):
        model_of(Remembers()).translate(LABELS, FRAME, np.ones(6), edges="laplacian")


def test_the_appearance_is_the_one_given_and_else_the_engines_own():
    engine = Remembers()
    model = model_of(engine, palette=PALETTE)
    chosen = model.palette.cluster(0)
    model.translate(LABELS, FRAME)
    for request in ({}, {"edges": "laplacian"}, {"weights": np.ones(6)}):
        model.translate(LABELS, FRAME, appearance=chosen, **request)
    assert engine.recolorings == [None, chosen, chosen, chosen]


def test_a_model_without_palette_takes_no_appearance():
    model = model_of(Remembers())
    assert model.palette is None
    with pytest.raises(UserError, match="appearance: this model sees no colours; leave it out"):
        model.translate(LABELS, FRAME, appearance=PALETTE.given())


@pytest.mark.parametrize(
    ("appearance", "sentence"),
    [
        ("given", r"appearance: expected what a method .* palette\.cluster\(0\), got str"),
        (Recoloring.none(18), r"appearance\.scale: expected \(20, 3\) .* got \(19, 3\) float32"),
        (
            Recoloring(scale=np.ones((20, 3)), shift=np.full((20, 3), np.nan)),
            r"appearance\.shift: expected \(20, 3\) finite floats",
        ),
        (
            Recoloring(scale=np.ones((20, 3), int), shift=np.ones((20, 3))),
            r"appearance\.scale: expected .* got \(20, 3\) int64",
        ),
    ],
)
def test_an_appearance_that_is_none_is_a_sentence(appearance, sentence):
    with pytest.raises(UserError, match=sentence):
        model_of(Remembers(), palette=PALETTE).translate(LABELS, FRAME, appearance=appearance)


def test_raw_ids_and_void_become_indices():
    model = model_of(Remembers())
    raw = np.full((16, 32), 26, np.uint8)
    raw[0] = 0
    labels = model.classes.encode(raw)
    assert labels[0, 0] == 255 and model.classes.names[labels[1, 0]] == "car"
    assert model.translate(labels, FRAME) is FRAME


def test_it_is_closed_with_its_block():
    closed = []
    with model_of(Remembers(), close=lambda: closed.append(True)) as model:
        assert model.flow == Farneback() and not closed
    assert closed
