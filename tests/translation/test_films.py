import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from sflowgan_tf.data.media.scenes import pair_up
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.palette import ClassColors, Palette
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation.appearance import AppearanceChoice
from sflowgan_tf.translation.films import Films
from sflowgan_tf.translation.history import History
from sflowgan_tf.translation.painting import Painter
from sflowgan_tf.utils.errors import Failure, UserError
from tests import places
from tests.disks import disk_with_room_for
from tests.translation.echo import model_of

FRAMES = 7
FARNEBACK = Farneback()


class Echo:
    """An engine whose picture is the frame's number, plus 100 times the side output's number.

    Frames hold ten times their number; label index 0 takes nothing away.
    """

    painted = 0
    redraws = True

    def translate(self, labels, frame, weights, recoloring=None):
        Echo.painted += 1
        added = 0 if weights is None else 20 * np.dot(weights, np.arange(6))
        return (frame + labels[..., None] + added).astype(np.uint8)


class Breaks(Echo):
    """An Echo that is interrupted at its fifth frame."""

    def translate(self, labels, frame, weights, recoloring=None):
        if frame[0, 0, 0] == 40:
            raise KeyboardInterrupt
        return super().translate(labels, frame, weights)


@pytest.fixture
def root(tmp_path):
    for kind in ("labels", "frames"):
        (tmp_path / kind).mkdir()
    for n in range(FRAMES):
        cv2.imwrite(str(tmp_path / f"labels/{n}.png"), np.full((16, 32), 7, np.uint8))
        cv2.imwrite(str(tmp_path / f"frames/{n}.png"), np.full((16, 32, 3), 10 * n, np.uint8))
    (tmp_path / "model").touch()
    return tmp_path


ORIGIN = {"run": "r", "step": "3"}


def make(
    root,
    engine=None,
    *,
    file="out/film.mp4",
    side_by_side=False,
    fps=10,
    past=0,
    origin=ORIGIN,
    palette=None,
    **options,
):
    """The films, made."""
    settings = {
        "size": (32, 16),
        "table": TABLES["cityscapes"],
        "variations": 1,
        "seed": 0,
        "redraw": True,
    }
    files = [root / "model"]
    model = model_of(engine or Echo(), origin=origin, files=files, palette=palette)
    films = Films(
        Painter(model, **(settings | options)),
        file=root / file,
        fps=Fraction(fps),
        side_by_side=side_by_side,
        piece=2,
        history=History(past, FARNEBACK),
    )
    scenes = pair_up(root / "labels", root / "frames", in_order=True)
    assert films.make(scenes) == FRAMES
    return films


def decode(file):
    with av.open(str(file)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode()], dict(container.metadata)


def test_a_film_has_the_frames_in_order_and_says_how_it_was_made(root):
    films = make(root)
    frames, texts = decode(root / "out/film.mp4")
    middles = [frame[8, 16, 0] for frame in frames]
    np.testing.assert_allclose(middles, 50 + 10 * np.arange(FRAMES), atol=2)
    assert texts.items() >= {"run": "r", "step": "3", "seed": "0", "edges": "dned"}.items()
    assert texts["ensemble_weights"] == " ".join(["0.166666672"] * 6)
    assert list((root / "out").iterdir()) == films.files, "the pieces are still there"
    assert films.size == (32, 16)


def test_side_by_side_shows_frame_labels_and_result(root):
    films = make(root, side_by_side=True)
    frames, _ = decode(root / "out/film.mp4")
    assert films.size == (96, 16)
    frame, labels, result = (frames[3][8, x].astype(int) for x in (16, 48, 80))
    np.testing.assert_allclose(frame, 30, atol=2)
    np.testing.assert_allclose(labels, (128, 64, 128), atol=4)  # road
    np.testing.assert_allclose(result, 80, atol=2)


def test_variations_are_films_of_one_set_of_weights_each(root):
    films = make(root, variations=2, seed=4)
    assert [file.name for file in films.files] == ["film-1.mp4", "film-2.mp4"]
    (first, texts), (second, other) = (decode(file) for file in films.files)
    assert texts["ensemble_weights"] != other["ensemble_weights"]
    added = 20 * np.dot([float(w) for w in other["ensemble_weights"].split()], range(6))
    assert first[0][8, 16, 0] == pytest.approx(50, abs=2)
    assert [f[8, 16, 0] for f in second] == pytest.approx(
        [added + 10 * n for n in range(FRAMES)], abs=3
    )


def test_laplacian_edges_go_as_they_are(root):
    make(root, redraw=False)
    frames, texts = decode(root / "out/film.mp4")
    assert frames[5][8, 16, 0] == pytest.approx(50, abs=2)
    assert texts["edges"] == "laplacian"


def test_the_past_steadies_a_film(root):
    """Frames brighten by 10 levels: exp(-200 * 3 (10 / 255)^2) of the past is trusted."""
    make(root, past=0.5)
    frames, _ = decode(root / "out/film.mp4")
    share, expected = 0.5 * np.exp(-600 * (10 / 255) ** 2), [50.0]
    for number in range(1, FRAMES):
        expected.append((1 - share) * (50 + 10 * number) + share * expected[-1])
    np.testing.assert_allclose([frame[8, 16, 0] for frame in frames], expected, atol=2)


@pytest.mark.parametrize("past", [0, 0.5])
def test_interrupted_and_taken_up_again_it_has_the_same_bytes(root, past):
    make(root, file="whole/film.mp4", variations=2, past=past)
    with pytest.raises(KeyboardInterrupt):
        make(root, Breaks(), variations=2, past=past)
    assert [file.name for file in (root / "out").iterdir()] == [".film.mp4.pieces"]
    Echo.painted = 0
    make(root, variations=2, past=past)
    assert Echo.painted == 2 * 3, "frames 4 to 6 were missing"
    for name in ("film-1.mp4", "film-2.mp4"):
        assert (root / "out" / name).read_bytes() == (root / "whole" / name).read_bytes()


GRAY = ClassColors(mean=np.full((20, 3), 90, np.float32), spread=np.full((20, 3), 8, np.float32))
PALETTE = Palette(real=GRAY, simulator=None, clusters=GRAY.mean[None], frames=GRAY.mean[None])


class Recolors(Echo):
    """An engine whose picture is the frame in other colours; it keeps the recolourings."""

    def __init__(self, breaks=False):
        self.breaks, self.asked = breaks, []

    def translate(self, labels, frame, weights, recoloring=None):
        if self.breaks and frame[0, 0, 0] == 40:
            raise KeyboardInterrupt
        self.asked.append(recoloring)
        return np.rint(frame * recoloring.scale[0] + recoloring.shift[0]).astype(np.uint8)


def test_one_recolouring_holds_for_a_whole_film_and_after_an_interruption(root):
    """Frames of 0 to 60 levels, a mean of 30 and a spread of 20, which become 90 and 8."""
    whole, first, rest = Recolors(), Recolors(breaks=True), Recolors()
    options = {"palette": PALETTE, "appearance": AppearanceChoice.parse("given")}
    make(root, whole, file="whole/film.mp4", **options)
    frames, texts = decode(root / "whole/film.mp4")
    assert texts["appearance"] == "given"
    np.testing.assert_allclose([f[8, 16, 0] for f in frames], 78 + 4 * np.arange(7), atol=2)
    with pytest.raises(KeyboardInterrupt):
        make(root, first, **options)
    make(root, rest, **options)
    assert len(rest.asked) == 3
    assert (root / "out/film.mp4").read_bytes() == (root / "whole/film.mp4").read_bytes()
    for recoloring in (*whole.asked, *first.asked, *rest.asked):
        np.testing.assert_array_equal(recoloring.scale, whole.asked[0].scale)
        np.testing.assert_array_equal(recoloring.shift, whole.asked[0].shift)


@pytest.mark.parametrize(
    ("text", "said"), [("cluster:0", "versions"), ("like:like.png", "versions"), (None, "appear")]
)
def test_another_choice_of_colours_takes_up_nothing(root, text, said, capsys, monkeypatch):
    monkeypatch.chdir(root)
    cv2.imwrite("like.png", np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    begun = "given" if text else "like:like.png"
    with pytest.raises(KeyboardInterrupt):
        make(root, Recolors(breaks=True), palette=PALETTE, appearance=AppearanceChoice.parse(begun))
    os.utime("like.png", (1, 1))
    again = Recolors()
    make(root, again, palette=PALETTE, appearance=AppearanceChoice.parse(text or begun))
    assert len(again.asked) == FRAMES
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"fps": 20}, "another rate:"),
        ({"side_by_side": True}, "another arrangement:"),
        ({"past": 0.5}, "another weight of the past:"),
        ({"size": (64, 32)}, "another size:"),
        ({"origin": {"run": "r", "step": "4"}}, "another step, versions:"),
        ({"seed": 1}, "another seed, versions:"),
    ],
)
def test_another_command_takes_up_nothing(root, other, said, capsys):
    with pytest.raises(KeyboardInterrupt):
        make(root, Breaks())
    Echo.painted = 0
    make(root, **other)
    assert Echo.painted == FRAMES
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "said"), [("frames/2.png", "another frames:"), ("model", "another checkpoint:")]
)
def test_other_files_take_up_nothing(root, file, said, capsys):
    with pytest.raises(KeyboardInterrupt):
        make(root, Breaks())
    os.utime(root / file, (1, 1))
    Echo.painted = 0
    make(root)
    assert Echo.painted == FRAMES
    assert said in capsys.readouterr().out


def test_a_wrong_scene_stops_it_before_anything_is_painted(root):
    cv2.imwrite(str(root / "labels/6.png"), np.full((16, 32), 77, np.uint8))
    with pytest.raises(UserError, match=r"labels/6\.png.* 77 "):
        make(root)
    assert not (root / "out").exists()


def test_a_film_never_overwrites_what_it_is_made_of(root):
    with av.open(str(root / "film-2.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        container.mux(stream.encode(av.VideoFrame(32, 16, "yuv420p")))
        container.mux(stream.encode())
    painter = Painter(
        model_of(Echo()),
        size=(32, 16),
        table=TABLES["cityscapes"],
        variations=2,
        seed=0,
        redraw=True,
    )
    scenes = pair_up(root / "labels", root / "film-2.mp4", in_order=True)
    films = Films(
        painter,
        file=root / "film.mp4",
        fps=Fraction(10),
        side_by_side=False,
        piece=2,
        history=History(0, FARNEBACK),
    )
    with pytest.raises(UserError, match=r"film-2\.mp4: would overwrite the scenes"):
        films.make(scenes)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.translation.test_films import Echo, make

class Dies(Echo):
    def translate(self, labels, frame, weights, recoloring=None):
        if frame[0, 0, 0] == 50:  # in the middle of the third piece
            os.kill(os.getpid(), signal.SIGKILL)
        return super().translate(labels, frame, weights)

make(Path(sys.argv[1]), Dies())
"""


def test_killed_it_leaves_no_film_and_goes_on_with_the_same_bytes(root):
    make(root, file="whole/film.mp4")
    done = subprocess.run([sys.executable, "-c", KILLED, str(root)], cwd=places.ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (root / "out/film.mp4").exists()
    shutil.copytree(root / "out", root / "other")
    Echo.painted = 0
    make(root)
    assert Echo.painted == 3
    assert (root / "out/film.mp4").read_bytes() == (root / "whole/film.mp4").read_bytes()
    assert [file.name for file in (root / "out").iterdir()] == ["film.mp4"], "nothing is left"
    make(root, file="other/film.mp4", fps=20)
    left = [file.name for file in (root / "other").iterdir()]
    assert left == ["film.mp4"], "what the kill left stays beside another film of that name"


@pytest.mark.parametrize("content", [None, b"", b"PK nonsense"])
def test_a_lost_or_damaged_history_costs_a_piece(root, content):
    make(root, file="whole/film.mp4", past=0.5)
    with pytest.raises(KeyboardInterrupt):
        make(root, Breaks(), past=0.5)
    file = root / "out/.film.mp4.pieces/000001.npz"
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(Failure, match=r"000001\.npz: is damaged and was deleted "):
        make(root, past=0.5)
    make(root, past=0.5)
    assert (root / "out/film.mp4").read_bytes() == (root / "whole/film.mp4").read_bytes()


@pytest.mark.parametrize("content", ["", "[]", '{"frames": 7}'])
def test_a_damaged_plan_is_none(root, content):
    with pytest.raises(KeyboardInterrupt):
        make(root, Breaks())
    (root / "out/.film.mp4.pieces/plan.json").write_text(content)
    Echo.painted = 0
    make(root)
    assert Echo.painted == FRAMES


def test_one_command_at_a_time_makes_a_film(root):
    class Meets(Echo):
        """Starts the same film once more while it is being made."""

        def translate(self, labels, frame, weights, recoloring=None):
            with pytest.raises(UserError, match=r"another command is at work .*--output"):
                make(root)
            return super().translate(labels, frame, weights)

    make(root, Meets())
    frames, _ = decode(root / "out/film.mp4")
    assert len(frames) == FRAMES


@pytest.mark.parametrize("past", [0, 0.5])
def test_a_full_disk_is_a_sentence_and_the_same_command_goes_on(root, past):
    for file in (root / "frames").iterdir():
        noise = np.random.default_rng(0).integers(0, 256, (16, 32, 3), np.uint8)
        cv2.imwrite(str(file), noise)
    make(root, file="whole/film.mp4", past=past)
    smallest = (root / "whole/film.mp4").stat().st_size // 2
    with disk_with_room_for(smallest), pytest.raises((Failure, OSError)) as caught:
        make(root, past=past)
    assert str(root / "out") in str(caught.value)
    assert not (root / "out/film.mp4").exists()
    make(root, past=past)
    assert (root / "out/film.mp4").read_bytes() == (root / "whole/film.mp4").read_bytes()
    assert [file.name for file in (root / "out").iterdir()] == ["film.mp4"]
