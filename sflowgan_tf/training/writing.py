"""What a training says where the file system refuses its files."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from sflowgan_tf.utils.errors import Failure

_REASONS = {
    tf.errors.ResourceExhaustedError: os.strerror(errno.ENOSPC),
    tf.errors.PermissionDeniedError: os.strerror(errno.EACCES),
    tf.errors.NotFoundError: os.strerror(errno.ENOENT),
}


def reason(error: Exception) -> str:
    """Why a file could not be read or written, in a few words without TensorFlow's own text.

    Args:
        error: of TensorFlow or the operating system.
    """
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    known = (text for kind, text in _REASONS.items() if isinstance(error, kind))
    return next(known, "the file system refused it")


@contextmanager
def written(what: str) -> Iterator[None]:
    """Makes a `Failure` of an error while a file of a run is written.

    Args:
        what: the file and what it holds, as the subject of a sentence.

    Raises:
        Failure: it names the file and the reason.
    """
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise Failure(
            f"{what} could not be written ({reason(error)}); make room, or mend what forbids it, "
            "then run the same command again, which goes on"
        ) from None
