"""Jobs in several processes: with one bar, errors that arrive as they are, and a clean stop.

Workers end with their parent, also when it is killed, so that none goes on writing beside a second
start.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Any

from tqdm import tqdm

from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.quiet import import_tensorflow

Work = Callable[[Any, Callable[[], Any]], Any]

_shared: dict[str, Any] = {}  # in a worker: `frames` and `stop` of `run`, common to all processes


def run(work: Work, jobs: Sequence[Any], workers: int, bar: tqdm) -> None:
    """Does every job, in any order, in several processes; 1 works in this one.

    `work` is called with a job and with a function that it calls after each frame, of the bar.

    Raises:
        Exception: what the first failing job raised; the others are stopped after their frame.
        Failure: a process died.
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            work(job, bar.update)
    else:
        _run_parallel(work, jobs, min(workers, len(jobs)), bar)


def _run_parallel(work: Work, jobs: Sequence[Any], workers: int, bar: tqdm) -> None:
    context = multiprocessing.get_context("spawn")
    frames, stop = context.Value("q", bar.n), context.Event()
    pool = ProcessPoolExecutor(workers, context, _start, (frames, stop))
    pending = {pool.submit(_work, work, job) for job in jobs}
    try:
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
            bar.update(frames.value - bar.n)
            for future in done:
                future.result()
    except BrokenProcessPool:
        raise Failure(
            "a worker process died, perhaps of too little memory; try fewer --workers"
        ) from None
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _start(frames: Synchronized, stop: Event) -> None:
    """In a new worker: one thread, no GPU; the parent alone answers Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    import_tensorflow()
    import cv2

    cv2.setNumThreads(1)
    _shared.update(frames=frames, stop=stop)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # an exception would end this thread alone


def _work(work: Work, job: Any) -> None:
    work(job, _tick)


def _tick() -> None:
    """Counts a frame, and leaves the job if the parent stops."""
    with _shared["frames"].get_lock():
        _shared["frames"].value += 1
    if _shared["stop"].is_set():
        raise InterruptedError("stopped")
