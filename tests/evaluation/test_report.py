"""The page that is made of an evaluation, as text and in headless Chromium."""

import base64
import dataclasses
import io
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sflowgan_tf.evaluation import report
from sflowgan_tf.evaluation.result import ClassScore, Picture, Result, Score
from sflowgan_tf.utils.errors import UserError
from tests import places

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def score(group, name, value, of="generated", **changes):
    defaults = {"low": value / 2, "high": value * 2, "unit": "", "better": "higher", "n": 24}
    return Score(
        group=group, name=name, of=of, value=value, counted="frames", **(defaults | changes)
    )


FID = {"network": "segmenter's own features (mean)", "spread": 0.123456}
RESULT = Result(
    subject={"run": "<streets> & co", "step": 1944, "edges": "dned", "history": 0.7},
    reference={
        "dataset": "minicity",
        "split": "validation",
        "size": "64x32",
        "frames": 24,
        "clips": 4,
    },
    provenance={
        "date": "2026-11-25T10:00:00+00:00",
        "command": "evaluate",
        "commit": "",
        "evaluation seed": 0,
    },
    scores=[
        score("segmentation", "mean_iou", 0.612, detail={"void": "ignored"}),
        score("segmentation", "mean_iou", 0.587, detail={"void": "counted as wrong"}),
        score("segmentation", "mean_iou", 0.75, "real", detail={"void": "ignored"}),
        score("distribution", "fid", 12.3, better="lower", detail=FID),
        score("distribution", "fid", 9.1, "simulator", detail=FID | {"spread": 0.5}),
        score("temporal", "warping_error", 0.0391, low=None, high=None, unit="of the range"),
    ],
    classes=[
        ClassScore(
            name="road",
            color=[128, 64, 128],
            pixels=12345,
            iou={"generated": 0.93, "simulator": 0.95, "real": 0.97},
        ),
        ClassScore(name="fence", color=[1, 2, 3], pixels=0, iou={"generated": None, "real": None}),
    ],
    warnings=["FID: 24 samples, fewer than 2048."],
    pictures=[
        Picture(file="samples.png", title="Samples", caption="Evenly spaced."),
        Picture(file="film.mp4", title="Film", caption="A drive."),
    ],
)


@pytest.fixture
def folder(tmp_path):
    """An evaluation with its picture and film, and the curves of its run."""
    RESULT.save(tmp_path)
    wide = np.zeros((20, 3200, 3), np.uint8)
    wide[:, 1600:] = (200, 100, 50)
    Image.fromarray(wide).save(tmp_path / "samples.png")
    (tmp_path / "film.mp4").write_bytes(b"a film")
    writer = tf.summary.create_file_writer(str(tmp_path / "logs"))
    with writer.as_default():
        for step in range(0, 1000, 10):
            tf.summary.scalar("losses/dned_loss", 1 - step / 1000, step=step)
            tf.summary.scalar("images_per_second", 9.0, step=step)
        tf.summary.scalar("losses/lonely_loss", 1.0, step=1)
    writer.close()
    return tmp_path


def text_of(folder, logs="logs"):
    return report.write(folder, folder / logs if logs else None).read_text()


def test_the_figures_stand_in_their_rows(folder):
    page = text_of(folder)
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', page, re.DOTALL)
    assert len(rows) == 4
    assert "61.2%" in rows[0] and "30.6% to 122.4%" in rows[0] and "75.0%" in rows[0]
    assert "void ignored" in rows[0] and "24 frames" in rows[0]
    assert "58.7%" in rows[1] and "75.0%" not in rows[1], "of another protocol"
    assert "spread 0.123 / 0.5;" in rows[2] or "spread 0.123 / 0.5<" in rows[2]
    assert "0.0391" in rows[3] and " to " not in rows[3] and "of the range" in rows[3]
    assert "↑" in rows[0] and "↓" in rows[2]
    titles = ["Score", "Result", "Simulator", "Real"]
    assert re.findall(r'<th scope="col">(.*?)</th>', page) == titles
    assert "from the DNED&#39;s edges, steadied with history 0.7," in " ".join(page.split())


def test_headlines_say_what_they_compare_with(folder):
    heads = re.findall(r"<li>(.*?) <b>(.*?)</b> <small>(.*?)</small>", text_of(folder))
    assert heads == [
        ("Mean IoU", "61.2%", "real 75.0%"),
        ("FID", "12.3", "simulator 9.1, segmenter&#39;s own features"),
        ("Warping error", "0.0391", ""),
    ]


def test_names_are_escaped(folder):
    page = text_of(folder)
    assert "&lt;streets&gt; &amp; co" in page and "<streets>" not in page


def test_classes_have_bars(folder):
    page = text_of(folder)
    assert "--share: 0.9300" in page and "93.0 %" in page and "97.0 %" in page
    assert "12,345 pixels" in page
    assert page.count("not there") == 2


def test_pictures_are_inside_and_not_wider_than_shown(folder):
    page = text_of(folder)
    (coded,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    with Image.open(io.BytesIO(base64.b64decode(coded))) as picture:
        assert picture.size == (1600, 10)
    (film,) = re.findall(r"data:video/mp4;base64,([^\"]+)", page)
    assert base64.b64decode(film) == b"a film"


def test_nothing_is_fetched(folder):
    page = text_of(folder)
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "http" not in page.replace("http-equiv", "") and "@import" not in page


def test_losses_become_curves(folder):
    page = text_of(folder)
    (path,) = re.findall(r'<path d="M([^"]+)"', page)
    points = [tuple(map(float, point.split(","))) for point in path.split("L")]
    assert points[0] == (0, 0) and points[-1] == (240, 80), "falls from left to right"
    assert len(points) == 100
    assert "dned loss" in page and "lonely" not in page and "images per second" not in page
    assert "<h2>Training</h2>" not in text_of(folder, logs=None)
    assert "<h2>Training</h2>" not in text_of(folder, logs="nowhere")


def test_an_evaluation_of_pictures_alone(folder):
    bare = dataclasses.replace(
        RESULT, subject={"images": "painted"}, scores=[], classes=[], warnings=[], pictures=[]
    )
    bare.save(folder)
    page = text_of(folder, logs=None)
    assert "<h1>painted</h1>" in page and "Pictures of a folder" in page
    assert "<table>" not in page and 'class="bars"' not in page and 'class="notes"' not in page


def test_without_an_evaluation(tmp_path):
    with pytest.raises(UserError, match="there is no evaluation here"):
        report.write(tmp_path, None)


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome installed")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_it_without_scrolling_sideways(folder, width):
    page = text_of(folder)
    page = page.replace(
        "</body>",
        "<script>document.title = [innerWidth, document.documentElement.scrollWidth,"
        " document.querySelector('img').naturalWidth].join()</script></body>",
    )
    (folder / "report.html").write_text(page)
    browser = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},900",
            "--dump-dom",
            (folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
    ).stdout
    (title,) = re.findall(r"<title>(.*?)</title>", browser)
    inner, scrolled, natural = map(int, title.split(","))
    assert scrolled <= inner and natural == 1600


def test_the_later_value_of_a_step_that_was_done_twice_counts(folder):
    writer = tf.summary.create_file_writer(str(folder / "logs"), filename_suffix=".later")
    with writer.as_default():
        tf.summary.scalar("losses/dned_loss", 5.0, step=990)
    writer.close()
    assert re.search(r"<figcaption>dned loss <small>.* to 5</small>", text_of(folder))


def test_the_sheets_of_a_long_training_are_not_held_in_memory(folder):
    """128 MB of them beside the curves; read in a process of its own, whose peak is measured."""
    writer = tf.summary.create_file_writer(str(folder / "logs"), filename_suffix=".sheets")
    with writer.as_default():
        for step in range(128):
            tf.summary.write("sheet", tf.constant(os.urandom(1 << 20)), step=step)
    writer.close()
    code = """
import resource, sys
from pathlib import Path
from sflowgan_tf.evaluation import report
from tensorboard.compat import tf
tf.__version__  # imported with its first use
folder = Path(sys.argv[1])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
report.write(folder, folder / "logs")
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd=places.ROOT
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 64
    assert "dned loss" in (folder / "report.html").read_text()
