import os
import shutil

import pytest

from sflowgan_tf.playing import gallery
from sflowgan_tf.playing.gallery import Left
from sflowgan_tf.utils.errors import UserError


@pytest.fixture
def runs(archive, tmp_path, monkeypatch):
    shutil.copytree(archive / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    os.utime("runs/judge/config.yaml", (1, 1))
    return tmp_path / "runs"


def test_the_latest_run_comes_first(runs):
    assert gallery.names() == ["painter", "judge"]
    assert Left.by("painter").paints and not Left.by("judge").paints
    assert Left.by("painter").facts == "Paints, step 16"


def test_the_newest_sheet_of_each_kind_is_shown(runs):
    samples = runs / "painter/samples"
    samples.mkdir()
    for name in ("scenes-0002", "scenes-0010", "variations-0001"):
        (samples / f"{name}.png").touch()
    assert [file.stem for file in Left.by("painter").sheets] == ["scenes-0010", "variations-0001"]


def test_a_run_without_an_evaluation_has_none(runs):
    left = Left.by("painter")
    assert left.report is None and left.sheets == [] and [*left.curves()] == []
    (runs / "painter/evaluation").mkdir()
    (runs / "painter/evaluation/report.html").write_text("<p>mIoU</p>")
    assert left.report == "<p>mIoU</p>"


@pytest.mark.parametrize("name", ["nobody", "../runs/painter", "minicity"])
def test_a_run_that_is_not_there_is_named(runs, name):
    with pytest.raises(UserError, match="expected painter, judge"):
        Left.by(name)
