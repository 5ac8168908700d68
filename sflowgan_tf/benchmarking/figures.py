"""What was measured, and what follows from it. The standard library alone."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from sflowgan_tf.benchmarking.task import Task


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing.

    Attributes:
        values: in their order, at least one.
    """

    values: list[float]

    @property
    def median(self) -> float:
        """Half of the values are not larger."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between them lies the middle half of the values."""
        if len(self.values) == 1:
            return self.values[0], self.values[0]
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.quartiles
        return {
            "median": self.median,
            "quartiles": [low, high],
            "min": min(self.values),
            "max": max(self.values),
            "values": self.values,
        }


def ratio(ours: Spread, theirs: Spread) -> Spread:
    """Our values divided by theirs, pair by pair: over 1 where ours are larger."""
    return Spread([a / b for a, b in zip(ours.values, theirs.values, strict=True)])


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One contender's seconds and figures.

    Attributes:
        name: of the contender.
        seconds: of its runs, after the warm-up.
        cpu_seconds: of the same runs, those of all cores together: on them other work has less
            influence.
        first_s: from the start of its process to the end of the first run.
        figures: what its process said.
    """

    name: str
    seconds: Spread
    cpu_seconds: Spread
    first_s: float
    figures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what was measured, and rates."""
        figures = dict(self.figures)
        ceilings = figures.pop("ceilings", None)
        values = {
            "name": self.name,
            **figures,
            "seconds": self.seconds.to_dict(),
            "cpu_seconds": self.cpu_seconds.to_dict(),
            "items_per_second": figures["items"] / self.seconds.median,
            "first_s": self.first_s,
        }
        if ceilings is not None:
            values["ceilings"] = ceilings
            values["rates"] = self._rates(ceilings)
        return values

    def _rates(self, ceilings: dict[str, float]) -> dict[str, dict[str, float]]:
        """How much a second of what is counted, and which share of the ceiling that is."""
        rates = {}
        for counted in ("operations", "bytes"):
            if amount := self.figures.get(counted):
                rate = amount / self.seconds.median
                share = rate / ceilings[f"{counted}_per_second"]
                rates[counted] = {"per_second": rate, "share": share}
        return rates


@dataclass(frozen=True, kw_only=True)
class Row:
    """A task with all that took part.

    Attributes:
        task: what was measured.
        ours: by this program.
        rivals: what it was compared with; their runs took turns with ours.
        profile: of `profiling.profile`; empty where it was not asked for.
        failure: why there are no figures.
    """

    task: Task
    ours: Measured | None = None
    rivals: list[Measured] = field(default_factory=list)
    profile: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        task = self.task
        values: dict[str, Any] = {
            "workload": task.workload,
            "form": task.form,
            "size": task.size,
            "batch": task.batch,
        }
        if self.ours is None:
            return values | {"failure": self.failure}
        against = [
            rival.to_dict()
            | {
                "ratio": ratio(self.ours.seconds, rival.seconds).to_dict(),
                "cpu_ratio": ratio(self.ours.cpu_seconds, rival.cpu_seconds).to_dict(),
            }
            for rival in self.rivals
        ]
        return values | self.ours.to_dict() | {"against": against, "profile": self.profile}
