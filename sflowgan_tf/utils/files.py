"""Files and numbered folders that appear whole or not at all. The standard library alone.

What is unfinished lies in a hidden folder of its own, which the process locks. The system frees the
lock of a process that was killed, so that the next one that writes there removes what is left.
"""

import errno
import functools
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows nothing tells what was left from what is being written
    fcntl = None

_UNFINISHED = ".partial"  # suffix of the hidden folders


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A path to write to, of the same name, which becomes `file` when the block ends well.

    Neither a glob nor a reader finds half of the file, and processes that write it at the same time
    do not disturb each other: the last one's stays.

    Raises:
        OSError: it can't be written; the error names `file`.
    """
    with named(file), _workplace(file.parent, file.name) as place:
        yield place / file.name
        os.replace(place / file.name, file)


@contextmanager
def unfinished_folder(parent: Path, name: str) -> Iterator[Path]:
    """A hidden, empty folder to fill, for `publish`; what is left of it goes with the block.

    Args:
        parent: where it lies; made if need be.
        name: of the folder itself; the one around it is hidden.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with _workplace(parent, name) as place:
        (place / name).mkdir()
        yield place / name


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Makes errors of writing name `file`: those of a full disk come without a name.

    Args:
        file: which the block writes, perhaps in a hidden folder beside it.
    """
    try:
        yield
    except OSError as error:
        own = error.filename is None or _UNFINISHED in str(error.filename)
        if error.errno is None or not own:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(file)) from error


@contextmanager
def _workplace(parent: Path, name: str) -> Iterator[Path]:
    """A hidden folder in `parent` that is this process' own and goes with the block."""
    _remove_leftovers(parent.absolute())
    place = parent / f".{name}.{secrets.token_hex(4)}{_UNFINISHED}"
    place.mkdir()
    lock = _locked(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@functools.cache  # once a process: a folder may hold 100,000 pictures
def _remove_leftovers(parent: Path) -> None:
    for place in parent.glob(f".*{_UNFINISHED}"):
        with suppress(OSError):  # another process removes it too
            if any(place.iterdir()):  # an empty one may not be locked yet
                lock = _locked(place)
                if lock is not None:
                    shutil.rmtree(place, ignore_errors=True)
                    os.close(lock)


def _locked(folder: Path) -> int | None:
    """The descriptor that holds a folder's lock; None where a living process has it."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # or a file system without locks
        os.close(descriptor)
        return None
    return descriptor


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
        numbers = [int(path.name) for path in base.iterdir() if path.name.isdecimal()]
        place = base / str(max(numbers, default=0) + 1)
        try:
            os.rename(folder, place)
        except OSError as error:  # another process was faster
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return place
