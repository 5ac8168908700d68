"""Floating-point operations of a graph, by TensorFlow's own formulas."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.profiler.internal import flops_registry  # noqa: F401  # has the formulas

from sflowgan_tf.utils.quiet import held_back


def operations(function: Any) -> int:
    """How many floating-point operations a call takes.

    What no output and no side effect needs is not counted, since TensorFlow does not run it: a
    graph of gradients has much of that. A multiplication and its addition are two.

    Args:
        function: a concrete `tf.function` whose shapes are all known, and which calls no other.
    """
    ends = [tensor.op for tensor in function.graph.outputs] + function.graph.control_outputs
    with held_back():  # the formulas say that they are old
        return sum(_operations(op) for op in _needed(ends))


def inlined(call: Callable[[], Any]) -> Any:
    """A call as one concrete function, with the body of each `tf.function` that it calls.

    Such a one may have a signature of unknown shapes; here all are those of what is passed.
    """
    tf.config.run_functions_eagerly(True)
    try:
        return tf.function(call).get_concrete_function()
    finally:
        tf.config.run_functions_eagerly(False)


def _needed(ends: list[tf.Operation]) -> Iterator[tf.Operation]:
    """The operations that some need, themselves too."""
    seen, waiting = set(), list(ends)
    while waiting:
        op = waiting.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        waiting += [tensor.op for tensor in op.inputs] + op.control_inputs
        yield op


def _operations(op: tf.Operation) -> int:
    try:
        return int(ops.get_stats_for_node_def(op.graph, op.node_def, "flops").value or 0)
    except ValueError as error:  # a shape that is known only when it runs
        raise ValueError(f"{op.name}: {error}") from None
