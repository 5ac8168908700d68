"""What operations a piece of work spends its time on, by TensorFlow's profiler."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.profiler.internal import _pywrap_profiler_plugin

_RUNS = 3
_FOREIGN = ("IDLE", "Dataset")  # what is no operation of the work


def profile(run: Callable[[], object]) -> list[dict[str, Any]]:
    """The operations of a piece of work, the most expensive first.

    Args:
        run: does it; it is called three times.

    Returns:
        For each operation: "type", such as "Conv2D"; "name", its place in the graph; "seconds", its
        own time in one run, without that of operations inside of it; "share", of the time of all.
        Operations may run at the same time, so the sum may be longer than a run.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(_RUNS):
                run()
        traces = [str(file) for file in Path(folder).rglob("*.xplane.pb")]
        table, _ = _pywrap_profiler_plugin.xspace_to_tools_data(traces, "framework_op_stats", {})
    return _rows(json.loads(table)[0])


def _rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of TensorFlow's table of operations, whose times are microseconds of all runs."""
    columns = [column["id"] for column in table["cols"]]
    rows = [
        dict(zip(columns, (cell["v"] for cell in row["c"]), strict=True)) for row in table["rows"]
    ]
    own = [row for row in rows if row["type"] not in _FOREIGN]
    total = sum(row["total_self_time"] for row in own) or 1.0
    ordered = sorted(own, key=lambda row: -row["total_self_time"])
    return [
        {
            "type": row["type"],
            "name": row["operation"],
            "seconds": row["total_self_time"] / _RUNS / 1e6,
            "share": row["total_self_time"] / total,
        }
        for row in ordered
    ]
