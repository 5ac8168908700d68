"""Commands in this process, and what they trained.

A command is a real process only where a process is the point: a kill, Ctrl-C, what a fresh one
prints. Else it runs in this one, which has TensorFlow already.
"""

import contextlib
import importlib
import io
import signal

import numpy as np
import tensorflow as tf

from tests import processes
from tests.recipes import TINY_NETWORKS

FIT = [
    "--dataset",
    "minicity",
    "minicity.sequences=3",
    "minicity.frames=4",
    "records.size=64x32",
    "records.flow.levels=1",
    "records.flow.iterations=1",
    *TINY_NETWORKS,
    "generator.blocks=1",
    "phases.edges=1",
    "phases.dned=2",
    "checkpoint_steps=3",
    "log_steps=2",
    "samples=2",
]


def call(command, *arguments, folder, code=0):
    """What a command prints to stdout and stderr when it runs in this process."""
    main = importlib.import_module(f"sflowgan_tf.{command}").main
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        returned = main([*map(str, arguments)])
    assert returned == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def killed(command, *arguments, moment, folder):
    """Lets a command run as a process until a file is there, then kills it.

    TensorFlow is set as in this process, so that what either computes has the same bits.
    """
    processes.signalled(
        signal.SIGKILL,
        moment,
        command,
        *arguments,
        code=-signal.SIGKILL,
        cwd=folder,
        env=processes.environment_of_tests(),
    )


def weights(run_folder):
    """All variables of a run's latest checkpoint."""
    reader = tf.train.load_checkpoint(str(run_folder / "checkpoints"))
    names = [n for n in reader.get_variable_to_shape_map() if "CHECKPOINTABLE" not in n]
    return {
        name: reader.get_tensor(name)
        for name in names
        if name != "save_counter/.ATTRIBUTES/VARIABLE_VALUE"
    }


def assert_same_weights(run_folder, other):
    """That two runs' latest checkpoints hold the same bits."""
    expected, got = weights(run_folder), weights(other)
    assert expected.keys() == got.keys() and len(expected) > 100
    for name, value in expected.items():
        np.testing.assert_array_equal(value, got[name], err_msg=name)


def latest_step(run_folder):
    """The step of a run's latest checkpoint."""
    latest = tf.train.latest_checkpoint(str(run_folder / "checkpoints"))
    return int(latest.rpartition("step-")[2])
