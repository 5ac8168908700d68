"""What decides the bytes of the records that `prepare` makes of given raw frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import EdgeSettings, Farneback


@dataclass(frozen=True, kw_only=True)
class RecordSettings:
    """Settings of records. Those of a folder must all be made with the same ones.

    Attributes:
        size: (width, height) of every frame, pixels.
        classes: how label maps are read.
        edges: settings of the edge maps.
        flow: settings of flow_real.
        validation_fraction: share of the groups that is for validation, in [0, 1], where the source
            has no split of its own.
        validation_sequences: names of groups or sequences for validation, instead of a fraction.
        frames_per_shard: most frames in a file.
        seed: of the choice of validation groups.
    """

    size: tuple[int, int]
    classes: ClassTable
    edges: EdgeSettings
    flow: Farneback
    validation_fraction: float
    validation_sequences: tuple[str, ...]
    frames_per_shard: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON holds them: nested dicts, lists, numbers and texts."""
        return json.loads(json.dumps(asdict(self) | {"classes": self.classes.to_dict()}))


def differences(
    here: dict[str, Any], there: dict[str, Any], prefix: str = "records."
) -> Iterator[str]:
    """In what the settings asked for differ from those of records, both of `to_dict`.

    Yields a clause for each key, such as "records.edges.threshold: 50.0 here, but 60.0 there".
    """
    for key in here | there:
        one, other = here.get(key), there.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from differences(one, other, f"{prefix}{key}.")
        elif one != other:
            yield f"{prefix}{key}: {_text(key, one)} here, but {_text(key, other)} there"


def _text(key: str, value: Any) -> str:
    return "x".join(map(str, value)) if key == "size" else str(value)
