"""What the runs of this machine left: sheets, curves, evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sflowgan_tf import config as settings
from sflowgan_tf.evaluation import report
from sflowgan_tf.evaluation.result import FOLDER
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError

_LARGEST = 20 << 20  # bytes of a report that is shown in the page


@dataclass(frozen=True)
class Left:
    """What one run left.

    Attributes:
        name: of the run.
        run: where it lies.
    """

    name: str
    run: Run

    @classmethod
    def by(cls, name: str) -> Left:
        """That of a run in runs/.

        Raises:
            UserError: there is none of that name.
        """
        if name not in names():
            raise UserError(
                f"run {name[:80]!r}: expected {', '.join(names()) or 'none: there are none'}"
            )
        return cls(name, Run.existing(name))

    @property
    def paints(self) -> bool:
        """Whether it is one of `fit`."""
        return settings.read(self.run.config).task == "translation"

    @property
    def facts(self) -> str:
        """A line on it."""
        steps = self.run.steps
        reached = f"step {steps[0]}" if steps else "no checkpoint yet"
        return f"{'Paints' if self.paints else 'Judges pictures'}, {reached}"

    @property
    def sheets(self) -> list[Path]:
        """The newest sheet of pictures of each kind."""
        newest = {}
        for file in sorted(self.run.samples.glob("*.png")):
            newest[file.stem.rstrip("0123456789-")] = file
        return [*newest.values()]

    def curves(self) -> Iterator[dict[str, Any]]:
        """Those of its losses, see `evaluation.report.curves`."""
        return report.curves(self.run.logs)

    @property
    def report(self) -> str | None:
        """The page of its evaluation; None where there is none, or it is too large."""
        file = self.run.folder / FOLDER / report.FILE
        if not file.is_file() or file.stat().st_size > _LARGEST:
            return None
        return file.read_text(encoding="utf-8")


def names() -> list[str]:
    """The runs in runs/, the latest first."""
    files = Path("runs").glob("*/config.yaml")
    return [file.parent.name for file in sorted(files, key=lambda f: -f.stat().st_mtime)]
