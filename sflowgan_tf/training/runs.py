"""What lies where inside the folder of a run."""

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sflowgan_tf.utils.errors import UserError

RELEASED = Path(str(resources.files("sflowgan_tf"))) / "released"  # models of the package


@dataclass(frozen=True)
class Run:
    """The paths of one run; `Run.named` and `Run.existing` say how a user writes it."""

    folder: Path

    @classmethod
    def named(cls, name: str, flag: str = "--run") -> "Run":
        """A run by its name in runs/, or by the path of its folder, which holds a slash.

        Raises:
            UserError: it is neither a name nor the path of a folder that can be a run's own.
        """
        path = Path(name)
        if path.name in ("", "..") or not name.isprintable() or name != name.strip():
            raise UserError(
                f"{flag} {name!r}: expected a plain name such as streets, which lies in runs/, or "
                "the path of a run's folder such as elsewhere/streets"
            )
        folder = path if {os.sep, os.altsep} & {*name} else Path("runs") / path
        file = next((p for p in (folder, *folder.parents) if p.exists() and not p.is_dir()), None)
        if file is not None:
            raise UserError(f"{flag} {name}: {file} is a file; choose another name or path")
        return cls(folder)

    @classmethod
    def existing(cls, name: str, flag: str = "--run") -> "Run":
        """A run that a training has begun, or else the released model of that name.

        Its arguments are those of `named`.

        Raises:
            UserError: no training has left a configuration there, and no such model is released.
        """
        run = cls.named(name, flag)
        if not run.config.is_file():
            if released := cls.released(name):
                return released
            others = sorted(path.parent.name for path in Path("runs").glob("*/config.yaml"))
            known = (
                f"the runs there are: {', '.join(others)}" if others else "there are no runs yet"
            )
            raise UserError(f"{run.folder}: no training has begun there; {known}")
        return run

    @classmethod
    def released(cls, name: str) -> "Run | None":
        """The model of that name that comes with the package, if there is one."""
        run = cls(RELEASED / Path(name).name)
        return run if name == run.folder.name and run.weights.is_file() else None

    @property
    def is_begun(self) -> bool:
        """Whether something was trained: there is a checkpoint, or it is a released model."""
        return bool(self.steps) or self.weights.is_file()

    @property
    def steps(self) -> list[int]:
        """The steps of its checkpoints, newest first."""
        return steps(self.checkpoints)

    @property
    def config(self) -> Path:
        """The whole configuration, as YAML."""
        return self.folder / "config.yaml"

    @property
    def manifest(self) -> Path:
        """A copy of the records' manifest: class table, edge settings."""
        return self.folder / "manifest.json"

    @property
    def palette(self) -> Path:
        """The colours of the training records, of a run whose generator sees colours."""
        return self.folder / "palette.json"

    @property
    def weights(self) -> Path:
        """Of a released model, instead of checkpoints; see `training.released`."""
        return self.folder / "weights.npz"

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


def steps(folder: Path) -> list[int]:
    """Steps of the checkpoints in a folder, newest first."""
    names = (file.name for file in folder.glob("step-*.index"))
    numbers = (name.removeprefix("step-").removesuffix(".index") for name in names)
    return sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)
