import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sflowgan_tf.utils.files import publish, unfinished_folder, written_whole


def contents(folder):
    return [(path.name, path.read_text()) for path in folder.iterdir()]


def test_a_file_appears_when_the_block_ends(tmp_path):
    with written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert contents(tmp_path) == [("a.txt", "new")]


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert contents(tmp_path) == [("a.txt", "old")]


def test_two_that_write_the_same_file_do_not_disturb_each_other(tmp_path):
    with written_whole(tmp_path / "a.txt") as one, written_whole(tmp_path / "a.txt") as other:
        one.write_text("first")
        other.write_text("second")
    assert contents(tmp_path) == [("a.txt", "first")]  # whose block ends last


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    missing = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(FileNotFoundError) as error, written_whole(missing):
        pass
    assert error.value.filename == str(missing)


WRITER = """
import sys
from pathlib import Path
from sflowgan_tf.utils.files import unfinished_folder, written_whole

folder = Path(sys.argv[1])
with written_whole(folder / "a.txt") as file, unfinished_folder(folder, "model") as model:
    file.write_text(sys.argv[2])
    (model / "weights").write_text(sys.argv[2])
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_with_the_next_and_a_living_ones_stays(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", WRITER, str(tmp_path), "whole"]
    with subprocess.Popen(command, **pipes) as killed, subprocess.Popen(command, **pipes) as living:
        for process in (killed, living):
            assert process.stdout.readline() == "writing\n"
        killed.kill()
        killed.wait()
        assert len([*tmp_path.iterdir()]) == 4
        with written_whole(tmp_path / "b.txt") as partial:
            partial.write_text("new")
        assert len([*tmp_path.iterdir()]) == 3
        living.communicate("")
    assert sorted(contents(tmp_path)) == [("a.txt", "whole"), ("b.txt", "new")]


@pytest.mark.parametrize("create", [Path.touch, Path.mkdir])
def test_an_empty_one_that_was_left_goes_after_a_minute(tmp_path, create):
    for name, age in (("new", 0), ("old", 100)):
        create(tmp_path / f".{name}.partial")
        os.utime(tmp_path / f".{name}.partial", (time.time() - age,) * 2)
    with written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.partial", "a.txt"]


def test_a_full_disk_is_told_with_the_files_name(tmp_path):
    """A limit on a file's size stands for the disk: writing behind it fails in the same way."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from sflowgan_tf.utils import cli\nfrom sflowgan_tf.utils.files import written_whole\n"
        "def work(_):\n"
        "    with written_whole(Path(sys.argv[1])) as partial: partial.write_bytes(bytes(9000))\n"
        "sys.exit(cli.run(cli.parser('fit', '', ''), work, []))"
    )

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    file = tmp_path / "a.bin"
    command = [sys.executable, "-B", "-c", code, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited)
    assert done.returncode == 1
    assert done.stderr == (
        f"python -m sflowgan_tf.fit: error: {file}: can't be written: File too large; raise the "
        "limit on the size of files (ulimit -f) and try again\n"
    )
    assert not [*tmp_path.iterdir()]


def test_a_folder_appears_under_the_next_number(tmp_path):
    for name in ("2", "10", "11.old", "notes"):
        (tmp_path / "model" / name).mkdir(parents=True)
    with unfinished_folder(tmp_path, "model") as folder:
        (folder / "file").write_text("whole")
        assert publish(folder, tmp_path / "model") == tmp_path / "model/11"
    assert (tmp_path / "model/11/file").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path, "model") as folder:
        assert folder.name.startswith("."), "hidden"
        (folder / "file").write_text("half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_another_process_that_was_faster_is_not_overwritten(tmp_path, monkeypatch):
    base, rename = tmp_path / "model", os.rename

    def late(source, target):
        monkeypatch.setattr(os, "rename", rename)
        target.mkdir()
        (target / "file").write_text("theirs")
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    with unfinished_folder(tmp_path, "model") as folder:
        (folder / "file").write_text("ours")
        assert publish(folder, base) == base / "2"
    assert (base / "1/file").read_text() == "theirs"
    assert (base / "2/file").read_text() == "ours"


def test_a_folder_that_can_not_be_moved_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "nowhere", tmp_path / "model")
