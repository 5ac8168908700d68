"""What a disk refuses is one sentence, whichever library was writing."""

import errno
import os
import subprocess
import sys

import pytest

from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.files import unfinished_folder
from tests import places

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # bytes a file: a disk that gets full
from sflowgan_tf.device import pictures
from sflowgan_tf.utils.errors import Failure, UserError
try:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    pictures.write(Path(sys.argv[1]), noise)
except Failure as failure:
    print(failure)
"""


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path):
    file = tmp_path / "a.png"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(file)], cwd=places.ROOT, capture_output=True, text=True
    )
    sentence = "can't be written: File too large; raise the limit on the size of files (ulimit -f)"
    assert done.stdout == f"{file}: {sentence} and try again\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_systems_reason_is_found_in_the_words_of_others(tmp_path):
    with (
        pytest.raises(Failure, match="models: can't be written: No space left on device"),
        writing(tmp_path / "models"),
    ):
        raise RuntimeError("{{function_node}} /x; No space left on device [Op:SaveV2]")


def test_other_errors_pass(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        _ = 1 / 0


@pytest.mark.parametrize("own", [UserError, Failure])
def test_sentences_of_this_program_pass_though_they_hold_the_systems_words(tmp_path, own):
    sentence = "scene.png: No such file or directory"
    with pytest.raises(own) as raised, writing(tmp_path / "out.tflite"):
        raise own(sentence)
    assert str(raised.value) == sentence


def test_the_inner_file_is_named_and_not_the_outer_one(tmp_path):
    inner = tmp_path / "out/inner.png"
    with pytest.raises(Failure) as raised, writing(tmp_path / "out"), writing(inner):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(raised.value).startswith(f"{inner}: can't be written: No space left on device; make")


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(Failure) as raised, writing(tmp_path / "out/a.png"):
        (tmp_path / "out").mkdir()
    assert str(raised.value).startswith(f"{tmp_path / 'out'}: can't be written: File exists; move")


def test_other_files_that_are_missing_are_not_what_is_written(tmp_path):
    with pytest.raises(FileNotFoundError) as raised, writing(tmp_path / "out"):
        (tmp_path / "scene.png").read_bytes()
    assert raised.value.filename == str(tmp_path / "scene.png")


def test_a_file_on_its_way_is_named_as_it_will_be(tmp_path):
    with (
        pytest.raises(Failure) as raised,
        unfinished_folder(tmp_path, "evaluation") as folder,
        writing(folder / "film.mp4"),
    ):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder / "film.mp4"))
    assert str(raised.value).startswith(f"{tmp_path / 'film.mp4'}: can't be written: Input/output")
