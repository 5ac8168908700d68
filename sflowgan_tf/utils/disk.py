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
        for code, remedy in _REMEDIES.items():
            reason = os.strerror(code)
            if reason in str(error):
                sentence = f"{place}: can't be written: {reason}; {remedy} and try again"
                raise Failure(sentence) from None
        raise
