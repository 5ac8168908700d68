import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import TABLES
from sflowgan_tf.translation import Translation, pair_up


def picture(file):
    """(array, texts) of a PNG."""
    with Image.open(file) as image:
        return np.asarray(image), image.text


class Echo:
    """A translator whose picture is its label index, plus 100 times the side output's number."""

    def laplacian(self, image):
        return tf.zeros_like(tf.cast(image[..., :1], tf.float32))

    def redraw(self, edges, weights):
        return edges + tf.reduce_sum(weights[0] * tf.range(6.0)) / 5

    def paint(self, labels, edges):
        grey = labels[..., None] + tf.cast(edges * 100, tf.uint8)
        return tf.repeat(grey, 3, axis=-1)


@pytest.fixture
def folders(tmp_path):
    for name in ("labels", "frames"):
        (tmp_path / name / "night").mkdir(parents=True)
    for name in ("a", "night/b"):
        cv2.imwrite(str(tmp_path / f"labels/{name}.png"), np.full((8, 16), 7, np.uint8))
        cv2.imwrite(str(tmp_path / f"frames/{name}.jpg"), np.full((8, 16, 3), 99, np.uint8))
    return tmp_path


def make(folders, **more):
    settings = {
        "output": folders / "out",
        "size": (16, 8),
        "table": TABLES["cityscapes"],
        "variations": 1,
        "seed": 0,
        "redraw": True,
        "origin": {"run": "r", "step": "3"},
    }
    return Translation(Echo(), **(settings | more))


def test_scenes_are_paired_by_name_below_their_folders(folders):
    scenes = pair_up(folders / "labels", folders / "frames")
    assert [scene.name for scene in scenes] == ["a", "night/b"]
    assert scenes[1].labels == folders / "labels/night/b.png"


def test_cityscapes_names_differ_by_what_they_append(tmp_path):
    for kind in ("gtFine_labelIds", "leftImg8bit"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"aachen_000000_000019_{kind}.png").touch()
    (tmp_path / "gtFine_labelIds/aachen_000000_000019_gtFine_color.png").touch()
    (scene,) = pair_up(tmp_path / "gtFine_labelIds", tmp_path / "leftImg8bit")
    assert scene.name == "aachen_000000_000019_leftImg8bit"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("frames/a.jpg", r"labels/a\.png: no frame of that name"),
        ("labels/a.png", r"frames/a\.jpg: no label map of that name"),
    ],
)
def test_a_scene_that_lacks_a_half_is_named(folders, missing, said):
    (folders / missing).unlink()
    with pytest.raises(UserError, match=said):
        pair_up(folders / "labels", folders / "frames")


def test_folders_that_are_missing_or_empty_are_named(folders):
    with pytest.raises(UserError, match=r"--labels .*nowhere: no such folder"):
        pair_up(folders / "nowhere", folders / "frames")
    (folders / "empty").mkdir()
    with pytest.raises(UserError, match=r"--frames .*empty: no pictures"):
        pair_up(folders / "labels", folders / "empty")


def test_two_files_of_a_name_are_an_error(folders):
    (folders / "frames/a.png").touch()
    with pytest.raises(UserError, match="expected one file of a name"):
        pair_up(folders / "labels", folders / "frames")


def test_pictures_have_the_frames_names_and_say_how_they_were_made(folders):
    translation = make(folders)
    translation.run(pair_up(folders / "labels", folders / "frames"))
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
    translation = make(folders, redraw=False)
    translation.run(pair_up(folders / "labels", folders / "frames"))
    painted, texts = picture(folders / "out/a.png")
    assert painted.max() == 0
    assert texts["edges"] == "laplacian"
    assert "ensemble_weights" not in texts


def test_variations_have_a_folder_each(folders):
    translation = make(folders, variations=3)
    translation.run(pair_up(folders / "labels", folders / "frames"))
    pictures = [picture(folders / f"out/variation-{n}/a.png")[0] for n in (1, 2, 3)]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


def test_another_size_is_resized_to(folders):
    translation = make(folders, size=(8, 4))
    translation.run(pair_up(folders / "labels", folders / "frames"))
    assert picture(folders / "out/a.png")[0].shape == (4, 8, 3)


def test_every_label_map_is_checked_before_the_first_picture(folders):
    cv2.imwrite(str(folders / "labels/night/b.png"), np.full((8, 16), 77, np.uint8))
    with pytest.raises(UserError, match=r"night/b\.png.* 77 "):
        make(folders).check(pair_up(folders / "labels", folders / "frames"))


def test_sizes_that_differ_are_named_before_anything_is_painted(folders):
    cv2.imwrite(str(folders / "frames/a.jpg"), np.zeros((4, 16, 3), np.uint8))
    with pytest.raises(UserError, match=r"a\.png is 16x8, but .*a\.jpg is 16x4"):
        make(folders).check(pair_up(folders / "labels", folders / "frames"))
