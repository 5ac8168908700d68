"""A run to be exported: its networks, its model card, and the frames to compare on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sflowgan_tf import config as settings
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.result import FOLDER, METRICS, Result
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.card import Card, licence
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.provenance import provenance

_COMPARED = 4  # validation frames
_REPRESENTATIVE = 32  # training frames


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A run at its latest checkpoint, and the frames that its exports are compared on.

    Attributes:
        run: of `fit`.
        translator: the networks of the checkpoint.
        step: of the checkpoint.
        manifest: of the records that the run was trained on.
        frames: validation frames, as `data.pipeline.frames` gives them.
        start_run: the run whose networks this one started from; None without one.
        records: the folder of records that the frames come from.
    """

    run: Run
    translator: Translator
    step: int
    manifest: Manifest
    frames: list[pipeline.Frames]
    start_run: str | None
    records: Path

    @classmethod
    def of(cls, run: Run, data: Path | None) -> "Exported":
        """Reads a run's latest checkpoint and its validation frames.

        Args:
            run: of `fit`.
            data: records; those of the run's dataset if None.

        Raises:
            UserError: there is no checkpoint or no validation frame, the classes of the records
                are others, or the run needs instance maps or the frames before.
        """
        translator, manifest, step = assembly.restored_translator(run)
        if translator.edge_map == "instances":
            raise UserError(
                f"--run {run.folder}: was trained with edge_map=instances, to compare with, and "
                "needs instance maps; what is exported takes labels and frames alone"
            )
        if translator.remembers:
            raise UserError(
                f"--run {run.folder}: was trained with generator.kind=sequential, to compare with, "
                "and needs the frames before; what is exported takes single scenes"
            )
        folder, records = assembly.records_of(run, data, "--data")
        if not records.splits["validation"].records:
            raise UserError(f"--data {folder}: no validation frames to compare on; name others")
        frames = pipeline.frames(folder, records, "validation", _COMPARED)
        return cls(
            run=run,
            translator=translator,
            step=step,
            manifest=manifest,
            frames=frames,
            start_run=settings.read(run.config).start_run,
            records=folder,
        )

    def representative(self) -> list[pipeline.Frames]:
        """Frames of the training records, from which int8 gets its ranges.

        Raises:
            UserError: there are none.
        """
        manifest = Manifest.load(self.records)
        if not manifest.splits["train"].records:
            raise UserError(f"--data {self.records}: no training frames, which int8 needs")
        return pipeline.frames(self.records, manifest, "train", _REPRESENTATIVE)

    def card(self, name: str, command: str) -> Card:
        """The model card.

        Args:
            name: of the model.
            command: how the export was called.
        """
        splits = self.manifest.splits.items()
        data = {
            "dataset": self.manifest.dataset,
            "frames": {name: split.records for name, split in splits},
            "sequences": {name: len(split.sequences) for name, split in splits},
            "started_from_run": self.start_run,  # whose data count too
        }
        return Card(
            name=name,
            run=self.run.folder.name,
            step=self.step,
            classes=self.manifest.classes,
            size=self.manifest.size,
            edges=self.manifest.edges,
            flow=self.manifest.flow,
            edge_map=self.translator.edge_map,
            redraws=self.translator.redraws,
            appearance=self.translator.appearance,
            data=data,
            metrics=_metrics(self.run, self.step),
            licence=licence(self.manifest.dataset),
            provenance=provenance(command),
        )


def _metrics(run: Run, step: int) -> dict[str, Any] | None:
    """The figures of a run's evaluation; None where there is none, or one of another step."""
    folder = run.folder / FOLDER
    if not (folder / METRICS).is_file():
        return None
    result = Result.load(folder)
    if result.subject.get("step") != step:  # of pictures in a folder, of another checkpoint
        return None
    return {
        "subject": result.subject,
        "reference": result.reference,
        "scores": [asdict(score) for score in result.scores],
        "warnings": result.warnings,
    }
