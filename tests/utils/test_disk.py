"""What a disk refuses is one sentence, whichever library was writing."""

import subprocess
import sys

import pytest

from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import Failure
from tests import places

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # bytes a file: a disk that gets full
from sflowgan_tf.device import pictures
from sflowgan_tf.utils.errors import Failure
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
