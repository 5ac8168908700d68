import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
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


def test_virtual_kittis_vans_are_cars_and_its_guard_rails_void_in_cityscapes():
    table = TABLES["vkitti"]
    by_name = {table.names[index]: key for key, index in table.ids.items() if index != VOID}
    ids = TABLES["vkitti-as-cityscapes"].ids
    assert names("vkitti-as-cityscapes", by_name["van"], by_name["tree"]) == ["car", "vegetation"]
    assert [ids[by_name[name]] for name in ("guard rail", "misc")] == [VOID] * 2


def test_camvids_32_colours_are_segnets_11_classes_and_void():
    table = TABLES["camvid"]
    counts = [[*table.color_ids.values()].count(key) for key in range(12)]
    assert counts == [1, 5, 2, 3, 3, 2, 3, 1, 5, 4, 2, 1]


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
    assert cityscapes.reading(None) == cityscapes
    assert cityscapes.reading("synthia-as-cityscapes") == TABLES["synthia-as-cityscapes"]
    with pytest.raises(UserError, match=r"'synthia' does not lead.*carla-0.9.14-as-cityscapes"):
        cityscapes.reading("synthia")
    with pytest.raises(UserError, match="no class table 'gta'; expected one of synthia"):
        cityscapes.reading("gta")


def test_all_unknown_ids_are_named_at_once():
    raw = np.array([[40, 41, 43, 40]], np.uint8)
    with pytest.raises(UserError, match=r"id 40 at 2 pixels is not .*'synthia' \(nor are 41, 43\)"):
        TABLES["synthia"].encode(raw)


def test_a_table_of_ones_own_is_read_by_its_names():
    model = replace(TABLES["cityscapes"], name="streets", names=("sky", "road", "car"))
    own = classes.ClassTable(
        name="drives",
        names=("car", "road"),
        colors=((0, 0, 0), (1, 1, 1)),
        ids={8: 0, 3: 1, 12: 1, 0: VOID},
    )
    raw = np.array([[8, 3, 12, 0]], np.uint8)
    assert model.reading(own).encode(raw).tolist() == [[2, 1, 1, VOID]]
    with pytest.raises(UserError, match=r"'drives': tram: no classes of 'streets'; .*sky, road"):
        model.reading(replace(own, names=("tram", "road")))


def test_label_maps_are_read_as_the_table_says_or_as_is_said_instead():
    said = replace(TABLES["cityscapes"], coding="colors", snap_colors=3)
    assert said.reading(None) == said
    assert said.reading(None, coding="ids").coding == "ids"
    assert said.reading(None, snap_colors=0).snap_colors == 0
    other = said.reading("carla-0.9.14-as-cityscapes", coding="ids")
    assert (other.coding, other.snap_colors) == ("ids", 0), "of another dataset's maps"


def test_onto_finds_the_way_to_other_classes():
    assert classes.onto("synthia", "own").name == "synthia"
    assert classes.onto("synthia", "cityscapes").name == "synthia-as-cityscapes"
    assert classes.onto("cityscapes", "cityscapes").name == "cityscapes"
    with pytest.raises(UserError, match="records.classes=mapillary"):
        classes.onto("synthia", "mapillary")


CARLA = TABLES["carla-0.9.14"]


def as_colors(table, raw):
    """The colour map of raw ids that have a colour."""
    color_of = {key: color for color, key in table.color_ids.items()}
    return np.array([color_of[key] for key in raw.ravel()], np.uint8).reshape(*raw.shape, 3)


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@settings(max_examples=20)
def test_colour_maps_are_read_as_the_ids_they_stand_for(name, data):
    """Whole maps of one colour could be ids too: CARLA's car is blue, and its tag would be 0."""
    table = replace(TABLES[name], coding="colors")
    known = sorted(table.color_ids.values())
    raw = np.array(data.draw(st.lists(st.sampled_from(known), min_size=6, max_size=6)))
    raw = raw.reshape(2, 3).astype(np.uint8)
    colors = as_colors(table, raw)
    np.testing.assert_array_equal(table.indices(colors), table.encode(raw))
    opaque = np.dstack([colors, np.full((2, 3), 255, np.uint8)])
    np.testing.assert_array_equal(table.indices(opaque), table.encode(raw))


def test_each_map_says_whether_it_holds_colours_or_ids():
    raw = np.array([[1, 4, 14], [12, 0, 24]], np.uint8)
    colors = as_colors(CARLA, raw)
    tags = np.dstack([raw, raw * 0, raw * 0])
    numbered = np.dstack([raw, raw * 7, raw * 3])  # an instance frame
    for pixels in (raw, colors, tags, numbered):
        np.testing.assert_array_equal(CARLA.indices(pixels), CARLA.encode(raw))


def test_what_can_be_read_in_two_ways_is_refused_until_it_is_said():
    """Blue is a car's colour; as tags it is no class, with numbers in blue."""
    blue = np.full((2, 3, 3), (0, 0, 142), np.uint8)
    with pytest.raises(UserError, match="coding: ids` or `coding: colors"):
        CARLA.indices(blue)
    assert (replace(CARLA, coding="colors").indices(blue) == CARLA.names.index("car")).all()
    assert (replace(CARLA, coding="ids").indices(blue) == VOID).all()
    black = np.zeros((2, 3, 3), np.uint8)
    assert (CARLA.indices(black) == VOID).all(), "void either way"


def test_a_map_of_the_other_coding_than_is_said_tells_how_to_say_it():
    tags = np.array([[1, 4], [14, 12]], np.uint8)
    with pytest.raises(UserError, match="has no colours; .* read as colors: .*--coding"):
        replace(CARLA, coding="colors").indices(tags)
    with pytest.raises(UserError, match="class id 128 .* read as ids: .*--coding"):
        replace(CARLA, coding="ids").indices(as_colors(CARLA, np.full((2, 2), 1, np.uint8)))
    with pytest.raises(UserError, match="^class id 99 (?!.*coding)"):
        replace(CARLA, coding="ids").indices(np.full((2, 2), 99, np.uint8))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_table_without_colours_reads_no_colour_maps(channels):
    table = replace(CARLA, coding="colors", color_ids={})
    with pytest.raises(UserError, match="no colours"):
        table.indices(np.zeros((2, 3, channels), np.uint8).squeeze())


def test_colours_of_sixteen_bits_are_those_of_eight_stretched():
    colors = as_colors(CARLA, np.array([[1, 14], [12, 0]], np.uint8)).astype(np.uint16)
    assert CARLA.indices(colors * 257).tolist() == [[0, 13], [11, VOID]]
    with pytest.raises(UserError, match="class id 32897"):
        CARLA.indices(colors * 257 + 1 * (colors > 0))
    blue = np.full((2, 3, 3), (0, 0, 142 * 257), np.uint16)
    with pytest.raises(UserError, match="say which of the two it holds"):
        CARLA.indices(blue)


def test_an_unknown_colour_is_named_with_its_share_and_the_nearest_class():
    colors = as_colors(CARLA, np.full((10, 10), 14, np.uint8))
    colors[0, :5] = (3, 4, 142)
    expected = (
        r"colour \(3, 4, 142\) at 5 % of .*the nearest is 'car', \(0, 0, 142\), 5 levels away"
    )
    with pytest.raises(UserError, match=expected):
        CARLA.indices(colors)
    car = CARLA.names.index("car")
    assert (replace(CARLA, coding="colors", snap_colors=5).indices(colors) == car).all()
    with pytest.raises(UserError, match="5 levels away"):
        replace(CARLA, coding="colors", snap_colors=4.9).indices(colors)


def test_a_picture_that_is_no_label_map_is_refused():
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    for table in TABLES.values():
        with pytest.raises(UserError, match="colour .* is none of"):
            table.indices(photo)


def test_a_palettes_colours_count_where_they_are_the_tables():
    ids = np.array([[1, 14, 11]], np.uint8)
    np.testing.assert_array_equal(CARLA.indices(ids, as_colors(CARLA, ids)), CARLA.encode(ids))
    elsewhere = np.array([[[9, 9, 9], [8, 8, 8], [7, 7, 7]]], np.uint8)
    np.testing.assert_array_equal(CARLA.indices(ids, elsewhere), CARLA.encode(ids))
    others = as_colors(CARLA, np.array([[14, 11, 1]], np.uint8))
    with pytest.raises(UserError, match="its colours are that table's too"):
        CARLA.indices(ids, others)


def test_tables_of_earlier_versions_get_the_colours_that_were_not_kept_with_them():
    values = {
        key: value
        for key, value in CARLA.to_dict().items()
        if key not in ("color_ids", "coding", "snap_colors")
    }
    road = as_colors(CARLA, np.array([[1]], np.uint8))
    assert classes.ClassTable.from_dict(values).indices(road) == 0
    own = classes.ClassTable.from_dict(values | {"names": ["way", *CARLA.names[1:]]})
    assert own.indices(np.array([[1]], np.uint8)) == 0
    with pytest.raises(UserError, match="class id 128"):
        own.indices(road)
