"""Starts TensorFlow with memory that it keeps, and keeps back what it says by itself."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Imports TensorFlow and lists the devices while what C++ writes to stderr is held back.

    The environment variable TF_CPP_MIN_LOG_LEVEL alone does not hold back all of it. Where the
    import fails, what was held back is printed.

    Memory for tensors comes from TensorFlow's own pool: malloc gives large pieces back at once, and
    the page faults of getting them anew were a quarter to a third of a step on a CPU
    (benchmarks/memory_pool.py).
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with held_back():
        import tensorflow as tf

        tf.config.list_logical_devices()


@contextmanager
def held_back() -> Iterator[None]:
    """Nothing that is written to stderr in the block is shown, C++'s lines too, unless it fails."""
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
            sys.stderr.flush()
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
