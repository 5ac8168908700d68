"""segment label: what a segmenter that is known makes of frames that are known."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf import segment
from sflowgan_tf.data.sources import folder
from sflowgan_tf.ops.classes import VOID

CLASSES = """
classes:
  - {id: 4, name: dark, color: [1, 2, 3]}
  - {id: 7, name: bright, color: [200, 210, 220]}
"""
# Levels, and what the segmenter below makes of them where it has to be sure of 60 %.
LEVELS = np.array([[0, 51, 120], [140, 204, 255]], np.uint8)
LABELS = np.array([[0, 0, VOID], [VOID, 1, 1]], np.uint8)
CONFIDENCE = np.mean([1, 0.8, 135 / 255, 140 / 255, 0.8, 1])


def frame(levels):
    """Each pixel four times as wide and high, so that nothing is lost in a video's chroma."""
    return np.repeat(np.kron(levels, np.ones((4, 4), np.uint8))[..., None], 3, axis=-1)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two frames and a segmenter, to which a level of 255 is bright for sure."""
    monkeypatch.chdir(tmp_path)
    Path("frames/a").mkdir(parents=True)
    Image.fromarray(frame(LEVELS)).save("frames/a/f_000001.png")
    Image.fromarray(frame(255 - LEVELS)).save("frames/a/f_000002.png")
    Path("classes.yaml").write_text(CLASSES)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
    def shares(frames):
        bright = tf.cast(frames[..., :1], tf.float32) / 255
        return {"shares": tf.concat([1 - bright, bright], axis=-1)}

    model = tf.Module()
    tf.saved_model.save(model, "judge", signatures={"serving_default": shares})
    return tmp_path


def label(*more, images="frames", code=0):
    flags = ["--segmenter", "judge", "--images", images, "--output", "out", "--threshold", "0.6"]
    assert segment.main(["label", *flags, *more]) == code


def labels(name):
    return np.array(Image.open(f"out/labels/{name}.png"))


def stamps():
    return {file: file.stat().st_mtime_ns for file in Path("out/labels").rglob("*.png")}


def test_a_tree_that_prepare_reads(here, capsys):
    label("--classes", "classes.yaml")
    np.testing.assert_array_equal(labels("a/f_000001")[::4, ::4], LABELS)
    expected = np.where(LABELS == VOID, VOID, 1 - LABELS)
    np.testing.assert_array_equal(labels("a/f_000002")[::4, ::4], expected)
    with open("out/confidence.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["name"] for row in rows] == ["a/f_000001", "a/f_000002"]
    for row in rows:
        assert np.isclose(float(row["confidence"]), CONFIDENCE, atol=1e-4)
        assert np.isclose(float(row["void"]), 2 / 6, atol=1e-4)
    found = folder.find(Path("out"), "own")
    assert found.table.names == ("dark", "bright")
    assert found.table.colors == ((1, 2, 3), (200, 210, 220))
    np.testing.assert_array_equal(found.table.encode(labels("a/f_000001"))[::4, ::4], LABELS)
    assert [frame.number for frame in found.frames] == [1, 2]
    for read in found.frames:
        original = Path("frames") / read.image_real.relative_to("out/images")
        assert read.image_real.read_bytes() == original.read_bytes()
    sheet = np.array(Image.open("out/contact-sheet.png"))
    assert sheet.shape[0] > 2 * 8 and sheet.shape[1] > 3 * 12
    assert "33.3% void" in capsys.readouterr().out


def test_what_is_labelled_stays_until_something_else_is_wanted(here):
    label("--classes", "classes.yaml")
    first = stamps()
    label("--classes", "classes.yaml")
    assert stamps() == first
    Image.fromarray(frame(LEVELS // 2)).save("frames/a/f_000002.png")
    label("--classes", "classes.yaml")
    again = stamps()
    changed = {file.stem for file in first if first[file] != again[file]}
    assert changed == {"f_000002"}
    np.testing.assert_array_equal(
        np.array(Image.open("out/images/a/f_000002.png")), frame(LEVELS // 2)
    )
    label("--classes", "classes.yaml", "--threshold", "0.5")
    assert all(again[file] != stamp for file, stamp in stamps().items())
    assert (labels("a/f_000001") != VOID).all()


def test_what_others_have_made_is_kept(here, capsys):
    Path("out/labels/a").mkdir(parents=True)
    Image.fromarray(LABELS).save("out/labels/a/f_000002.png")
    label("--classes", "classes.yaml", code=2)
    assert "a/f_000002.png: is no label map of this command" in capsys.readouterr().err
    np.testing.assert_array_equal(labels("a/f_000002"), LABELS)
    Path("out/folder.yaml").write_text(CLASSES)
    label("--classes", "classes.yaml", code=2)
    assert "folder.yaml: describes something else" in capsys.readouterr().err
    assert Path("out/folder.yaml").read_text() == CLASSES


def test_a_video_brings_its_frames_along(here):
    with av.open("film.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 12, 8, "bgr0"
        for levels in (LEVELS, 255 - LEVELS):
            picture = av.VideoFrame.from_ndarray(frame(levels), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    label("--classes", "classes.yaml", images="film.mkv")
    np.testing.assert_array_equal(labels("000000")[::4, ::4], LABELS)
    np.testing.assert_array_equal(np.array(Image.open("out/images/000000.png")), frame(LEVELS))
    assert len(folder.find(Path("out"), "own").frames) == 2


def test_it_sees_frames_at_a_size_of_its_own(here):
    label("--classes", "classes.yaml", "--size", "3x2")
    assert labels("a/f_000001").shape == (8, 12)
    np.testing.assert_array_equal(labels("a/f_000001")[::7, ::11], LABELS[::1, ::2])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "--classes: which classes the outputs of judge are"),
        (("--classes", "no"), "--classes no: is neither a class table"),
        (("--classes", "cityscapes"), "expected 19 logits a pixel"),
        (
            ("--classes", "classes.yaml", "--images", "nowhere"),
            "nowhere: no such folder, picture",
        ),
        (("--classes", "classes.yaml", "--output", "frames"), "--output frames: lies in --images"),
        (("--classes", "classes.yaml", "--output", "frames/b"), "frames/b: lies in --images"),
        (("--classes", "classes.yaml", "--size", "big"), "--size"),
    ],
)
def test_mistakes_are_sentences(here, capsys, flags, said):
    label(*flags, code=2)
    assert said in capsys.readouterr().err
    assert not stamps()
    label("--classes", "classes.yaml")  # nothing is in the way of the right one
