"""What `import sflowgan_tf` offers."""

import doctest
import shutil
import subprocess
import sys

import numpy as np
import pytest

import sflowgan_tf
from sflowgan_tf.data import flow
from sflowgan_tf.ops import edges
from tests import places

IMPORTS = """
import sys, time
before, start = set(sys.modules), time.process_time()
import sflowgan_tf
from sflowgan_tf import EdgeSettings, Farneback, Model, UserError, dense_flow, laplacian_edges, load
took = time.process_time() - start
heavy = [name for name in ("tensorflow", "keras", "cv2", "PIL", "av") if name in sys.modules]
print(took < 0.3 + (0.5 if "numpy" not in before else 0), *heavy)
"""


def test_importing_it_is_quick_and_brings_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=places.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_the_example_of_its_documentation(archive, tmp_path, monkeypatch):
    shutil.copytree(archive / "runs/painter", tmp_path / "runs/city")
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(sflowgan_tf)
    assert results.attempted >= 5 and results.failed == 0


def test_it_lists_what_it_offers():
    assert set(sflowgan_tf.__all__) <= set(dir(sflowgan_tf))
    for name in set(sflowgan_tf.__all__):
        assert getattr(sflowgan_tf, name).__doc__
    with pytest.raises(AttributeError, match="module 'sflowgan_tf' has no attribute 'lode'"):
        sflowgan_tf.lode  # noqa: B018


@pytest.fixture
def frames():
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    return noise, np.roll(noise, 1, axis=1)


def test_edges_and_flow_are_those_of_the_records(frames):
    for settings in (sflowgan_tf.EdgeSettings(), sflowgan_tf.EdgeSettings(threshold=90, blur=1.0)):
        drawn = sflowgan_tf.laplacian_edges(frames[0], settings)
        assert drawn.shape == (24, 32, 1) and drawn.dtype == np.float32
        np.testing.assert_array_equal(drawn, edges.laplacian_edges(frames[0][None], settings)[0])
    for farneback in (sflowgan_tf.Farneback(), sflowgan_tf.Farneback(winsize=7)):
        motion = sflowgan_tf.dense_flow(*frames, farneback)
        assert motion.shape == (24, 32, 2) and motion.dtype == np.float32
        np.testing.assert_array_equal(motion, flow.dense_flow(*frames, farneback))


def test_settings_have_defaults(frames):
    np.testing.assert_array_equal(
        sflowgan_tf.laplacian_edges(frames[0]),
        sflowgan_tf.laplacian_edges(frames[0], sflowgan_tf.EdgeSettings()),
    )
    np.testing.assert_array_equal(
        sflowgan_tf.dense_flow(*frames),
        sflowgan_tf.dense_flow(*frames, sflowgan_tf.Farneback()),
    )


def test_frames_that_are_none_are_a_sentence(frames):
    with pytest.raises(sflowgan_tf.UserError, match=r"frame: expected \(height, width, 3\) uint8"):
        sflowgan_tf.laplacian_edges(frames[0] / 255)
    with pytest.raises(sflowgan_tf.UserError, match="frame: expected .* got list, which is no"):
        sflowgan_tf.laplacian_edges(frames[0].tolist())
    with pytest.raises(sflowgan_tf.UserError, match="image_b: expected .* got NoneType, which is"):
        sflowgan_tf.dense_flow(frames[0], None)
    with pytest.raises(sflowgan_tf.UserError, match=r"image_b: expected .* got \(24, 32\) uint8"):
        sflowgan_tf.dense_flow(frames[0], frames[1][..., 0])
    with pytest.raises(sflowgan_tf.UserError, match="expected frames of one size"):
        sflowgan_tf.dense_flow(frames[0], frames[1][:-1])


def test_records_of_a_prepared_folder_are_read(archive):
    records = sflowgan_tf.Records(archive / "records", split="validation")
    frames = list(records)
    assert len(frames) == len(records) and records.size == (64, 32)
    drawn = sflowgan_tf.laplacian_edges(frames[0]["image_cg"], records.manifest.edges)
    assert (drawn != frames[0]["edges_cg"]).mean() < 0.05, "records hold JPEGs of the pictures"
    (pair, *_) = records.pairs()
    motion = sflowgan_tf.dense_flow(*pair["image_real"], records.manifest.flow)
    assert np.median(np.abs(motion - pair["flow_real"])) < 0.1
