"""A disk that is full or forbidden, as one sentence, whichever library was writing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sflowgan_tf.utils.errors import Failure

_REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EACCES: "allow writing there",
    errno.EROFS: "choose a folder that can be written to",
    errno.ENOENT: "see whether the folder is still there",
    errno.ENOTDIR: "move away the file that lies where a folder is expected",
}


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Makes a Failure of what a disk refuses in the block.

    Python's own errors often lack the file's name, and TensorFlow's are no OSError; the reason
    that the operating system gave stands in the text of both. Other errors pass.

    Args:
        place: the file or folder that is being written, for the message.

    Raises:
        Failure: the disk refused.
    """
    try:
        yield
    except Exception as error:
        reason = refusal(error)
        if reason is None:
            raise
        remedy = next(remedy for code, remedy in _REMEDIES.items() if os.strerror(code) == reason)
        raise Failure(f"{place}: can't be written: {reason}; {remedy} and try again") from None


def refusal(error: Exception) -> str | None:
    """The operating system's reason in an error of any library, such as "Permission denied".

    Args:
        error: whose text may hold it.

    Returns:
        The reason; None where the text holds none that concerns writing or reading files.
    """
    reasons = map(os.strerror, _REMEDIES)
    return next((reason for reason in reasons if reason in str(error)), None)
