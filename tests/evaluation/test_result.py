import csv
import json

import pytest

from sflowgan_tf.evaluation.result import METRICS, ClassScore, Picture, Result, Score, summary
from sflowgan_tf.utils.errors import UserError


def score(**changes):
    defaults = {
        "group": "segmentation",
        "name": "mean_iou",
        "of": "generated",
        "value": 0.5,
        "low": 0.4,
        "high": 0.625,
        "unit": "",
        "better": "higher",
        "n": 3,
        "counted": "frames",
        "detail": {"void": "ignored"},
    }
    return Score(**(defaults | changes))


RESULT = Result(
    subject={"run": "a, b"},
    reference={"frames": 3},
    provenance={"seed": 0},
    scores=[score(), score(of="real", value=0.75, low=None, high=None, detail={})],
    classes=[ClassScore(name="road", color=[1, 2, 3], pixels=9, iou={"generated": None})],
    warnings=["few"],
    pictures=[Picture(file="a.png", title="A", caption="An a.")],
)


def test_what_was_saved_is_loaded(tmp_path):
    RESULT.save(tmp_path)
    assert Result.load(tmp_path) == RESULT
    with open(tmp_path / "scores.csv", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["group"], first["name"]) == ("segmentation", "mean_iou")
    assert json.loads(first["detail"]) == {"void": "ignored"}
    assert (tmp_path / "classes.csv").read_text().splitlines()[0] == (
        "name,color,pixels,iou generated"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "classes.csv",
        "metrics.json",
        "scores.csv",
    ]


def test_a_score_is_found_by_its_details():
    assert RESULT.find("mean_iou").value == 0.5
    assert RESULT.find("mean_iou", "real").value == 0.75
    assert RESULT.find("mean_iou", void="counted as wrong") is None
    assert RESULT.find("fid") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values | {"version": 0}, "version 0, expected 1"),
        (lambda values: values | {"scores": [{"name": "x"}]}, "damaged"),
        (lambda values: {"a": 1}, "damaged"),
        (lambda values: [], "damaged"),
    ],
)
def test_what_is_no_evaluation_is_refused(tmp_path, change, said):
    RESULT.save(tmp_path)
    file = tmp_path / METRICS
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(UserError, match=said):
        Result.load(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="there is no evaluation here"):
        Result.load(tmp_path)


def test_the_summary_says_interval_and_protocol():
    lines = summary(RESULT).splitlines()
    assert " ".join(lines[1].split()) == "generated mean_iou, void ignored 0.5 0.4 to 0.625"
    assert lines[2].split() == ["real", "mean_iou", "0.75"]
