"""One evaluation from its flags to its files: what is scored, against what, with which networks."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sflowgan_tf import config as settings
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation import judges, measuring, report
from sflowgan_tf.evaluation.gallery import Gallery
from sflowgan_tf.evaluation.measuring import Clip, Instruments
from sflowgan_tf.evaluation.metrics import features
from sflowgan_tf.evaluation.result import FOLDER, GROUPS, Evaluation, Of, write_frames
from sflowgan_tf.evaluation.scoring import Scoring
from sflowgan_tf.evaluation.subjects import Files, Painted
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.history import History
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import unfinished_folder
from sflowgan_tf.utils.provenance import made

_CACHE = (
    ".evaluation"  # beside the records: what was measured on the real and the simulator's frames
)
_FILES = {"best.png", "worst.png", "variations.png", "classes.csv"}  # which not every one writes
_WINDOW = 12  # frames of a clip for FVD, where the films are as long
_FEWEST_OF_I3D = 9  # frames that it takes
_VERSIONS = 4  # of a scene, for diversity
_RANDOM_FILTERS = 16  # of the random VGG that measures distances


@dataclass(frozen=True, kw_only=True)
class Judging:
    """All that an evaluation needs.

    Attributes:
        subject: what is scored.
        told: what the result says of it.
        folder: of the reference's records.
        manifest: of the reference.
        split: of the reference.
        instruments: to measure with.
        identity: of instruments and reference, under which reference figures are kept.
        judge: the segmenter; None without one.
        vgg: what the network of the distances is called.
        wanted: groups of metrics.
        seed: of intervals and variations.
        output: for the files.
    """

    subject: Painted | Files
    told: dict[str, Any]
    folder: Path
    manifest: Manifest
    split: str
    instruments: Instruments
    identity: str
    judge: judges.Judge | None
    vgg: str
    wanted: frozenset[str]
    seed: int
    output: Path

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> Judging:
        """From the flags of `evaluate`.

        Raises:
            UserError: something that they name is not there or does not fit.
        """
        subject, told, folder, manifest = _subject(parsed)
        chosen = manifest.splits[parsed.split]
        if not chosen.records:
            raise UserError(f"{folder}: its {parsed.split} split is empty; choose another --split")
        wanted = frozenset(parsed.metrics or GROUPS)
        judge = (
            judges.find(parsed.segmenter, manifest.classes, parsed.segmenter_classes)
            if parsed.segmenter
            else None
        )
        describes = _frame_network(parsed, judge) if "distribution" in wanted else None
        window = min(_WINDOW, chosen.records // (chosen.records - chosen.pairs))
        instruments = Instruments(
            num_classes=manifest.classes.num_classes,
            segment=judge.segment if judge and "segmentation" in wanted else None,
            features=describes,
            clip_features=_clip_network(parsed, describes, window)
            if "distribution" in wanted
            else None,
            window=window,
            vgg=_vgg(parsed.vgg) if wanted & {"paired", "diversity"} else None,
            farneback=manifest.flow if "temporal" in wanted else None,
        )
        _check_asked(parsed, instruments, subject, chosen.pairs)
        reference = _hash(folder, manifest, parsed.split)
        parts = (instruments.features, instruments.clip_features)
        names = [f"{part.name} {part.weights}" if part else "" for part in parts]
        identity = [measuring.VERSION, reference, str(window), features.weights_of(parsed.vgg)]
        identity += names
        identity += [judge.weights if instruments.segment and judge else "", *sorted(wanted)]
        return cls(
            subject=subject,
            told=told,
            folder=folder,
            manifest=manifest,
            split=parsed.split,
            instruments=instruments,
            identity=hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16],
            judge=judge,
            vgg=_vgg_name(parsed.vgg),
            wanted=wanted,
            seed=parsed.seed,
            output=parsed.output or _output(parsed),
        )

    def evaluate(self, command: str) -> Evaluation:
        """Measures, writes all files and returns the figures.

        The files take the place of an earlier evaluation's together, once all are there.

        Args:
            command: how it was called, for the record.
        """
        with unfinished_folder(self.output, FOLDER) as partial:
            evaluation = replace(self, output=partial)._written(command)
            written = [*partial.iterdir()]
            for name in _FILES - {file.name for file in written}:
                (self.output / name).unlink(missing_ok=True)
            for file in written:
                os.replace(file, self.output / file.name)
        return evaluation

    def _written(self, command: str) -> Evaluation:
        films: dict[Of, list[Clip]] = {"generated": self._measured("generated")}
        if self.manifest.has_cg:
            films["simulator"] = self._kept("simulator")
        films["real"] = self._kept("real")
        scoring = Scoring(
            films=films,
            instruments=self.instruments,
            segmenter=f"{self.judge.name} ({self.judge.weights})" if self.judge else "",
            wanted=self.wanted,
            motion="exact" if self.manifest.has_motion else "Farneback on the real film",
            perceptual=self.vgg,
            seed=self.seed,
        )
        frames = scoring.frames()
        gallery = Gallery(
            subject=self.subject,
            folder=self.folder,
            manifest=self.manifest,
            split=self.split,
            seed=self.seed,
            output=self.output,
        )
        evaluation = Evaluation(
            subject=self.told,
            reference=self._reference(films["real"]),
            made=made(command) | {"evaluation seed": self.seed},
            scores=scoring.scores(),
            classes=scoring.classes(self.manifest.classes),
            warnings=self._gaps() + scoring.warnings(),
            pictures=gallery.pictures(frames),
        )
        write_frames(self.output / "frames.csv", frames)
        evaluation.save(self.output)
        run = self.told.get("run")
        report.write(self.output, Run.existing(run).logs if run else None)
        return evaluation

    def _gaps(self) -> list[str]:
        """What was left out for want of a network, and what the edges are."""
        found = []
        if "segmentation" in self.wanted and self.judge is None:
            found.append("Segmentation was left out: name a --segmenter.")
        if "distribution" in self.wanted:
            found += self._unmeasured_distances()
        if not self.manifest.has_cg and isinstance(self.subject, Painted):
            found.append("The reference has no simulator's frames: edges are the real frames' own.")
        return found + self._edges_made_otherwise()

    def _edges_made_otherwise(self) -> list[str]:
        subject = self.subject
        if not isinstance(subject, Painted) or subject.translator.edge_map != "laplacian":
            return []
        trained = subject.translator.edge_settings
        if trained == self.manifest.edges:
            return []
        return [
            f"The reference's edges were made with {_told(self.manifest.edges)}, those of the "
            f"run's training and of `translate` with {_told(trained)}; for the pictures that "
            "`translate` paints, prepare the reference with these."
        ]

    def _unmeasured_distances(self) -> list[str]:
        found = []
        instruments = self.instruments
        if instruments.features is None:
            found.append("FID was left out: name --inception, or a --segmenter of ours.")
        if instruments.clip_features is None:
            found.append(
                f"FVD was left out: the clips of the reference have {instruments.window} frames; "
                f"it takes {_FEWEST_OF_I3D} with --i3d, or else 2 and what FID takes."
            )
        return found

    def _measured(self, of: Of) -> list[Clip]:
        paint: dict[Of, Callable[[Any], np.ndarray]] = {
            "generated": self.subject.picture,
            "simulator": lambda frame: frame["image_cg"].numpy(),
            "real": lambda frame: frame["image_real"].numpy(),
        }
        total = self.manifest.splits[self.split].records
        with tqdm(total=total, desc=of, unit="frame") as bar:
            clips = self.instruments.measure(
                self.folder,
                self.manifest,
                self.split,
                paint[of],
                self._variations() if of == "generated" else None,
                bar.update,
            )
            return list(clips)

    def _variations(self) -> measuring.Painter | None:
        subject = self.subject
        if not isinstance(subject, Painted) or not subject.redraw or "diversity" not in self.wanted:
            return None
        return lambda frame: subject.versions(frame, _VERSIONS, self.seed)

    def _kept(self, of: Of) -> list[Clip]:
        """The figures of the reference, which are the same for whatever is scored."""
        file = self.folder / _CACHE / f"{of}-{self.identity}.npz"
        clips = measuring.load(file)
        if clips is None:
            clips = self._measured(of)
            with suppress(OSError):  # records that only others may write to
                measuring.save(file, clips)
        return clips

    def _reference(self, clips: list[Clip]) -> dict[str, Any]:
        return {
            "records": str(self.folder),
            "dataset": self.manifest.dataset,
            "split": self.split,
            "size": "{}x{}".format(*self.manifest.size),
            "classes": self.manifest.classes.name,
            "frames": sum(len(clip.frames) for clip in clips),
            "clips": len(clips),
            "sha256": _hash(self.folder, self.manifest, self.split),
        }


def _subject(
    parsed: argparse.Namespace,
) -> tuple[Painted | Files, dict[str, Any], Path, Manifest]:
    if parsed.images:
        folder = parsed.reference
        manifest = Manifest.load(folder)
        places = pipeline.places(folder, manifest, parsed.split)
        files = Files.find(parsed.images, places, manifest.size)
        return files, {"images": str(parsed.images)}, folder, manifest
    run = Run.existing(parsed.run)
    translator, _, step = assembly.restored_translator(run)
    config = settings.read(run.config)
    folder, manifest = assembly.records_of(run, parsed.reference, "--reference")
    if translator.edge_map == "instances" and not manifest.has_instances:
        raise UserError(f"--reference {folder}: has no instances, which run {run.folder} needs")
    if parsed.edges == "dned" and not translator.redraws:
        raise UserError(
            f"--edges dned: run {run.folder} never saw the DNED's edges; leave --edges out"
        )
    redraw = translator.redraws if parsed.edges is None else parsed.edges == "dned"
    edges = "dned" if redraw else translator.edge_map
    told = {"run": parsed.run, "step": step, "edges": edges, "training seed": config.seed}
    if parsed.history:
        told["history"] = parsed.history
    history = History(parsed.history, manifest.flow)
    painted = Painted(translator=translator, redraw=redraw, history=history)
    return painted, told, folder, manifest


def _told(edges: EdgeSettings) -> str:
    return ", ".join(f"records.edges.{name}={value:g}" for name, value in asdict(edges).items())


def _check_asked(
    parsed: argparse.Namespace, instruments: Instruments, subject: Painted | Files, pairs: int
) -> None:
    """Refuses to leave out what was asked for by name."""
    asked = parsed.metrics or ()
    if "segmentation" in asked and instruments.segment is None:
        raise UserError("--metrics segmentation: needs a --segmenter")
    described = instruments.features or instruments.clip_features
    if "distribution" in asked and described is None:
        if parsed.i3d is not None:
            raise UserError(
                f"--i3d: takes clips of {_FEWEST_OF_I3D} frames or more; the reference's have "
                f"{instruments.window}. Name --inception or a --segmenter of ours for FID"
            )
        raise UserError("--metrics distribution: needs --inception, --i3d or a --segmenter of ours")
    if "diversity" in asked and not (isinstance(subject, Painted) and subject.redraw):
        raise UserError(
            "--metrics diversity: needs a --run that paints from the DNED's edges, which alone "
            "give a scene several versions"
        )
    if "temporal" in asked and not pairs:
        raise UserError(
            "--metrics temporal: the reference holds no two consecutive frames; prepare records "
            "of sequences"
        )


def _frame_network(
    parsed: argparse.Namespace, judge: judges.Judge | None
) -> features.FeatureNetwork | None:
    if parsed.inception is None:
        if judge is None or judge.network is None:
            return None
        return features.segmenter_features(judge.network, weights=judge.weights)
    path = Path(parsed.inception)
    if path.is_dir():
        return features.saved_model_features(path)
    return features.imagenet_features(parsed.inception, setting="--inception")


def _clip_network(
    parsed: argparse.Namespace, frames: features.FeatureNetwork | None, window: int
) -> features.FeatureNetwork | None:
    """What describes clips of `window` frames; None where they are too few, or nothing does."""
    if parsed.i3d is not None:
        of_clips = features.saved_model_clip_features(parsed.i3d)
        return of_clips if window >= _FEWEST_OF_I3D else None
    return features.clip_features(frames) if frames and window > 1 else None


def _vgg(weights: str) -> VGG19Features:
    filters = _RANDOM_FILTERS if weights == "random" else 64
    network = VGG19Features(weights, filters=filters, seed=0)
    try:
        network.build((None, None, None, 3))
    except UserError as error:
        raise UserError(f"--vgg: {str(error).replace('perceptual.weights', '--vgg')}") from None
    return network


def _vgg_name(weights: str) -> str:
    told = f"random, {_RANDOM_FILTERS} filters, seed 0" if weights == "random" else weights
    return f"VGG19 ({features.weights_of(told)})"


def _hash(folder: Path, manifest: Manifest, split: str) -> str:
    digest = hashlib.sha256()
    for shard in manifest.splits[split].shards:
        with open(folder / shard["file"], "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _output(parsed: argparse.Namespace) -> Path:
    return (Run.existing(parsed.run).folder if parsed.run else parsed.images) / FOLDER
