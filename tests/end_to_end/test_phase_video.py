"""A phase video that starts from another run, and is killed."""

import shutil

import pytest
from PIL import Image

from tests.end_to_end.commands import FIT, assert_same_weights, call, killed, latest_step

FILM = ["phases.edges=0", "phases.dned=0", "phases.video=2", "losses.flow_where_consistent=true"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with records and one short run in it, and one of phase video that started there."""
    folder = tmp_path_factory.mktemp("home")
    call("fit", *FIT, "--run", "whole", "phases.dned=0", folder=folder)
    call("fit", *FIT, "--run", "filmed", "--from", "whole", *FILM, folder=folder)
    return folder


def test_it_starts_from_another_run_and_shows_what_it_does(home):
    samples = home / "runs/filmed/samples"
    assert sorted(path.name for path in samples.glob("f*")) == [
        "film-0001.gif",
        "film-0002.gif",
        "flow-0001.png",
        "flow-0002.png",
    ]
    with Image.open(samples / "film-0002.gif") as film:
        assert (film.n_frames, film.size) == (4, (3 * 64, 32))
    assert latest_step(home / "runs/filmed") == 12  # two epochs of two sequences of three pairs
    assert "start_run: whole" in (home / "runs/filmed/config.yaml").read_text()


def test_killed_it_ends_with_the_same_bits_even_if_its_start_is_gone(home):
    flags = (*FIT, "--run", "cut", "--from", "whole", *FILM)
    killed("fit", *flags, moment="runs/cut/checkpoints/step-3.index", folder=home)
    shutil.rmtree(home / "runs/whole")
    call("fit", *flags, folder=home)
    assert_same_weights(home / "runs/filmed", home / "runs/cut")
