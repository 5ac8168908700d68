"""What painted frames are worth to a segmenter: trained on each kind of frames, tested on real."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from sflowgan_tf.config import Config
from sflowgan_tf.config import Segmenter as SegmenterSettings
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import NAME as MANIFEST
from sflowgan_tf.data.manifest import Manifest, write_json
from sflowgan_tf.data.replacing import replace_photos
from sflowgan_tf.evaluation.metrics.bootstrap import Interval, interval, units_of
from sflowgan_tf.evaluation.metrics.segmentation import Confusion
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.segmenting.segmenter import Segmenter
from sflowgan_tf.evaluation.segmenting.training import SegmenterTraining
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.ops.palette import Palette, Recoloring
from sflowgan_tf.training import assembly, resuming
from sflowgan_tf.training.assembly.class_comparison import class_differences
from sflowgan_tf.training.loop import train
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.appearance import MEASURED, SetColors
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.locks import locked

KINDS = ("simulator", "painted", "real")
FIGURES, SHEET = "downstream.json", "downstream.png"
_ON_SHEET = 4
_DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class Usefulness:
    """How well segmenters that were trained on one kind of frames segment real ones.

    Attributes:
        trained_on: one of `KINDS`.
        mean_iou: of the real validation frames, void ignored; the mean over the seeds, with the
            interval over the drives that are tested on.
        seeds: the mean IoU of each seed's segmenter.
        gain: the mean IoU less that of those trained on the simulator's frames, drawn in pairs;
            None for these themselves.
    """

    trained_on: str
    mean_iou: Interval
    seeds: list[float]
    gain: Interval | None


class Downstream:
    """A comparison in a folder: the records of each kind, a segmenter's run for each seed."""

    def __init__(
        self, config: Config, scenes: Reference, real: Reference, painter: Run, output: Path
    ):
        """Checks what is compared.

        Args:
            config: of the segmenters, all alike but for their seeds.
            scenes: the training frames of records that hold the simulator's frames: beside the
                real ones or, if `real` are others, as their photos.
            real: the training frames of records with real frames, `scenes` or others; segmenters
                are tested on the validation frames of these records.
            painter: the run that paints.
            output: what is made lies there.

        Raises:
            UserError: there are no simulator's frames, too few validation frames, or frames of two
                sizes or classes.
        """
        self.config, self.scenes, self.real = config, scenes, real
        self.painter, self.output = painter, output
        if not scenes.manifest.has_cg and scenes.sha256 == real.sha256:
            raise UserError(
                f"{scenes.folder}: holds no simulator's frames beside the real ones, so there is "
                "nothing to paint and compare; if its photos are a simulator's, name records of "
                "real frames with --real"
            )
        self.tested = replace(real, split="validation")
        if self.tested.frames < 2:
            raise UserError(
                f"{real.folder}: expected two validation frames or more to test on; prepare some"
            )
        if scenes.manifest.size != real.manifest.size:
            here, there = ("{}x{}".format(*each.manifest.size) for each in (scenes, real))
            raise UserError(
                f"{scenes.folder}: frames of {here}, those of {real.folder} of {there}; prepare "
                "both with one --size"
            )
        trained = Manifest.load(painter.manifest).classes
        for each in (scenes, real):
            differing = class_differences(trained, each.manifest.classes)
            if differing:
                raise UserError(
                    f"{painter.folder}: knows other classes than {each.folder} ({differing}); "
                    f"prepare it with `classes` in the order of {', '.join(trained.names)}"
                )

    def work(self, seeds: int) -> list[Usefulness]:
        """Makes the records, trains, tests, and writes figures and sheet.

        Args:
            seeds: segmenters of each kind, from the configuration's seed on.

        Raises:
            UserError: what is in the folder was made of other records, or by another model.
            Failure: the disk refuses, or see `Training.run`.
        """
        with locked(self.output, "or choose another --output"):
            return self._work(seeds)

    def _work(self, seeds: int) -> list[Usefulness]:
        self._check_source()
        tested_on = self.tested.folder, self.tested.manifest
        for kind in KINDS:
            source, output = self._source(kind), self._records(kind)
            if not (output / MANIFEST).is_file():
                given, pictures = (source.folder, self._as_scenes(source)), self._pictures(kind)
                replace_photos(*given, output, pictures, kind, tested=tested_on)
        tested: dict[str, list[np.ndarray]] = {}
        segmenters: dict[str, Segmenter] = {}
        for kind in KINDS:
            of_seeds = []
            for seed in range(self.config.seed, self.config.seed + seeds):
                print(f"Segmenter trained on {kind} frames, seed {seed}")
                segmenter = self._trained(kind, seed)
                of_seeds.append(self._confusions(segmenter))
                segmenters.setdefault(kind, segmenter)
            drives = [np.stack(drive, axis=1) for drive in zip(*of_seeds, strict=True)]
            tested[kind] = [unit.sum(0) for unit in units_of(drives)]
        found = [_usefulness(kind, tested) for kind in KINDS]
        with writing(self.output):
            write_json(self.output / FIGURES, [asdict(each) for each in found])
            with written_whole(self.output / SHEET) as partial:
                Image.fromarray(self._sheet(segmenters)).save(partial, "png")
        return found

    def _check_source(self) -> None:
        """Refuses a folder that holds what was made of something else."""
        file = self.output / "source.json"
        source = {
            "scenes": self.scenes.sha256,
            "real frames": [self.real.sha256, self.tested.sha256],
            "run": str(self.painter.folder),
            "steps": self.painter.steps,
        }
        with writing(self.output):
            self.output.mkdir(parents=True, exist_ok=True)
            if not file.is_file():
                write_json(file, source)
        known = _read_json(file)
        if known != source:
            differing = [key for key in source if known.get(key) != source[key]]
            raise UserError(
                f"{self.output}: holds a comparison of other {' and '.join(differing)}; choose "
                "another --output"
            )

    def _trained(self, kind: str, seed: int) -> Segmenter:
        config = replace(self.config, seed=seed, segmenter=self._budget(kind))
        run = Run(self.output / f"{kind}-{seed}")
        resuming.check_same(config, run)
        return train(SegmenterTraining, config, self._records(kind), run).segmenter

    def _budget(self, kind: str) -> SegmenterSettings:
        """The settings with about as many updates as on the scenes."""
        settings = self.config.segmenter
        updates = settings.epochs * self.scenes.frames / self._source(kind).frames
        return replace(settings, epochs=max(1, round(updates)))

    def _records(self, kind: str) -> Path:
        return self.output / "records" / kind

    def _source(self, kind: str) -> Reference:
        return self.real if kind == "real" else self.scenes

    def _as_scenes(self, source: Reference) -> Manifest:
        """The manifest with the settings of the scenes: edges and flow, which no segmenter sees."""
        scenes = self.scenes.manifest
        return replace(source.manifest, edges=scenes.edges, flow=scenes.flow, seed=scenes.seed)

    def _pictures(self, kind: str) -> Callable[[pipeline.Frames], np.ndarray]:
        if kind != "painted":
            field = {"simulator": "image_cg", "real": "image_real"}[kind]
            return lambda frame: frame[field].numpy()
        model = assembly.model_of_run(str(self.painter.folder), self.painter)
        recoloring = None if model.palette is None else self._given_colors(model.palette)

        def painted(frame: pipeline.Frames) -> np.ndarray:
            labels, image = frame["labels"].numpy(), frame["image_cg"].numpy()
            return model.translate(labels, image, appearance=recoloring)

        return painted

    def _given_colors(self, palette: Palette) -> Recoloring:
        folder, manifest = self.scenes.folder, self.scenes.manifest
        frames = pipeline.evenly_spaced(folder, manifest, self.scenes.split, MEASURED)
        scenes = ((frame["labels"].numpy(), frame["image_cg"].numpy()) for frame in frames)
        colors = SetColors.of(scenes, manifest.classes.num_classes)
        return palette.given(colors.source(palette))

    def _confusions(self, segmenter: Segmenter) -> list[np.ndarray]:
        """For each drive of the validation frames, (frames, C + 1, C + 1) int64."""
        drives = []
        classes = self.tested.manifest.classes
        bar = tqdm(desc="testing", total=self.tested.frames, unit="frame", leave=False)
        for clip in pipeline.sequences(self.tested.folder, self.tested.manifest, "validation"):
            counts = []
            for frame in clip:
                confusion = Confusion(classes.num_classes)
                predicted = segmenter.segment(frame["image_real"][None])[0].numpy()
                confusion.update(frame["labels"].numpy(), predicted)
                counts.append(confusion.counts)
                bar.update()
            drives.append(np.stack(counts))
        bar.close()
        return drives

    def _sheet(self, segmenters: dict[str, Segmenter]) -> np.ndarray:
        folder, manifest = self.tested.folder, self.tested.manifest
        frames = pipeline.evenly_spaced(folder, manifest, "validation", _ON_SHEET)
        colorize = manifest.classes.colorize
        rows = [
            [
                frame["image_real"].numpy(),
                colorize(frame["labels"].numpy()),
                *(
                    colorize(segmenter.segment(frame["image_real"][None])[0].numpy())
                    for segmenter in segmenters.values()
                ),
            ]
            for frame in frames
        ]
        return contact_sheet(rows, ["real frame", "labels", *(f"by {kind}" for kind in segmenters)])


def report(found: Sequence[Usefulness]) -> list[str]:
    """The comparison as lines for people."""
    lines = ["Mean IoU on the real validation frames, void ignored (95 % interval):"]
    for each in found:
        line = f"  trained on {each.trained_on:10}{_written(each.mean_iou)}"
        lines.append(line if each.gain is None else f"{line}, gain {_written(each.gain)}")
    return lines


def _written(figure: Interval) -> str:
    return f"{figure.estimate:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _usefulness(kind: str, tested: dict[str, list[np.ndarray]]) -> Usefulness:
    draws: dict[str, Any] = {"samples": _DRAWS, "seed": 0}
    own, simulator = tested[kind], tested[KINDS[0]]
    pairs = [np.stack(pair) for pair in zip(own, simulator, strict=True)]
    return Usefulness(
        trained_on=kind,
        mean_iou=interval(lambda units: _mean_iou(units).mean(), own, name=kind, **draws),
        seeds=_mean_iou(own).tolist(),
        gain=None if kind == KINDS[0] else interval(_gain, pairs, name=f"{kind}, gain", **draws),
    )


def _gain(pairs: list[np.ndarray]) -> float:
    own, simulator = (_mean_iou([pair[side] for pair in pairs]).mean() for side in (0, 1))
    return own - simulator


def _mean_iou(units: Sequence[np.ndarray]) -> np.ndarray:
    """Of each seed, (seeds,), of units (seeds, C + 1, C + 1) that are counted together."""
    totals = np.sum(units, axis=0)
    scores = [Confusion.of(total).scores(void_wrong=False).mean_iou for total in totals]
    return np.array(scores, np.float64)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())
    except ValueError:
        raise UserError(f"{file}: damaged; choose another --output") from None
