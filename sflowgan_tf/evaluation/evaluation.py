"""One evaluation: a subject is measured against a reference, scored, and the files are written."""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from sflowgan_tf.evaluation import report, unmeasurable
from sflowgan_tf.evaluation.cache import cached
from sflowgan_tf.evaluation.frames import PaintFunction
from sflowgan_tf.evaluation.gallery import Gallery
from sflowgan_tf.evaluation.measuring import VERSION, Clip, Instruments
from sflowgan_tf.evaluation.networks import perceptual_name
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.result import FOLDER, Of, Result, write_frames
from sflowgan_tf.evaluation.scoring import Scoring
from sflowgan_tf.evaluation.segmenting.judges import Judge
from sflowgan_tf.evaluation.subjects import Files, Painted
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.files import unfinished_folder
from sflowgan_tf.utils.locks import locked
from sflowgan_tf.utils.provenance import provenance

_OPTIONAL = {"best.png", "worst.png", "variations.png", "classes.csv"}  # not in every evaluation
_VERSIONS = 4  # of a scene, for diversity


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores a subject against a reference.

    Attributes:
        subject: whose pictures are scored.
        reference: the real frames.
        instruments: that measure both.
        judge: the segmenter of `instruments`; None without one.
        groups: of metrics, some of `result.GROUPS`.
        seed: of intervals and variations.
    """

    subject: Painted | Files
    reference: Reference
    instruments: Instruments
    judge: Judge | None
    groups: frozenset[str]
    seed: int

    def run(self, output: Path, command: str) -> Result:
        """Measures, scores and writes metrics.json, tables, pictures and report.html.

        The files take the place of an earlier evaluation's in `output` together, once all are
        there. `command` is the call of the program, for the record.

        Raises:
            UserError: another evaluation is at work there.
            Failure: a file can't be written.
        """
        with ExitStack() as unfinished:
            with writing(output):  # a folder that can't be is refused before the work
                unfinished.enter_context(locked(output, "or choose another --output"))
                folder = unfinished.enter_context(unfinished_folder(output, FOLDER))
            films = self._films()
            scoring = self._scoring(films)
            frames = scoring.frames()
            gallery = Gallery(self.subject, self.reference, self.seed, folder)
            notes = unmeasurable.notes(self.groups, self.subject, self.reference, self.instruments)
            with writing(output):
                pictures = gallery.pictures(frames)
            result = Result(
                subject=self.subject.description,
                reference=self.reference.description(films["real"]),
                provenance=provenance(command) | {"evaluation seed": self.seed},
                scores=scoring.scores(),
                classes=scoring.classes(self.reference.manifest.classes),
                warnings=[*notes, *scoring.warnings()],
                pictures=pictures,
            )
            with writing(output):
                write_frames(folder / "frames.csv", frames)
                result.save(folder)
                report.write(folder, self.subject.logs)
                _replace(folder, output)
        return result

    def _films(self) -> dict[Of, list[Clip]]:
        """Measurements on the subject's pictures, the simulator's frames, if any, and the real."""
        subject, variations = self.subject, None
        if isinstance(subject, Painted) and subject.varies and "diversity" in self.groups:
            variations = partial(subject.versions, count=_VERSIONS, seed=self.seed)
        films: dict[Of, list[Clip]] = {}
        films["generated"] = self._measured("generated", subject.picture, variations)
        if self.reference.manifest.has_cg:
            films["simulator"] = self._recorded("simulator", "image_cg")
        films["real"] = self._recorded("real", "image_real")
        return films

    def _recorded(self, of: Of, field: str) -> list[Clip]:
        return cached(
            self.reference.folder,
            f"{of}-{self._identity}",
            lambda: self._measured(of, lambda frame: frame[field].numpy()),
        )

    def _measured(
        self, of: Of, paint: PaintFunction, variations: PaintFunction | None = None
    ) -> list[Clip]:
        with tqdm(total=self.reference.frames, desc=of, unit="frame") as bar:
            clips = self.instruments.measure(self.reference.clips(), paint, variations, bar.update)
            return list(clips)

    def _scoring(self, films: dict[Of, list[Clip]]) -> Scoring:
        exact = self.reference.manifest.has_motion
        return Scoring(
            films=films,
            instruments=self.instruments,
            segmenter=f"{self.judge.name} ({self.judge.weights})" if self.judge else "",
            groups=self.groups,
            motion="exact" if exact else "Farneback on the real film",
            perceptual=perceptual_name(self.instruments),
            class_names=self.reference.manifest.classes.names,
            seed=self.seed,
        )

    @property
    def _identity(self) -> str:
        """16 digits of a hash of all that measurements on the reference depend on."""
        networks = (self.instruments.features, self.instruments.clip_features)
        parts = [
            VERSION,
            self.reference.sha256,
            str(self.instruments.window),
            self.instruments.vgg_weights,
            *(f"{network.name} {network.weights}" if network else "" for network in networks),
            self.judge.weights if self.judge and self.instruments.segment else "",
            *sorted(self.groups),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _replace(folder: Path, output: Path) -> None:
    """Moves the files of an evaluation to where an earlier one's may lie, which go."""
    files = [*folder.iterdir()]
    for name in _OPTIONAL - {file.name for file in files}:
        (output / name).unlink(missing_ok=True)
    for file in files:
        os.replace(file, output / file.name)
