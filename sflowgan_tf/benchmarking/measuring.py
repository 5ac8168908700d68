"""A task, measured: contenders take turns, warm-up first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from sflowgan_tf.benchmarking.contender import Contender
from sflowgan_tf.benchmarking.figures import Measured, Row, Spread
from sflowgan_tf.benchmarking.task import Task

WARM_UP = 2  # runs behind the first one, which are not timed

Start = Callable[[Task], Contender]


def measure(
    task: Task,
    repeats: int,
    rivals: Sequence[tuple[str, Start]] = (),
    *,
    profile: bool = False,
    on_run: Callable[[], object] = lambda: None,
) -> Row:
    """Measures a task in a process of its own, each rival in another.

    All run in turns, so that what else the machine does meets all alike; whoever has not its turn
    waits.

    Args:
        task: what is measured.
        repeats: of the runs that are timed, at least 1.
        rivals: name of each, and what starts it.
        profile: whether our operations are profiled, after all else.
        on_run: called after each turn.

    Raises:
        UserError: the task can't be done as it is set.
        Failure: a process failed.
    """
    with ExitStack() as stack:
        started = [("ours", Contender.of_task), *rivals]
        contenders = [(name, stack.enter_context(start(task))) for name, start in started]
        taken: list[list[tuple[float, float]]] = [[] for _ in contenders]
        for turn in range(WARM_UP + repeats):
            for runs, (_, contender) in zip(taken, contenders, strict=True):
                run = contender.run()
                if turn >= WARM_UP:
                    runs.append(run)
            on_run()
        ours, *others = (
            Measured(
                name=name,
                seconds=Spread([seconds for seconds, _ in runs]),
                cpu_seconds=Spread([seconds for _, seconds in runs]),
                first_s=contender.first_s,
                figures=contender.figures(),
            )
            for runs, (name, contender) in zip(taken, contenders, strict=True)
        )
        operations = contenders[0][1].profile() if profile else []
    return Row(task=task, ours=ours, rivals=others, profile=operations)
