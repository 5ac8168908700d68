"""The work of `export`: a run -> an artefact that stands alone, compared with the run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.deployment import tflite, warmup
from sflowgan_tf.deployment.endpoints import endpoints
from sflowgan_tf.deployment.precisions import Precision
from sflowgan_tf.evaluation.result import FOLDER, METRICS, Evaluation
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation import artefact, card
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import Failure, UserError
from sflowgan_tf.utils.files import publish, unfinished_folder
from sflowgan_tf.utils.provenance import made

_COMPARED = 4  # validation frames
_REPRESENTATIVE = 32  # training frames
_MOST = 1 / 255  # mean difference to the run's pictures, of the range


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A run that is to be exported, and what it is compared on.

    Attributes:
        run: where it lies.
        translator: of its latest checkpoint.
        step: of that checkpoint.
        manifest: of the records that it was trained on.
        frames: of the validation records, as `pipeline.frames` gives them.
        start_run: whose networks the run started from, if any.
        records: their folder.
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
        """What a run's latest checkpoint holds.

        Args:
            run: of `fit`.
            data: records; those of the run's dataset if None.

        Raises:
            UserError: there is no checkpoint or no validation frame, the classes of the records
                are others, or the run needs instance maps.
        """
        translator, manifest, step = assembly.restored_translator(run)
        if translator.edge_map == "instances":
            raise UserError(
                f"--run {run.folder}: was trained with edge_map=instances, to compare with, and "
                "needs instance maps; what is exported takes labels and frames alone"
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
        held = Manifest.load(self.records)
        if not held.splits["train"].records:
            raise UserError(f"--data {self.records}: no training frames, which int8 needs")
        return pipeline.frames(self.records, held, "train", _REPRESENTATIVE)

    def card(self, name: str, command: str) -> card.Card:
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
        return card.Card(
            name=name,
            run=self.run.folder.name,
            step=self.step,
            classes=self.manifest.classes,
            size=self.manifest.size,
            edges=self.manifest.edges,
            edge_map=self.translator.edge_map,
            redraws=self.translator.redraws,
            data=data,
            metrics=_metrics(self.run, self.step),
            licence=card.licence(self.manifest.dataset),
            made=made(command),
        )


def _metrics(run: Run, step: int) -> dict[str, Any] | None:
    """The figures of a run's evaluation, where there is one of that step."""
    folder = run.folder / FOLDER
    if not (folder / METRICS).is_file():
        return None
    found = Evaluation.load(folder)
    if found.subject.get("step") != step:  # of pictures in a folder, of another checkpoint
        return None
    return {
        "subject": found.subject,
        "reference": found.reference,
        "scores": [asdict(score) for score in found.scores],
        "warnings": found.warnings,
    }


def saved_model(exported: Exported, output: Path, told: card.Card) -> tuple[Path, dict[str, Any]]:
    """Writes a SavedModel with warm-up requests and model card, once it paints as the run does.

    Args:
        exported: what.
        output: the model's versions lie in the folder of its name there.
        told: the model card.

    Returns:
        The folder of the new version, and how far its pictures are from the run's: for each
        signature the mean and the largest difference, of the range.

    Raises:
        Failure: they are too far; nothing is left then.
    """
    owner, functions = endpoints(exported.translator, json.dumps(told.to_dict()))
    with unfinished_folder(output, told.name) as folder:
        tf.saved_model.save(owner, str(folder), functions)
        requests = _requests(exported, exported.frames[0])
        warmup.write(folder, told.name, {name: inputs for name, (inputs, _) in requests.items()})
        differences = compared(exported, artefact.load(folder))
        text = json.dumps(told.to_dict() | {"difference_to_run": differences}, indent=1)
        (folder / card.NAME).write_text(text + "\n")
        worst = max(differences, key=lambda name: differences[name]["mean"])
        if differences[worst]["mean"] > _MOST:
            raise Failure(
                f"signature {worst} differs from run {exported.run.folder} by "
                f"{255 * differences[worst]['mean']:.3f} of 255 on average; expected 1 at most. "
                "Nothing was written"
            )
        return publish(folder, output / told.name), differences


def _requests(
    exported: Exported, frame: pipeline.Frames
) -> dict[str, tuple[artefact.Arrays, np.ndarray | None]]:
    """For each signature that paints a frame: its inputs, and the weights that they stand for."""
    labels, image = frame["labels"].numpy()[None], frame["image_cg"].numpy()[None]
    equal, drawn = ensemble_weights(2, seed=0) if exported.translator.redraws else (None, None)
    scene = {"labels": labels, "image": image}
    files = {"labels_bytes": artefact.png(labels[0]), "image_bytes": artefact.png(image[0])}
    weights = {"ensemble_weights": ensemble_weights(2, seed=0)[1:]}
    edges = laplacian_edges(image, exported.manifest.edges)
    return {
        "serving_default": (scene, equal),
        "weighted": (scene | weights, drawn),
        "encoded": (files, equal),
        "encoded_weighted": (files | weights, drawn),
        "edges": ({"labels": labels, "edges": np.asarray(edges)}, None),
    }


def compared(
    exported: Exported, written: artefact.Artefact
) -> dict[str, dict[Literal["mean", "largest"], float]]:
    """How far an artefact's pictures are from the run's, for each signature, of the range.

    Args:
        exported: the run; all of its frames count.
        written: what was made of it.
    """
    found: dict[str, list[np.ndarray]] = {}
    for frame in exported.frames:
        labels, image = frame["labels"].numpy(), frame["image_cg"].numpy()
        for name, (inputs, weights) in _requests(exported, frame).items():
            expected = exported.translator.translate(labels, image, weights).astype(np.float64)
            (painted,) = (output[0] for output in written.predict(name, inputs).values())
            painted = artefact.picture(painted) if isinstance(painted, bytes) else painted
            found.setdefault(name, []).append(np.abs(painted - expected) / 255)
    return {
        name: {"mean": float(np.mean(values)), "largest": float(np.max(values))}
        for name, values in found.items()
    }


def tflite_files(
    exported: Exported,
    output: Path,
    told: card.Card,
    precisions: Sequence[Precision],
    size: tuple[int, int],
) -> Iterator[tflite.Report]:
    """Writes TFLite files, the generator alone and, where it knows its edges, with the DNED.

    Args:
        exported: what.
        output: the files lie in the folder of the model's name there; those of before are replaced.
        told: the model card.
        precisions: a file of each kind is written in each of them.
        size: (width, height) of the scenes that they paint.

    Yields:
        What was found out about each file, once it is there.

    Raises:
        UserError: int8 is asked for, and there are no training frames.
        Failure: see `Exporter.write`; that file is not left then, those before it are.
    """
    representative = exported.representative() if "int8" in precisions else []
    folder = output / told.name
    folder.mkdir(parents=True, exist_ok=True)
    exporter = tflite.Exporter(
        exported.translator,
        table=told.classes,
        size=size,
        representative=tflite.scenes(representative, size),
        judged=tflite.scenes(exported.frames, size),
        origin={"run": told.run, "step": str(told.step), "exported": told.made["date"]},
    )
    for precision in precisions:
        for redraws in (False, True)[: 1 + exported.translator.redraws]:
            kind = "generator-dned" if redraws else "generator"
            file = folder / f"{kind}-{size[0]}x{size[1]}-{precision}.tflite"
            yield exporter.write(file, precision, redraws=redraws)
