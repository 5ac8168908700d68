"""What can be measured, each as something that does it once when it is called."""

from collections.abc import Callable

from sflowgan_tf.benchmarking.task import FRECHET, KID, Task
from sflowgan_tf.benchmarking.workloads.base import Workload
from sflowgan_tf.benchmarking.workloads.evaluate import Distances, Measurements
from sflowgan_tf.benchmarking.workloads.film import Film
from sflowgan_tf.benchmarking.workloads.flow import Flow
from sflowgan_tf.benchmarking.workloads.inference import Inference
from sflowgan_tf.benchmarking.workloads.minicity import Minicity
from sflowgan_tf.benchmarking.workloads.pipeline import Pipeline
from sflowgan_tf.benchmarking.workloads.prepare import Prepare
from sflowgan_tf.benchmarking.workloads.step import Step
from sflowgan_tf.benchmarking.workloads.training import Training

__all__ = ["WORKLOADS", "Workload", "workload"]

WORKLOADS: dict[str, Callable[[Task], Workload]] = {
    "step": Step,
    "training": Training,
    "inference": Inference,
    "film": Film,
    "pipeline": Pipeline,
    "minicity": Minicity,
    "prepare": Prepare,
    "flow": Flow,
    "evaluate": lambda task: (Distances if task.form in (FRECHET, KID) else Measurements)(task),
}


def workload(task: Task) -> Workload:
    """The workload of a task, ready to be run."""
    return WORKLOADS[task.workload](task)
