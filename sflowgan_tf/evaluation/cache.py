"""Measurements on the real and the simulator's frames, which serve every subject alike.

They lie beside the records, in `.evaluation/`, one file for each set of instruments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sflowgan_tf.evaluation.measuring import Clip
from sflowgan_tf.utils.files import written_whole

_FOLDER = ".evaluation"


def cached(records: Path, name: str, measure: Callable[[], list[Clip]]) -> list[Clip]:
    """Measurements from the cache in a folder of records, or new ones of `measure`, if damaged too.

    New ones are kept where the cache can be written to. `name` says whose frames were measured, and
    identifies all that the measurements depend on.
    """
    file = records / _FOLDER / f"{name}.npz"
    clips = _load(file)
    if clips is None:
        clips = measure()
        with suppress(OSError):  # records that only others may write to
            _save(file, clips)
    return clips


def _save(file: Path, clips: Sequence[Clip]) -> None:
    arrays = {
        f"{index}/{field.name}": getattr(clip, field.name)
        for index, clip in enumerate(clips)
        for field in fields(Clip)
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as partial, partial.open("wb") as stream:
        np.savez(stream, **arrays)


def _load(file: Path) -> list[Clip] | None:
    """The clips of a file; None where it is missing or damaged."""
    try:
        with open(file, "rb") as stream, np.load(stream) as arrays:
            count = len({name.partition("/")[0] for name in arrays})
            return [
                Clip(**{f.name: _unpacked(arrays[f"{index}/{f.name}"]) for f in fields(Clip)})
                for index in range(count)
            ]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _unpacked(array: np.ndarray) -> Any:
    return array if array.ndim else str(array)
