"""The process that measures this program's work.

python -m sflowgan_tf.benchmarking.worker
"""

from contextlib import AbstractContextManager
from typing import Any

from sflowgan_tf.benchmarking.serving import serve
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.utils.quiet import import_tensorflow


class Worker:
    """A workload, and the machine's ceilings beside it."""

    def __init__(self, order: dict[str, Any]):
        """Starts TensorFlow and makes the workload.

        Args:
            order: a task, of `Task.to_dict`.

        Raises:
            UserError: it can't be done as it is set.
            Failure: the memory does not suffice, here or in a run.
        """
        import_tensorflow()
        from sflowgan_tf.benchmarking.workloads import workload

        with self._enough_memory():
            self._workload = workload(Task(**order))

    def run(self) -> None:
        """Does the workload once."""
        with self._enough_memory():
            self._workload.run()

    def figures(self) -> dict[str, Any]:
        """Those of the workload, and "ceilings"."""
        from sflowgan_tf.benchmarking import ceilings

        return self._workload.figures() | {"ceilings": ceilings.measured(self._workload.dtype)}

    def profile(self) -> list[dict[str, Any]]:
        """See `profiling.profile`."""
        from sflowgan_tf.benchmarking import profiling

        return profiling.profile(self.run)

    def _enough_memory(self) -> AbstractContextManager[None]:
        from sflowgan_tf.utils.memory import enough_memory

        return enough_memory("for this", lambda: "choose smaller --sizes or --batches")


if __name__ == "__main__":
    serve(Worker)
