"""The work of `export`: a run -> an artefact that stands alone, compared with the run."""

from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf import build
from sflowgan_tf import config as settings
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.errors import UserError
from sflowgan_tf.runs import Run
from sflowgan_tf.serving import Translator

_COMPARED = 4  # validation frames


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A run that is to be exported, and what it is compared on.

    Attributes:
        run: where it lies.
        translator: of its latest checkpoint.
        step: of that checkpoint.
        manifest: of the records that it was trained on.
        frames: of the validation records, as `pipeline.frames` gives them.
    """

    run: Run
    translator: Translator
    step: int
    manifest: Manifest
    frames: list[pipeline.Frames]

    @classmethod
    def of(cls, run: Run, data: Path | None) -> "Exported":
        """What a run's latest checkpoint holds.

        Args:
            run: of `fit`.
            data: records; those of the run's dataset if None.

        Raises:
            UserError: there is no checkpoint or no validation frame, the classes of the records
                are others, or the run needs instance maps.
        """
        translator, manifest, step = build.restored_translator(run)
        if translator.edge_map == "instances":
            raise UserError(
                f"--run {run.folder}: was trained with edge_map=instances, to compare with, and "
                "needs instance maps; what is exported takes labels and frames alone"
            )
        config = settings.read(run.config)
        folder = data or Path("datasets") / config.dataset
        records = Manifest.load(folder, config.dataset)
        if records.classes.names != manifest.classes.names:
            raise UserError(
                f"--data {folder}: has the classes of table {records.classes.name}; run "
                f"{run.folder} was trained on those of {manifest.classes.name}"
            )
        if not records.splits["validation"].records:
            raise UserError(f"--data {folder}: no validation frames to compare on; name others")
        frames = pipeline.frames(folder, records, "validation", _COMPARED)
        return cls(run=run, translator=translator, step=step, manifest=manifest, frames=frames)
