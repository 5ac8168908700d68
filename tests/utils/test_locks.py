import subprocess
import sys

import pytest

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.locks import locked

HOLDER = """
import sys
from pathlib import Path
from sflowgan_tf.utils.locks import locked
with locked(Path(sys.argv[1]), ""):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    folder = tmp_path / "runs" / "a"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(UserError, match=r"runs/a: another command .* choose another --run"),
            locked(folder, "or choose another --run"),
        ):
            pass
        holder.kill()
    with locked(folder, ""):
        pass
    with locked(folder, ""):
        pass
