"""vid2vid's generator, to compare with: trained on clips, scored as a film, and no more."""

import json
import re

import pytest

from tests.end_to_end.commands import FIT, assert_same_weights, call, killed, latest_step

CLIPS = [
    "generator.kind=sequential",
    "generator.skips=false",
    "discriminator.sees_edges=false",
    "edge_map=none",
    "phases.dned=0",
    "phases.video=2",
    "minicity.frames=5",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with records and a run of it."""
    folder = tmp_path_factory.mktemp("home")
    call("fit", *FIT, *CLIPS, "--run", "whole", folder=folder)
    return folder


def test_it_trains_on_clips_and_shows_a_film(home):
    run = home / "runs/whole"
    assert latest_step(run) == 26, "an epoch of ten frames and two of eight pairs"
    assert (run / "samples/film-0003.gif").is_file()


def test_it_is_scored_as_a_film(home):
    metrics = ("--metrics", "temporal", "paired")
    call("evaluate", "--run", "whole", *metrics, folder=home)
    scores = json.loads((home / "runs/whole/evaluation/metrics.json").read_text())["scores"]
    assert {"warping_error", "l1"} <= {score["name"] for score in scores}


def test_killed_it_ends_with_the_same_bits(home):
    flags = (*FIT, *CLIPS, "--run", "cut")
    killed("fit", *flags, moment="runs/cut/checkpoints/step-15.index", folder=home)
    call("fit", *flags, folder=home)
    assert_same_weights(home / "runs/whole", home / "runs/cut")


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("translate", ("--labels", ".", "--frames", ".", "--output", "painted")),
        ("export", ("--output", "saved")),
        ("export", ("--tflite", "fp32", "--output", "saved")),
    ],
)
def test_what_paints_single_scenes_says_that_it_does_not(home, command, flags):
    _, err = call(command, "--run", "whole", *flags, folder=home, code=2)
    assert re.search("generator.kind=sequential", err)
    assert not (home / flags[-1]).exists()


def test_too_short_drives_are_a_line(home):
    short = [*CLIPS, "minicity.frames=2"]
    data = ("--data", "datasets/short")
    _, err = call("fit", *FIT, *short, *data, "--run", "short", folder=home, code=2)
    assert "trains on 4 consecutive frames" in err
