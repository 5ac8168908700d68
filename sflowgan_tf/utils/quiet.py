"""Starts TensorFlow with a memory pool of its own and without its messages on stderr."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Imports TensorFlow and lists the devices, with what C++ writes to stderr held back.

    The environment variable TF_CPP_MIN_LOG_LEVEL alone does not silence all of it. Where the import
    fails, the messages are printed.

    Memory for tensors comes from TensorFlow's own pool: malloc gives large pieces back at once, and
    the page faults of getting them anew were a quarter to a third of a step on a CPU
    (docs/performance.md says how to measure it).
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with held_back():
        import tensorflow as tf

        tf.config.list_logical_devices()


@contextmanager
def held_back() -> Iterator[None]:
    """Drops what Python and C++ write to stderr in the block, unless it raises."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
            sys.stderr.flush()
        except BaseException:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
