"""Files and numbered folders that appear whole or not at all. The standard library alone.

What is unfinished is hidden and locked by its process. The system frees the lock of a process that
was killed, so that the next one that writes into the same folder removes what is left.
"""

import errno
import functools
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows nothing tells what was left from what is being written
    fcntl = None

_UNFINISHED = ".partial"  # suffix of what is hidden


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A path to write to, which becomes `file` when the block ends well.

    Neither a glob nor a reader finds half of the file, and processes that write it at the same time
    do not disturb each other: the last one's stays.

    Raises:
        OSError: it can't be written; the error names `file`.
    """
    with named(file), _unfinished(file.parent, file.name, Path.touch) as partial:
        yield partial
        os.replace(partial, file)


def link_or_copy(file: Path, there: Path) -> None:
    """Has a file at another place too, on the same disk without taking its room once more.

    What lies there already is replaced; both names of one file must not be written to.

    Raises:
        OSError: it can't be written.
    """
    if there.exists() and there.samefile(file):
        return
    try:
        os.link(file.resolve(), there)
    except OSError:  # another disk, or something else lies there
        with written_whole(there) as partial:
            shutil.copyfile(file, partial)


@contextmanager
def unfinished_folder(parent: Path, name: str) -> Iterator[Path]:
    """A hidden, empty folder to fill, for `publish`; what is left of it goes with the block.

    It lies in `parent`, which is made if need be.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with _unfinished(parent, name, Path.mkdir) as partial:
        yield partial


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Makes errors of writing name `file`, which may be written under a hidden name beside it.

    Those of a full disk come without a name.
    """
    try:
        yield
    except OSError as error:
        own = not error.filename or _UNFINISHED in str(error.filename)
        if error.errno is None or not own:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(file)) from error


def visible(path: Path) -> Path:
    """Where something lies once it is finished: the path without hidden folders on its way."""
    return Path(*(part for part in path.parts if not part.endswith(_UNFINISHED)))


@contextmanager
def _unfinished(parent: Path, name: str, create: Callable[[Path], None]) -> Iterator[Path]:
    """A hidden file or folder of this process' own in `parent`, which goes with the block."""
    _remove_leftovers(parent.absolute())
    partial = parent / f".{name}.{secrets.token_hex(4)}{_UNFINISHED}"
    create(partial)
    lock = _locked(partial)
    try:
        yield partial
    finally:
        _remove(partial)
        if lock is not None:
            os.close(lock)


@functools.cache  # once a process: a folder may hold 100,000 pictures
def _remove_leftovers(parent: Path) -> None:
    for partial in parent.glob(f".*{_UNFINISHED}"):
        with suppress(OSError):  # another process removes it too
            lock = None if _is_new(partial) else _locked(partial)
            if lock is not None:
                _remove(partial)
                os.close(lock)


def _is_new(partial: Path) -> bool:
    """Whether it is empty and less than a minute old: it may not be locked yet."""
    is_empty = not any(partial.iterdir()) if partial.is_dir() else not partial.stat().st_size
    return is_empty and time.time() - partial.stat().st_mtime < 60


def _locked(partial: Path) -> int | None:
    """The descriptor that holds its lock; None where a living process has it."""
    if fcntl is None:
        return None
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # or a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
    else:
        partial.unlink(missing_ok=True)


def publish(folder: Path, base: Path) -> Path:
    """Moves a folder to the next free number, 1 or one more than the highest in `base`.

    Both lie on the same file system. Returns where it lies now; never where something lay before.
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
