"""A training step on the CPU with TensorFlow's own pool of memory against one with malloc's.

The choice is made when TensorFlow starts, so each takes processes of its own, in turns; the ratio
of the medians counts. From the repository's root:

    python -m benchmarks.memory_pool
"""

import os
import re
import statistics
import subprocess
import sys

ROUNDS = 3


def step_time(pool: bool) -> float:
    """Milliseconds of the joint step of `benchmarks.train_step`."""
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.train_step"],
        env=os.environ | {"TF_CPU_ALLOCATOR_USE_BFC": str(pool).lower()},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (milliseconds,) = re.findall(r"^joint: (\d+) ms", printed, re.MULTILINE)
    return float(milliseconds)


def main() -> None:
    """Times both."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for pool, times in taken.items():
            times.append(step_time(pool))
    medians = {pool: statistics.median(times) for pool, times in taken.items()}
    print(f"pool: {medians[True]:.0f} ms a step; malloc: {medians[False]:.0f} ms a step")
    print(f"ratio: {medians[True] / medians[False]:.2f}")


if __name__ == "__main__":
    main()
