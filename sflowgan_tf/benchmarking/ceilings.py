"""What the machine can do at most, measured: a large matrix product and a large copy."""

import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

_SIDE = 2048  # of the matrices
_COPIED = 1 << 28  # bytes, many times a cache
_ROUNDS = 5


def measured(dtype: str) -> dict[str, float]:
    """The machine's ceilings, each by the fastest of five runs.

    Args:
        dtype: of the matrices, such as "float32".

    Returns:
        "operations_per_second" of a matrix product of that type, an addition and a multiplication
        being two; "bytes_per_second" that a copy in memory by one thread reads and writes.
    """
    draw = tf.random.stateless_normal([_SIDE, _SIDE], (0, 0))
    matrix = tf.cast(draw, dtype)

    @tf.function
    def product() -> tf.Tensor:
        # what is multiplied anew each time is not folded into a constant
        return tf.cast(tf.reduce_sum(tf.matmul(matrix, matrix)[0]), tf.float32)

    source = np.ones(_COPIED, np.uint8)
    target = np.empty_like(source)
    return {
        "operations_per_second": 2 * _SIDE**3 / _fastest(lambda: float(product())),
        "bytes_per_second": 2 * _COPIED / _fastest(lambda: np.copyto(target, source)),
    }


def _fastest(call: Callable[[], object]) -> float:
    """Seconds of the fastest run; one run beforehand is not timed."""
    call()
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken)
