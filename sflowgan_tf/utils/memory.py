"""Memory that does not suffice, as one sentence instead of TensorFlow's own words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf

from sflowgan_tf.utils.errors import Failure


@contextmanager
def enough_memory(work: str, advice: Callable[[], str]) -> Iterator[None]:
    """Makes a Failure of what TensorFlow raises where the memory does not suffice.

    Args:
        work: what the block does, for the message: "to paint a scene".
        advice: what to do then.

    Raises:
        Failure: the memory of the computer or the GPU does not suffice. A full disk, which
            TensorFlow reports by the same class, passes.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        if "No space left" in str(error.message):
            raise
        raise Failure(f"not enough memory {work}; {advice()}") from None
