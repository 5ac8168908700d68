"""One command at a time in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sflowgan_tf.utils.errors import UserError

LOCK = ".lock"  # the file in a folder that is locked


@contextmanager
def locked(folder: Path, remedy: str) -> Iterator[None]:
    """Keeps other commands out of a folder, made if need be, while the block runs.

    The operating system frees the lock of a process that was killed: a hidden, empty file. `remedy`
    is what a second command may do instead of waiting: "or choose another --output".

    Raises:
        UserError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(
            f"{folder}: another command is at work there; wait until it has ended, {remedy}"
        ) from None
    try:
        yield
    finally:
        lock.release()
