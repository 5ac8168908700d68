import os

import pytest

from sflowgan_tf.utils import files
from sflowgan_tf.utils.files import publish, unfinished_folder, written_whole


def test_a_file_appears_when_the_block_ends(tmp_path):
    with written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "new")]


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_folder_appears_under_the_next_number(tmp_path):
    for name in ("2", "10", "11.old", "notes"):
        (tmp_path / "model" / name).mkdir(parents=True)
    with unfinished_folder(tmp_path, "model") as folder:
        (folder / "file").write_text("whole")
        assert folder.name.startswith(".")
        assert publish(folder, tmp_path / "model") == tmp_path / "model/11"
    assert (tmp_path / "model/11/file").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path, "model") as folder:
        (folder / "file").write_text("half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_another_process_that_was_faster_is_not_overwritten(tmp_path, monkeypatch):
    base, rename = tmp_path / "model", os.rename

    def late(source, target):
        monkeypatch.setattr(files.os, "rename", rename)
        target.mkdir()
        (target / "file").write_text("theirs")
        rename(source, target)

    monkeypatch.setattr(files.os, "rename", late)
    with unfinished_folder(tmp_path, "model") as folder:
        (folder / "file").write_text("ours")
        assert publish(folder, base) == base / "2"
    assert (base / "1/file").read_text() == "theirs"
    assert (base / "2/file").read_text() == "ours"


def test_a_folder_that_can_not_be_moved_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "nowhere", tmp_path / "model")
