import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sflowgan_tf.ops import classes
from sflowgan_tf.ops.classes import TABLES, VOID
from sflowgan_tf.utils.errors import UserError

TRAIN_IDS = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
RAND_TO_TRAIN_IDS = {
    **{3: 0, 4: 1, 2: 2, 21: 3, 5: 4, 7: 5, 15: 6, 9: 7, 6: 8, 16: 9, 1: 10, 10: 11, 17: 12},
    **{8: 13, 18: 14, 19: 15, 20: 16, 12: 17, 11: 18, 0: VOID, 13: VOID, 14: VOID, 22: VOID},
}


def names(table, *ids):
    table = TABLES[table]
    return [table.names[table.ids[key]] for key in ids]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_is_whole(table):
    assert set(table.ids.values()) - {VOID} <= set(range(table.num_classes))
    assert len(table.colors) == len(table.names) == len(set(table.names))
    assert len(set(table.colors)) == table.num_classes, "two classes look alike"
    if not table.name.endswith("-as-cityscapes"):
        assert set(table.ids.values()) - {VOID} == set(range(table.num_classes))


def test_cityscapes_label_ids_become_train_ids():
    ids = TABLES["cityscapes"].ids
    assert [ids[key] for key in TRAIN_IDS] == list(range(19))
    assert all(ids[key] == VOID for key in {*range(34), 255} - set(TRAIN_IDS))


def test_synthia_leaves_void_and_reserved_ids_out():
    assert TABLES["synthia"].num_classes == 13
    assert [TABLES["synthia"].ids[key] for key in (0, 13, 14)] == [VOID] * 3
    assert names("synthia", 1, 3, 11, 12, 15) == [
        "sky", "road", "bicycle", "lane marking", "traffic light",
    ]  # fmt: skip


def test_the_two_synthias_mean_different_things_by_11_and_12():
    assert names("synthia-as-cityscapes", 11, 12) == ["rider", "road"]
    assert names("synthia-rand-as-cityscapes", 11, 12) == ["bicycle", "motorcycle"]
    assert TABLES["synthia-rand-as-cityscapes"].ids == RAND_TO_TRAIN_IDS


def test_carla_changed_its_table():
    assert TABLES["carla-0.9.14-as-cityscapes"].ids[24] == 0, "road lines lie on the road"
    assert [TABLES["carla-0.9.14-as-cityscapes"].ids[tag] for tag in range(1, 20)] == [*range(19)]
    assert names("carla-0.9.13", 7, 10) == ["road", "vehicle"]
    assert names("carla-0.9.13-as-cityscapes", 6, 7, 10) == ["road", "road", "car"]


@given(st.lists(st.sampled_from(sorted(TABLES["synthia"].ids)), min_size=1))
def test_encode_looks_each_id_up(ids):
    encoded = TABLES["synthia"].encode(np.array(ids, np.uint16))
    assert encoded.dtype == np.uint8
    assert encoded.tolist() == [TABLES["synthia"].ids[key] for key in ids]


def test_an_unknown_id_is_named_and_counted():
    raw = np.array([[7, 99], [99, 8]], np.uint8)
    with pytest.raises(UserError, match=r"class id 99 at 2 pixels.*'cityscapes'.*0 to 33, 255"):
        TABLES["cityscapes"].encode(raw)


def test_ids_lie_in_one_channel_or_in_red_as_the_table_says():
    ids = np.array([[7, 0]], np.uint8)
    assert TABLES["cityscapes"].indices(ids).tolist() == [[0, VOID]]
    with pytest.raises(
        UserError, match="has 3 channels of 8 bits; .* expects one channel of class"
    ):
        TABLES["cityscapes"].indices(np.dstack([ids] * 3))
    red = np.dstack([np.array([[3, 0]], np.uint16), *[np.full((1, 2), 99, np.uint16)] * 3])
    for channels in (3, 4):
        assert TABLES["synthia"].indices(red[..., :channels]).tolist() == [[2, VOID]]
    with pytest.raises(UserError, match="has 1 channel of 8 bits; .* 'synthia' expects 16 bits"):
        TABLES["synthia"].indices(ids)


def test_colorize_paints_void_black():
    picture = TABLES["cityscapes"].colorize(np.array([[0, VOID]], np.uint8))
    assert picture.tolist() == [[[128, 64, 128], [0, 0, 0]]]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables_survive_json(table):
    assert classes.ClassTable.from_dict(json.loads(json.dumps(table.to_dict()))) == table


def test_another_table_is_read_only_if_it_leads_to_the_same_classes():
    cityscapes = TABLES["cityscapes"]
    assert cityscapes.reading(None) is cityscapes
    assert cityscapes.reading("synthia-as-cityscapes") is TABLES["synthia-as-cityscapes"]
    with pytest.raises(UserError, match=r"'synthia' does not lead.*carla-0.9.14-as-cityscapes"):
        cityscapes.reading("synthia")
    with pytest.raises(UserError, match="no class table 'gta'; expected one of synthia"):
        cityscapes.reading("gta")


def test_onto_finds_the_way_to_other_classes():
    assert classes.onto("synthia", "own").name == "synthia"
    assert classes.onto("synthia", "cityscapes").name == "synthia-as-cityscapes"
    assert classes.onto("cityscapes", "cityscapes").name == "cityscapes"
    with pytest.raises(UserError, match="records.classes=mapillary"):
        classes.onto("synthia", "mapillary")
