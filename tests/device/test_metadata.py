import dataclasses
import json
import zipfile

import numpy as np
import pytest

from sflowgan_tf.device.metadata import Metadata
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError
from tests.colors import appearance_of

METADATA = Metadata(
    size=(40, 24),
    precision="int8",
    in_float=["MEAN"],
    inputs=[{"name": "labels", "shape": [1, 24, 40, 13], "values": "one-hot"}],
    output={"name": "image", "values": "RGB"},
    edges=EdgeSettings(threshold=7.5),
    flow=Farneback(winsize=9),
    classes=TABLES["synthia"],
    origin={"run": "city"},
)


def rewrite(file, values):
    """A file of other metadata alone."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps(values))


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "a.tflite"
    file.write_bytes(b"a flatbuffer")
    METADATA.append(file)
    assert file.read_bytes().startswith(b"a flatbuffer")
    assert Metadata.read(file) == METADATA
    assert METADATA.input_names == ["labels"]


def test_a_file_without_settings_of_the_flow_has_the_defaults(tmp_path):
    file = tmp_path / "a.tflite"
    METADATA.append(file)
    with zipfile.ZipFile(file) as archive:
        values = json.loads(archive.read("metadata.json"))
    del values["flow"]
    rewrite(file, values)
    assert Metadata.read(file).flow == Farneback()


def test_an_appearance_comes_back_and_older_files_have_none(tmp_path):
    file, appearance = tmp_path / "a.tflite", appearance_of(13)
    dataclasses.replace(METADATA, appearance=appearance).append(file)
    back = Metadata.read(file).appearance
    assert back is not None and back.regions == appearance.regions
    for name in ("scale", "shift"):
        given, kept = (getattr(one.palette.given(), name) for one in (appearance, back))
        np.testing.assert_allclose(kept, given, atol=0.01)
    with zipfile.ZipFile(file) as archive:
        values = json.loads(archive.read("metadata.json"))
    del values["appearance"]
    rewrite(file, values)
    assert Metadata.read(file).appearance is None
    rewrite(file, values | {"appearance": {"cell": 5}})
    with pytest.raises(UserError, match=r"holds no metadata\.json that can be read"):
        Metadata.read(file)


def test_a_file_that_says_nothing_or_in_another_format_is_refused(tmp_path):
    file = tmp_path / "a.tflite"
    with pytest.raises(UserError, match=r"a\.tflite: no such file"):
        Metadata.read(file)
    for text, said in (
        ('{"format": 2}', "metadata of format 2, expected 1; export it anew"),
        ('{"format": 1}', "holds no metadata.json that can be read; expected a file of"),
        ("[1]", "holds no metadata.json that can be read"),
        ("{", "holds no metadata.json that can be read"),
        (json.dumps({"format": 1, "size": 3}), "holds no metadata.json that can be read"),
    ):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("metadata.json", text)
        with pytest.raises(UserError, match=rf"a\.tflite: {said}"):
            Metadata.read(file)
