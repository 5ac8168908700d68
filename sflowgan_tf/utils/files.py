"""Files and numbered folders that appear whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A path to write to, which becomes `file` when the block ends well.

    It lies beside `file`, hidden, so that neither a glob nor a reader finds half of it.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def unfinished_folder(parent: Path, name: str) -> Iterator[Path]:
    """A hidden, empty folder to fill, for `publish`; what is left of it goes with the block.

    Args:
        parent: where it lies; made if need be.
        name: that it resembles.
    """
    partial = parent / f".{name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def publish(folder: Path, base: Path) -> Path:
    """Moves a folder to the next free number, 1 or one more than the highest in `base`.

    Args:
        folder: what is whole; on the same file system.
        base: of the numbered folders.

    Returns:
        Where it lies now; never where something lay before.
    """
    base.mkdir(parents=True, exist_ok=True)
    while True:
        taken = [int(path.name) for path in base.iterdir() if path.name.isdecimal()]
        place = base / str(max(taken, default=0) + 1)
        try:
            os.rename(folder, place)
        except OSError as error:  # another process was faster
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return place
