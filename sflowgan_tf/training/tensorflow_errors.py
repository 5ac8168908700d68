"""What stops a training, in sentences instead of TensorFlow's own words."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.memory import enough_memory

_INPUT = "{{node IteratorGetNext}}"  # the node of a graph that reads the next batch, as failing


@contextmanager
def explained(folder: Path, manifest: Manifest, advice: Callable[[], str]) -> Iterator[None]:
    """Turns TensorFlow's errors of a training on the records in `folder` into sentences.

    `advice` says what to do where the memory does not suffice.

    Raises:
        UserError: a record is damaged; looked for where the input failed alone.
        Failure: the memory does not suffice, or the input failed though the records are whole.
    """
    try:
        with enough_memory("for a training step", advice):
            yield
    except tf.errors.OpError as error:
        if _INPUT not in str(error.message):
            raise
        print("The records can't be read; looking for the damaged one.", file=sys.stderr)
        pipeline.find_damage(folder, manifest)
        raise Failure(
            f"{folder}: reading the records failed, though all of them can be read now; the same "
            "command goes on from the last checkpoint"
        ) from error
