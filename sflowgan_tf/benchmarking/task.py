"""What one process measures. The standard library alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

BATCHES = 64  # of a run of `pipeline`: what lies ready when it begins are a few of them
OPENCV = "OpenCV"  # the form of `flow` that the others are compared with
FORWARD, WITH_GRADIENT = "forward", "forward and backward"
ONE_PROCESS, TWO_PROCESSES, DECODING = "1 process", "2 processes", "decoding alone"  # of `prepare`
FILM, STEADIED, BARE = "film", "film with history", "the network alone"  # of `film`
ALL, READING, FRECHET, KID = "all", "reading", "frechet", "kid"  # of `evaluate`, and its groups


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
        raw: "WIDTHxHEIGHT" of the raw frames of `prepare`.
        model: a trained one, of `film`.
        pictures: folder for the frames as PNG, for a rival that reads these; None for none.
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
    raw: str = ""
    model: str = ""
    pictures: str | None = None

    @property
    def title(self) -> str:
        """For a progress bar and messages, as "step 512x256, batch 2"."""
        form = f" ({self.form})" if self.form else ""
        return f"{self.workload}{form} {self.size}, batch {self.batch}"

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return sides(self.size)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def sides(size: str) -> tuple[int, int]:
    """Width and height of "WIDTHxHEIGHT"."""
    width, _, height = size.partition("x")
    return int(width), int(height)


def line(message: dict[str, Any]) -> str:
    """A message between processes."""
    return json.dumps(message) + "\n"
