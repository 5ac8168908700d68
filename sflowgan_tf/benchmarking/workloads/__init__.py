"""What can be measured, each as something that does it once when it is called."""

from collections.abc import Callable

from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.benchmarking.workloads.flow import Flow
from sflowgan_tf.benchmarking.workloads.inference import Inference
from sflowgan_tf.benchmarking.workloads.records import Evaluate, Pipeline, Prepare
from sflowgan_tf.benchmarking.workloads.step import Step

__all__ = ["WORKLOADS", "Workload", "workload"]

WORKLOADS: dict[str, Callable[[Task], Workload]] = {
    "step": Step,
    "inference": Inference,
    "pipeline": Pipeline,
    "prepare": Prepare,
    "flow": Flow,
    "evaluate": Evaluate,
}


def workload(task: Task) -> Workload:
    """The workload of a task, ready to be run."""
    return WORKLOADS[task.workload](task)
