"""What a folder of records holds and how it was made: `manifest.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sflowgan_tf.data.record_settings import RecordSettings, differences
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole

NAME = "manifest.json"
SCHEMA_VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Split:
    """One part of the records.

    Attributes:
        records: how many, one a frame.
        pairs: how many of them hold a successor.
        shards: each {file, records, pairs}, in order.
        sequences: their names, sorted.
        class_pixels: how many each class and, last, void has; nothing where shards are of a version
            that did not count.
    """

    records: int
    pairs: int
    shards: list[dict[str, Any]]
    sequences: list[str]
    class_pixels: list[int] = field(default_factory=list, compare=False)

    def batches(self, batch_size: int, *, pair: bool = False) -> int:
        """Whole batches of single frames, or of pairs."""
        return (self.pairs if pair else self.records) // batch_size


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about the records that their reader must know.

    Attributes:
        dataset: its name, as in `prepare --dataset`.
        size: (width, height) of every frame.
        classes: what the label maps' indices mean.
        edges: settings of the edge maps.
        flow: settings of flow_real.
        seed: of the choice of validation sequences. These five are `RecordSettings`'.
        has_cg: whether there are simulator's frames beside the real ones.
        has_instances: whether the pixels' instances are known.
        has_motion: whether the exact flow of pairs is known.
        splits: "train" and "validation".
        skipped: each {file, reason}, what was left out.
        stride: between the numbers of consecutive frames.
        schema_version: of the records and of this file.
    """

    dataset: str
    size: tuple[int, int]
    classes: ClassTable
    edges: EdgeSettings
    flow: Farneback
    seed: int
    has_cg: bool
    has_instances: bool
    has_motion: bool
    splits: dict[str, Split]
    skipped: list[dict[str, str]]
    stride: int = 1
    schema_version: int = SCHEMA_VERSION

    def differences(self, settings: RecordSettings) -> list[str]:
        """In what `settings` differ from those kept here, as `record_settings.differences` says."""
        kept = {name: getattr(self, name) for name in ("size", "classes", "edges", "flow", "seed")}
        own = replace(settings, **kept)
        return list(differences(settings.to_dict(), own.to_dict()))

    def save(self, file: Path) -> None:
        """Writes it as JSON, whole or not at all."""
        flow = {"operator": "farneback"} | asdict(self.flow)
        write_json(file, asdict(self) | {"classes": self.classes.to_dict(), "flow": flow})

    @classmethod
    def load(cls, path: Path, dataset: str | None = None) -> Manifest:
        """Reads what `save` wrote.

        Args:
            path: of a folder of records, whose shards must be there; or of a manifest itself, as
                a run keeps one.
            dataset: the name in the command that the message about unusable records gives.

        Raises:
            UserError: it is missing, damaged or of another version, or a shard is missing.
        """
        if path.name == NAME:
            file, missing = path, "this run's manifest is missing"
            remedy = "copy it anew from the records that the run was trained with"
            outdated = "use the version of this program that made the run"
        else:
            file, missing = path / NAME, "there are no finished records here"
            other = Path(f"{path.resolve()}-v{SCHEMA_VERSION}")  # "." has no name of its own
            remedy = f"run {_command(path, dataset)}"
            outdated = f"prepare into another folder: {_command(other, dataset)}"
        try:
            values = json.loads(file.read_text())
            version = values["schema_version"]
            manifest = _from_json(values) if version == SCHEMA_VERSION else None
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{file}: {missing}; {remedy}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{file}: damaged ({error!r}); {remedy}") from None
        if manifest is None:
            raise UserError(
                f"{file}: records of schema version {version}, expected {SCHEMA_VERSION}; "
                f"{outdated}"
            )
        shards = [shard for split in manifest.splits.values() for shard in split.shards]
        for shard in shards if file != path else ():
            if not (path / shard["file"]).is_file():
                raise UserError(
                    f"{path / shard['file']}: this shard is missing; run "
                    f"{_command(path, manifest.dataset)} again, with the same settings: it makes "
                    "what is missing"
                )
        return manifest


def _from_json(values: dict[str, Any]) -> Manifest:
    flow = {key: value for key, value in values["flow"].items() if key != "operator"}
    parts = {
        "edges": EdgeSettings(**values["edges"]),
        "flow": Farneback(**flow),
        "size": (int(values["size"][0]), int(values["size"][1])),
        "classes": ClassTable.from_dict(values["classes"]),
        "splits": {name: Split(**split) for name, split in values["splits"].items()},
    }
    return Manifest(**(values | parts))


def _command(folder: Path, dataset: str | None) -> str:
    dataset = dataset or "NAME"
    source = "" if dataset == "minicity" else " --source RAW_DIR"  # which draws itself
    return f"python -m sflowgan_tf.prepare --dataset {dataset}{source} --output {folder}"


def write_json(file: Path, content: Any) -> None:
    """Writes JSON, whole or not at all."""
    with written_whole(file) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")
