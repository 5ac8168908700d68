import json
import zipfile
from dataclasses import replace

import pytest

from sflowgan_tf import config
from sflowgan_tf.data.record_settings import RecordSettings, differences
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.training.assembly.datasets import record_settings
from tests import places

SETTINGS = RecordSettings(
    size=(64, 32),
    classes=TABLES["synthia"],
    edges=EdgeSettings(threshold=90.0),
    flow=Farneback(),
    validation_fraction=0.1,
    validation_sequences=(),
    frames_per_shard=128,
    seed=0,
)


def test_they_are_what_earlier_versions_kept_in_the_plan():
    with zipfile.ZipFile(places.ROOT / "tests/formats/made-by-0.1.0.zip") as archive:
        plan = json.loads(archive.read("records/plan.json"))
    others = {"schema version", "dataset", "raw frames"}
    settings = {key: plan[key] for key in plan.keys() - others}
    own = SETTINGS.to_dict()
    assert own["edges"].pop("density") == 0  # what is newer is off by default
    assert own["classes"].pop("coding") is None and own["classes"].pop("snap_colors") == 0
    assert own["classes"].pop("color_ids")  # how a map may be read, which records do not tell
    assert own == settings


def test_they_are_made_of_the_configuration():
    configured = config.Preparation(size="64x32", edges=EdgeSettings(threshold=90.0))
    assert record_settings(configured, TABLES["synthia"]) == SETTINGS


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"size": (32, 32)}, "records.size: 32x32 here, but 64x32 there"),
        ({"edges": EdgeSettings()}, "records.edges.threshold: 60.0 here, but 90.0 there"),
        ({"flow": Farneback(levels=1)}, "records.flow.levels: 1 here, but 3 there"),
        ({"frames_per_shard": 9}, "records.frames_per_shard: 9 here, but 128 there"),
        (
            {"validation_sequences": ("a",)},
            "records.validation_sequences: ['a'] here, but [] there",
        ),
    ],
)
def test_what_differs_is_named_as_users_set_it(change, clause):
    other = replace(SETTINGS, **change)
    assert list(differences(other.to_dict(), SETTINGS.to_dict())) == [clause]


def test_what_one_of_them_does_not_have_differs():
    assert list(differences({"a": {"b": 1}}, {"a": {}}, prefix="")) == [
        "a.b: 1 here, but None there"
    ]
