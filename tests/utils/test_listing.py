import os
import unicodedata
from pathlib import Path

import pytest

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.listing import files_below, normal_name


def names(folder, *suffixes):
    return [path.relative_to(folder).as_posix() for path in files_below(folder, suffixes)]


def touched(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def test_suffixes_count_in_any_case_and_order_is_that_of_names(tmp_path):
    touched(tmp_path, "b/1.PNG", "a/2.png", "a/10.Png", "a/notes.txt", "c.jpg")
    assert names(tmp_path, ".png") == ["a/10.Png", "a/2.png", "b/1.PNG"]
    assert names(tmp_path, ".png", ".jpg")[-1] == "c.jpg"


def test_hidden_files_are_passed_over(tmp_path):
    touched(tmp_path, "x.png", "._x.png", ".DS_Store", ".thumbs/x.png")
    assert names(tmp_path, ".png", ".ds_store") == ["x.png"]


def test_a_hidden_folder_that_is_named_is_no_obstacle(tmp_path):
    touched(tmp_path / ".cache", "x.png")
    assert names(tmp_path / ".cache", ".png") == ["x.png"]


def test_a_name_that_is_no_text_is_said(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"a\xff.png")).touch()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    assert names(folder, ".jpg") == []
    with pytest.raises(UserError, match=r"the name 'a.udcff.png' in it is no UTF-8; rename it"):
        names(folder, ".png")


def test_links_are_followed_but_not_round_in_circles(tmp_path):
    touched(tmp_path, "elsewhere/1.png", "data/a/0.png")
    (tmp_path / "data/b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/c").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/a/up").symlink_to(tmp_path / "data")
    assert names(tmp_path / "data", ".png") == ["a/0.png", "b/1.png", "c/1.png"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    assert names(tmp_path / "none", ".png") == []


def test_names_of_either_form_are_one():
    forms = [Path(unicodedata.normalize(form, "straße/ü é")) for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    assert normal_name(forms[0]) == normal_name(forms[1]) == "straße/ü é"
