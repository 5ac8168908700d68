import dataclasses
import json

import numpy as np
import pytest

from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette
from sflowgan_tf.ops.settings import Farneback, Regions
from sflowgan_tf.translation.card import Card, licence


def test_a_card_comes_back_from_json(exportable):
    card = exportable.card("city", "a command")
    back = Card.from_json(json.dumps(card.to_dict()))
    assert back == card
    assert back.classes.ids[15] == 12, "raw ids are numbers"
    assert (back.run, back.step, back.size) == ("city", 7, (32, 16))
    assert back.data["frames"] == {"train": 1, "validation": 1}
    assert back.metrics is None
    assert back.provenance["command"] == "a command"


def test_the_settings_of_the_flow_come_back_and_older_cards_have_the_defaults(exportable):
    card = exportable.card("city", "")
    other = dataclasses.replace(card, flow=Farneback(winsize=9, gaussian=True))
    values = json.loads(json.dumps(other.to_dict()))
    assert values["flow"]["winsize"] == 9
    assert Card.from_json(json.dumps(values)).flow == other.flow
    del values["flow"]
    assert Card.from_json(json.dumps(values)).flow == Farneback()


def test_the_palette_comes_back_and_older_cards_have_none(exportable):
    gray = np.full((13 + 1, 3), 100, np.float32)
    colors = ClassColors(mean=gray, spread=gray / 10)
    palette = Palette(real=colors, simulator=None, clusters=gray[None], frames=gray[None])
    card = exportable.card("city", "")
    values = json.loads(
        json.dumps(
            dataclasses.replace(
                card, appearance=ColorInput(regions=Regions(cell=8), palette=palette)
            ).to_dict()
        )
    )
    back = Card.from_json(json.dumps(values)).appearance
    assert back is not None and back.regions.cell == 8 and back.palette.num_classes == 13
    np.testing.assert_array_equal(back.palette.real.mean, gray)
    assert card.to_dict()["appearance"] is None
    del values["appearance"]
    assert Card.from_json(json.dumps(values)).appearance is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 99}, "model card of version 99, expected 1"),
        ({"size": None}, "damaged model card: size is of another form"),
        ({"size": [1, 2, 3]}, "damaged model card: size is of another form"),
        ({"classes": {}}, "damaged model card: classes is of another form"),
        ({"edges": {"width": 3}}, "damaged model card: edges is of another form"),
        ({"flow": [1]}, "damaged model card: flow is of another form"),
        ({"appearance": {"cell": 8}}, "damaged model card: appearance is of another form"),
        ({"more": 1}, "damaged model card: missing or unknown: more"),
    ],
)
def test_another_card_is_refused(exportable, change, sentence):
    values = exportable.card("city", "").to_dict() | change
    with pytest.raises(ValueError, match=sentence):
        Card.from_json(json.dumps(values))


def test_a_card_that_lacks_something_is_refused(exportable):
    values = exportable.card("city", "").to_dict()
    del values["step"], values["made"]
    with pytest.raises(ValueError, match="missing or unknown: made, step"):
        Card.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "<html>", "[]", "7", "{}"])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(ValueError, match="damaged model card: expected JSON with a version"):
        Card.from_json(text)


def test_the_note_on_the_licence_follows_the_data():
    assert "no commercial use" in licence("synthia")
    assert "no terms of others" in licence("minicity")
    assert "owner sets the terms" in licence("folder")
