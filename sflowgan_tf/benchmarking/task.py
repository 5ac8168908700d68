"""What one process measures. The standard library alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

OPENCV = "OpenCV"  # the form of `flow` that the others are compared with
FORWARD, WITH_GRADIENT = "forward", "forward and backward"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A workload at one size and batch.

    Attributes:
        workload: a key of `workloads.WORKLOADS`.
        config: path of a whole configuration, of `config.save`; what is drawn is put beside it.
        classes: name of a class table, or a number of classes; empty where no network needs them.
        size: "WIDTHxHEIGHT" of the frames.
        batch: examples at once.
        data: folder of records; None for streets of minicity that are drawn for it.
        phase: of the training that is measured.
        form: which of several forms of the same work; empty where there is one.
        seed: of whatever is drawn.
    """

    workload: str
    config: str
    classes: str
    size: str
    batch: int
    data: str | None = None
    phase: str = ""
    form: str = ""
    seed: int = 0

    @property
    def title(self) -> str:
        """For a progress bar and messages, as "step 512x256, batch 2"."""
        form = f" ({self.form})" if self.form else ""
        return f"{self.workload}{form} {self.size}, batch {self.batch}"

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, _, height = self.size.partition("x")
        return int(width), int(height)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def line(message: dict[str, Any]) -> str:
    """A message between processes."""
    return json.dumps(message) + "\n"
