import dataclasses
import doctest

import numpy as np
import pytest

from sflowgan_tf.config import Minicity
from sflowgan_tf.data import dataset
from sflowgan_tf.data.dataset import Records
from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.training import assembly
from sflowgan_tf.utils.errors import UserError
from tests.tiny import TINY

STREET = dataclasses.replace(
    TINY,
    records=dataclasses.replace(TINY.records, validation_fraction=0.5),
    minicity=Minicity(sequences=2, frames=2),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("home")
    assembly.raw_records(STREET, None, path / "datasets/minicity", workers=1, skip_bad=False)
    return path


@pytest.fixture
def records(home):
    return Records(home / "datasets/minicity")


def test_the_example_in_its_docstring(home, monkeypatch):
    monkeypatch.chdir(home)
    (examples,) = doctest.DocTestFinder(recurse=False).find(Records, globs=vars(dataset))
    assert len(examples.examples) == 4
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_frames_are_plain_arrays(records):
    frames = list(records)
    assert len(frames) == len(records) == 2 and records.num_pairs == 1
    kinds = {
        name: (value.dtype.name, value.shape)
        for name, value in frames[0].items()
        if name not in ("sequence", "frame")
    }
    assert kinds == {
        "labels": ("uint8", (32, 64)),
        "instances": ("uint16", (32, 64)),
        **dict.fromkeys(("edges", "edges_cg"), ("uint8", (32, 64, 1))),
        **dict.fromkeys(("image_real", "image_cg"), ("uint8", (32, 64, 3))),
    }
    assert [(type(f["sequence"]), f["frame"]) for f in frames] == [(str, 0), (str, 1)]
    assert (frames[0]["image_real"] != frames[0]["image_cg"]).any()


def test_pairs_are_frames_with_the_flow_between_them(records):
    first, second = records
    (pair,) = records.pairs()
    assert (pair["sequence"], pair["frame"]) == (first["sequence"], 0)
    for name in first.keys() - {"sequence", "frame"}:
        np.testing.assert_array_equal(pair[name], [first[name], second[name]])
    expected = dense_flow(first["image_real"], second["image_real"], records.manifest.flow)
    np.testing.assert_allclose(pair["flow_real"], expected, atol=1 / 127)
    assert pair["motion"].shape == (32, 64, 2) and pair["motion_valid"].dtype == bool


def test_it_can_be_read_again_and_from_the_start(records):
    assert next(iter(records))["frame"] == next(iter(records))["frame"] == 0


def test_what_is_not_there_is_said(home, tmp_path):
    with pytest.raises(UserError, match="split='test': expected one of train, validation"):
        Records(home / "datasets/minicity", split="test")
    with pytest.raises(UserError, match="no finished records here; run python -m"):
        Records(tmp_path)
