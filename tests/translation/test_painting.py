import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.data.media.scenes import pair_up
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.palette import ClassColors, Palette
from sflowgan_tf.translation.appearance import AppearanceChoice
from sflowgan_tf.translation.painting import Painter, Pictures
from sflowgan_tf.utils.errors import Failure, UserError
from tests.translation.echo import model_of


def picture(file):
    """(array, texts) of a PNG."""
    with Image.open(file) as image:
        return np.asarray(image), image.text


class Echo:
    """An engine whose picture is its label index, plus 100 times the side output's number."""

    redraws = True

    def translate(self, labels, frame, weights, recoloring=None):
        added = 0 if weights is None else 20 * np.dot(weights, np.arange(6))
        return np.repeat((labels + added).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.fixture
def folders(tmp_path):
    for name in ("labels", "frames"):
        (tmp_path / name / "night").mkdir(parents=True)
    for name in ("a", "night/b"):
        cv2.imwrite(str(tmp_path / f"labels/{name}.png"), np.full((8, 16), 7, np.uint8))
        cv2.imwrite(str(tmp_path / f"frames/{name}.jpg"), np.full((8, 16, 3), 99, np.uint8))
    return tmp_path


class Full(Echo):
    """An engine without memory."""

    def translate(self, labels, frame, weights, recoloring=None):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating [[{{node a}}]]")


def make(folders, model=None, **options):
    settings = {
        "size": (16, 8),
        "table": TABLES["cityscapes"],
        "variations": 1,
        "seed": 0,
        "redraw": True,
    }
    painter = Painter(model or model_of(Echo()), **(settings | options))
    pictures = Pictures(painter, folders / "out")
    return pictures.make(pair_up(folders / "labels", folders / "frames", in_order=False))


def test_pictures_have_the_frames_names_and_say_how_they_were_made(folders):
    make(folders)
    painted, texts = picture(folders / "out/night/b.png")
    assert painted[0, 0].tolist() == [50, 50, 50]  # labelId 7 is index 0; equal weights: the middle
    assert texts == {
        "run": "r",
        "step": "3",
        "seed": "0",
        "edges": "dned",
        "ensemble_weights": " ".join(["0.166666672"] * 6),
    }
    assert sorted(p.name for p in (folders / "out").iterdir()) == [
        "a.png",
        "contact-sheet.png",
        "night",
    ]


def test_laplacian_edges_go_as_they_are(folders):
    make(folders, redraw=False)
    painted, texts = picture(folders / "out/a.png")
    assert painted.max() == 0
    assert texts["edges"] == "laplacian"
    assert "ensemble_weights" not in texts


def test_variations_have_a_folder_each(folders):
    assert make(folders, variations=3) == 6
    pictures = [picture(folders / f"out/variation-{n}/a.png")[0] for n in (1, 2, 3)]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


def test_another_size_is_resized_to(folders):
    make(folders, size=(8, 4))
    assert picture(folders / "out/a.png")[0].shape == (4, 8, 3)


def test_a_picture_too_large_for_the_memory_is_a_sentence(folders):
    with pytest.raises(Failure, match="^not enough memory to paint 16x8; choose a smaller --size$"):
        make(folders, model_of(Full()))


def test_every_scene_is_checked_before_the_first_picture(folders):
    cv2.imwrite(str(folders / "labels/night/b.png"), np.full((8, 16), 77, np.uint8))
    with pytest.raises(UserError, match=r"night/b\.png.* 77 "):
        make(folders)
    assert not (folders / "out").exists()


def gray(level):
    mean = np.full((20, 3), level, np.float32)
    return ClassColors(mean=mean, spread=np.full_like(mean, 8))


GRAYS = np.stack([gray(40).mean, gray(80).mean])
PALETTE = Palette(real=gray(60), simulator=None, clusters=GRAYS, frames=GRAYS)


class Recolors:
    """An engine whose picture is the frame, recoloured as the first class is."""

    redraws = False

    def translate(self, labels, frame, weights, recoloring=None):
        return np.rint(frame * recoloring.scale[0] + recoloring.shift[0]).astype(np.uint8)


def colored(folders, text, **options):
    appearance = None if text is None else AppearanceChoice.parse(text)
    model = model_of(Recolors(), palette=PALETTE)
    return make(folders, model=model, appearance=appearance, **options)


@pytest.mark.parametrize(
    ("text", "said", "level"),
    [(None, "given", 60), ("given", "given", 60), ("cluster:1", "cluster:1", 80)],
)
def test_all_scenes_have_the_colours_of_one_choice(folders, text, said, level):
    cv2.imwrite(str(folders / "frames/night/b.jpg"), np.full((8, 16, 3), 119, np.uint8))
    colored(folders, text)
    for name, expected in (("a", level - 8), ("night/b", level + 8)):  # 10 from the mean, times 0.8
        painted, texts = picture(folders / f"out/{name}.png")
        assert painted.min() == painted.max() == expected
        assert (texts["appearance"], "appearance_seed" in texts) == (said, False)


def test_drawn_colours_make_versions_without_a_dned(folders):
    assert colored(folders, "random", variations=6, seed=3) == 12
    levels = set()
    for version in range(6):
        painted, texts = picture(folders / f"out/variation-{version + 1}/a.png")
        assert (texts["appearance"], texts["appearance_seed"]) == ("random", str(3 + version))
        levels.add(painted[0, 0, 0])
    assert levels == {44, 76}, "four fifths of the way from 60"
    colored(folders, "random", seed=5)
    alone, _ = picture(folders / "out/a.png")
    np.testing.assert_array_equal(alone, picture(folders / "out/variation-3/a.png")[0])


def test_a_model_that_sees_no_colours_has_no_choice(folders):
    with pytest.raises(UserError, match="--appearance cluster:0: this model sees no colours"):
        make(folders, appearance=AppearanceChoice.parse("cluster:0"))
