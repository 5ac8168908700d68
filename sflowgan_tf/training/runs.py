"""What lies where inside the folder of a run."""

import os
from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.utils.errors import UserError


@dataclass(frozen=True)
class Run:
    """The paths of one run; `Run.named` and `Run.existing` say how a user writes it."""

    folder: Path

    @classmethod
    def named(cls, name: str) -> "Run":
        """A run by its name in runs/, or by the path of its folder."""
        path = Path(name)
        return cls(path if {os.sep, os.altsep} & {*name} else Path("runs") / path)

    @classmethod
    def existing(cls, name: str) -> "Run":
        """The same; UserError where no training has left a configuration there."""
        run = cls.named(name)
        if not run.config.is_file():
            others = sorted(path.parent.name for path in Path("runs").glob("*/config.yaml"))
            known = (
                f"the runs there are: {', '.join(others)}" if others else "there are no runs yet"
            )
            raise UserError(f"{run.folder}: no training has begun there; {known}")
        return run

    @property
    def is_begun(self) -> bool:
        """Whether something was trained: there is a checkpoint."""
        return any(self.checkpoints.glob("*.index"))

    @property
    def config(self) -> Path:
        """The whole configuration, as YAML."""
        return self.folder / "config.yaml"

    @property
    def manifest(self) -> Path:
        """A copy of the records' manifest: class table, edge settings."""
        return self.folder / "manifest.json"

    @property
    def checkpoints(self) -> Path:
        """All state of the training."""
        return self.folder / "checkpoints"

    @property
    def logs(self) -> Path:
        """For TensorBoard."""
        return self.folder / "logs"

    @property
    def samples(self) -> Path:
        """A sheet of pictures per epoch."""
        return self.folder / "samples"
