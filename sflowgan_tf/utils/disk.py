"""A disk that is full or forbidden, as one sentence, whichever library was writing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.files import named, visible

_WRITING_ALONE = {  # refusals that reading never meets
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "choose a folder that can be written to",
}
_REMEDIES = _WRITING_ALONE | {
    errno.EACCES: "allow writing there",
    errno.EPERM: "allow writing there",
    errno.ENOENT: "see whether the folder is still there",
    errno.ENOTDIR: "move away the file that lies where a folder is expected",
    errno.EEXIST: "move away the file that lies where a folder is expected",
    errno.EISDIR: "move away the folder that lies where a file is expected",
    errno.EIO: "see whether the disk is sound",
}


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Makes a Failure of what a disk refuses in the block.

    An error of the operating system counts by its code, if it is about `place` or says of no file
    at all. TensorFlow's errors and those of others are no OSError: the system's reason stands in
    their text. Errors of this program, those about other files and all others pass.

    Args:
        place: the file or folder that is being written, for the message.

    Raises:
        Failure: the disk refused.
    """
    try:
        with named(place):
            yield
    except (UserError, Failure):
        raise
    except OSError as error:
        if error.errno not in _REMEDIES or not _concerns(error, place):
            raise
        raise Failure(_sentence(Path(str(error.filename)), error.errno)) from None
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        raise Failure(_sentence(place, code)) from None


def description(error: OSError) -> str:
    """The sentence for an error that no block of `writing` has met."""
    if error.filename is None:
        return str(error)
    if error.errno in _WRITING_ALONE:
        return _sentence(Path(str(error.filename)), error.errno)
    return f"{error.filename}: {error.strerror}"


def refusal(error: Exception) -> str | None:
    """The operating system's reason in an error of any library, such as "Permission denied".

    None where its text holds none that concerns writing or reading files.
    """
    code = _code(error)
    return None if code is None else os.strerror(code)


def _code(error: Exception) -> int | None:
    return next((code for code in _REMEDIES if os.strerror(code) in str(error)), None)


def _sentence(place: Path, code: int) -> str:
    reason, remedy = os.strerror(code), _REMEDIES[code]
    return f"{visible(place)}: can't be written: {reason}; {remedy} and try again"


def _concerns(error: OSError, place: Path) -> bool:
    """Whether the error's file is `place`, lies in it, or is one of its folders."""
    file, place = Path(str(error.filename)).absolute(), place.absolute()
    return file.is_relative_to(place) or place.is_relative_to(file)
