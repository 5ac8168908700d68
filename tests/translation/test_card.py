import json

import pytest

from sflowgan_tf.translation.card import Card, licence


def test_a_card_comes_back_from_json(exportable):
    card = exportable.card("city", "a command")
    back = Card.from_json(json.dumps(card.to_dict()))
    assert back == card
    assert back.classes.ids[15] == 12, "raw ids are numbers"
    assert (back.run, back.step, back.size) == ("city", 7, (32, 16))
    assert back.data["frames"] == {"train": 1, "validation": 1}
    assert back.metrics is None
    assert back.made["command"] == "a command"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "model card of version 99, expected 1"),
        ({"size": None}, "damaged model card"),
        ({"classes": {}}, "damaged model card"),
        ({"more": 1}, "damaged model card"),
    ],
)
def test_another_card_is_refused(exportable, change, said):
    values = exportable.card("city", "").to_dict() | change
    with pytest.raises(ValueError, match=said):
        Card.from_json(json.dumps(values))


def test_the_note_on_the_licence_follows_the_data():
    assert "no commercial use" in licence("synthia")
    assert "no terms of others" in licence("minicity")
    assert "owner sets the terms" in licence("folder")
