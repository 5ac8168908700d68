"""Networks of a run in half precision, small enough to travel with a program.

A released model is a run's folder that holds `weights.npz` instead of checkpoints. So whatever
takes a run takes it too.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from sflowgan_tf.training.checkpoints import check_variables, layout
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import written_whole

_STEP, _LAYOUT = "step", "layout"


def write(file: Path, step: int, networks: Mapping[str, keras.Model]) -> None:
    """Keeps the weights of networks as float16, whole numbers (states of randomness) as they are.

    Args:
        file: an .npz file.
        step: of the training.
        networks: generator_ema, discriminator and dned, built.
    """
    arrays = {
        f"{name}/{number}": _halved(np.asarray(variable.value))
        for name, network in networks.items()
        for number, variable in enumerate(network.variables)
    }
    with written_whole(file) as partial, partial.open("wb") as stream:
        np.savez_compressed(
            stream, **arrays, **{_STEP: step, _LAYOUT: json.dumps(layout(networks))}
        )


def fill(file: Path, networks: Mapping[str, keras.Model]) -> int:
    """Fills networks with the weights in a file.

    Args:
        file: of `write`.
        networks: by the names in `State.parts`, built; the generator takes its moving average.

    Returns:
        The step of the training.

    Raises:
        UserError: the file is of other networks.
        Failure: it is damaged.
    """
    try:
        with file.open("rb") as stream, np.load(stream) as archive:
            arrays = {name: archive[name] for name in archive.files}
        saved, step = json.loads(str(arrays[_LAYOUT])), int(arrays[_STEP])
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as e:
        raise Failure(
            f"{file}: can't be read ({e}); copy it anew from where it came from, or install the "
            "program anew"
        ) from None
    for name, network in networks.items():
        stored = "generator_ema" if name == "generator" else name
        there = [(path, shape) for path, shape in saved.get(stored, [])]
        check_variables(name, there, layout({name: network})[name], str(file))
        for number, variable in enumerate(network.variables):
            variable.assign(arrays[f"{stored}/{number}"].astype(variable.dtype))
    return step


def _halved(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16) if values.dtype.kind == "f" else values
