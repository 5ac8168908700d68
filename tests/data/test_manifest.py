from pathlib import Path

import pytest

from sflowgan_tf.data.manifest import NAME, Manifest
from sflowgan_tf.utils.errors import UserError

CONTENTS = [None, "{", '{"schema_version": 0}']


def load(path, content, *dataset):
    file = path if path.name == NAME else path / NAME
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError) as error:
        Manifest.load(path, *dataset)
    return str(error.value)


@pytest.mark.parametrize("content", CONTENTS)
def test_the_command_names_the_dataset_and_not_its_folder(tmp_path, content):
    message = load(tmp_path, content, "synthia")
    assert f"--dataset synthia --source RAW_DIR --output {tmp_path}" in message


def test_a_file_is_no_folder_of_records(tmp_path):
    (tmp_path / "streets.yaml").touch()
    with pytest.raises(UserError, match="there are no finished records here"):
        Manifest.load(tmp_path / "streets.yaml")


def test_records_of_another_version_are_to_be_prepared_beside_them(tmp_path):
    message = load(tmp_path, '{"schema_version": 2}', "synthia")
    assert "schema version 2, expected 3; prepare into another folder: python -m" in message
    assert message.endswith(f"--output {tmp_path}-v3") and "delete" not in message


@pytest.mark.parametrize(("content", "reason"), [(None, "no finished records"), ("{", "damaged")])
def test_the_folder_one_is_in_needs_no_name(tmp_path, monkeypatch, content, reason):
    monkeypatch.chdir(tmp_path)
    assert reason in load(Path("."), content)


def test_other_records_lie_beside_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(Path("."), '{"schema_version": 2}').endswith(f"--output {tmp_path}-v3")


@pytest.mark.parametrize("content", CONTENTS)
def test_a_runs_own_manifest_is_not_to_be_prepared(tmp_path, content):
    message = load(tmp_path / NAME, content)
    assert message.startswith(f"{tmp_path / NAME}: ") and "run" in message
    assert "sflowgan_tf.prepare" not in message
