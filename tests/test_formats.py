"""What earlier versions wrote is still read: records, runs, exported models.

`formats/made-by-0.1.0.zip` holds what 0.1.0 wrote with tiny networks: records of minicity, a run
through all phases, a segmenter's run, the SavedModel and the TFLite files of the run, three scenes,
and what it painted of them.
"""

import shutil

import numpy as np
import pytest
from PIL import Image

from sflowgan_tf import translate
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.segmenting import judges
from tests import places

ARCHIVE = places.ROOT / "tests/formats/made-by-0.1.0.zip"


@pytest.fixture
def made_before(tmp_path, monkeypatch):
    shutil.unpack_archive(ARCHIVE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pictures(folder):
    return {
        str(file.relative_to(folder)): np.asarray(Image.open(file)).astype(int)
        for file in sorted(folder.rglob("*.png"))
        if file.name != "contact-sheet.png"
    }


@pytest.mark.parametrize(
    "model",
    [
        ["--run", "runs/painter"],
        ["--model", "saved_models/painter"],
        ["--model", "saved_models/painter/generator-dned-64x32-fp16.tflite"],
    ],
)
def test_a_model_paints_as_it_did(made_before, model):
    given = ["--labels", "scene/labels", "--frames", "scene/frames", "--output", "again"]
    assert translate.main([*model, *given]) == 0
    expected, painted = pictures(made_before / "painted"), pictures(made_before / "again")
    assert painted.keys() == expected.keys() and len(expected) == 3
    for name, picture in expected.items():
        difference = np.abs(painted[name] - picture)
        assert difference.mean() < 0.5 and difference.max() <= 4, name


def test_a_segmenter_judges(made_before):
    manifest = Manifest.load(made_before / "records")
    judge = judges.find("runs/judge", manifest.classes)
    (frame,) = pipeline.frames(made_before / "records", manifest, "validation", 1)
    segmented = judge.segment(frame["image_real"].numpy()[None])
    assert segmented.shape == (1, 32, 64) and segmented.max() < manifest.classes.num_classes
