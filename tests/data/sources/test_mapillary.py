import json

import pytest

from sflowgan_tf.data.media.pictures import read_labels
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import VOID
from sflowgan_tf.utils.errors import UserError
from tests.raster import write

ROWS = [
    ("animal--bird", "Bird", [165, 42, 42], True),
    ("construction--barrier--ambiguous", "Ambiguous Barrier", [250, 170, 31], False),
    ("construction--flat--road", "Road", [128, 64, 128], True),
    ("void--unlabeled", "Unlabeled", [0, 0, 0], False),
]
LABELS = [[0, 1, 2], [3, 2, 0]]
VERSIONS = {
    "config.json": "labels",
    "config_v1.2.json": "v1.2/labels",
    "config_v2.0.json": "v2.0/labels",
}


def vistas(root, *configs, rows=ROWS, parts=("training", "validation")):
    keys = ("name", "readable", "color", "evaluate")
    labels = [dict(zip(keys, row, strict=True)) | {"instances": True} for row in rows]
    for config in configs:
        for part in parts:
            write(root / part / "images" / f"{part}-1.jpg")
            palette = [row[2] for row in ROWS]
            write(root / part / VERSIONS[config] / f"{part}-1.png", LABELS, palette)
        (root / config).write_text(json.dumps({"version": "1", "labels": labels}))
    return root


@pytest.mark.parametrize("config", VERSIONS)
def test_ids_are_places_in_the_list_and_what_is_not_evaluated_is_void(tmp_path, config):
    source = find("mapillary", vistas(tmp_path, config))
    table = source.table
    assert table.names == ("Bird", "Road")
    assert table.colors == ((165, 42, 42), (128, 64, 128))
    frame = source.frames[0]
    assert frame.labels == tmp_path / "training" / VERSIONS[config] / "training-1.png"
    assert read_labels(frame.labels, table).tolist() == [[0, VOID, 1], [VOID, 1, 0]]


def test_its_own_split_counts_and_no_photo_follows_another(tmp_path):
    source = find("mapillary", vistas(tmp_path, "config_v2.0.json"))
    assert [(frame.group, frame.split) for frame in source.frames] == [
        ("training-1", "train"),
        ("validation-1", "validation"),
    ]
    assert not source.frames[1].follows(source.frames[0])


def test_the_later_version_counts_where_both_are_there(tmp_path):
    source = find("mapillary", vistas(tmp_path, "config_v1.2.json", "config_v2.0.json"))
    assert source.frames[0].labels == tmp_path / "training/v2.0/labels/training-1.png"


def test_two_ids_of_one_name_are_one_class(tmp_path):
    rows = [*ROWS, ("construction--flat--road-shoulder", "Road", [110, 110, 110], True)]
    table = find("mapillary", vistas(tmp_path, "config.json", rows=rows)).table
    assert table.names == ("Bird", "Road") and table.ids[4] == table.ids[2]


def test_photos_without_a_list_of_classes_are_an_error(tmp_path):
    (vistas(tmp_path, "config.json") / "config.json").unlink()
    with pytest.raises(UserError, match="has no list of classes; expected one of config_v2.0.json"):
        find("mapillary", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"labels": [{"name": "a"}]}', '{"labels": 3}'])
def test_another_file_is_no_list_of_classes(tmp_path, text):
    (vistas(tmp_path, "config.json") / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"config\.json: is no list of classes; expected `labels`"):
        find("mapillary", tmp_path)


def test_cityscapes_classes_cannot_be_had(tmp_path):
    with pytest.raises(UserError, match=r"classes=cityscapes: expected own, since .*config\.json"):
        find("mapillary", vistas(tmp_path, "config.json"), "cityscapes")
