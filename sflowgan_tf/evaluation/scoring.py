"""From what was measured on films to the figures of an evaluation, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sflowgan_tf.evaluation.measuring import PAIRED, TEMPORAL, Clip, Instruments
from sflowgan_tf.evaluation.metrics.bootstrap import interval, units_of
from sflowgan_tf.evaluation.metrics.frechet import cautions, frechet_distance
from sflowgan_tf.evaluation.metrics.kernel import KernelSums, kernel_distance
from sflowgan_tf.evaluation.metrics.segmentation import Confusion, SegmentationScores
from sflowgan_tf.evaluation.result import ClassScore, Of, Score
from sflowgan_tf.ops.classes import ClassTable

_DRAWS, _MORE_DRAWS = 200, 1000  # of the bootstrap; more where there are fewer than _FEW units
_FEW = 10
_SUBSETS = 100  # of KID
_UNITS = {"l1": "of the range", "psnr": "dB", "ssim": "", "perceptual": ""}
_FEWEST = 4  # pictures or windows of which a distance between sets is worth a figure

Films = Mapping[Of, Sequence[Clip]]


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """Turns films into scores.

    Attributes:
        films: what was measured on each; "generated" and "real" must be there, clip by clip alike.
        instruments: with which.
        segmenter: what the segmenter is called, with its weights.
        wanted: groups of scores.
        motion: where the motion comes from that the temporal scores follow.
        perceptual: what the network of the perceptual distances is called.
        seed: of the bootstrap.
    """

    films: Films
    instruments: Instruments
    segmenter: str
    wanted: frozenset[str]
    motion: str
    perceptual: str
    seed: int

    def scores(self) -> list[Score]:
        """All that can be told, in the order of the groups."""
        found: list[Score] = []
        for measure in (
            self._segmentation,
            self._distribution,
            self._paired,
            self._temporal,
            self._diversity,
        ):
            for of, clips in self.films.items():
                found += measure(of, clips)
        return found

    def warnings(self) -> list[str]:
        """What to bear in mind."""
        real, found = self.films["real"], []
        if len(real) == 1:
            found.append(
                "The reference is a single sequence: its frames are alike, so the intervals are "
                "too narrow, and hold for this sequence alone."
            )
        for name, which, network in (
            ("FID", "features", self.instruments.features),
            ("FVD", "windows", self.instruments.clip_features),
        ):
            count = sum(len(getattr(clip, which)) for clip in real)
            if network and count >= _FEWEST:
                found += [f"{name}: {text}" for text in cautions(count, network.dimension)]
            elif network:
                found.append(f"{name}: left out, {count} samples are too few.")
        return found

    def classes(self, table: ClassTable) -> list[ClassScore]:
        """IoU of each class, void ignored."""
        if self.instruments.segment is None or not _is_labelled(_total(self.films["real"])):
            return []
        scores: dict[Of, list[float | None]] = {
            of: _segmented(_total(clips), False).class_iou for of, clips in self.films.items()
        }
        pixels = _total(self.films["real"]).sum(axis=1)
        return [
            ClassScore(
                name=name,
                color=[int(value) for value in table.colors[index]],
                pixels=int(pixels[index]),
                iou={of: ious[index] for of, ious in scores.items()},
            )
            for index, name in enumerate(table.names)
        ]

    def frames(self) -> list[dict[str, Any]]:
        """The figures of each generated frame, for a table."""
        rows = []
        for clip in self.films["generated"]:
            for index, number in enumerate(clip.frames):
                row: dict[str, Any] = {"sequence": clip.sequence, "frame": int(number)}
                if clip.paired.size:
                    row |= dict(zip(PAIRED, clip.paired[index].tolist(), strict=True))
                if clip.confusion.size and _is_labelled(clip.confusion[index]):
                    scores = _segmented(clip.confusion[index], False)
                    row |= {"pixel_accuracy": scores.pixel_accuracy, "mean_iou": scores.mean_iou}
                rows.append(row)
        return rows

    def _segmentation(self, of: Of, clips: Sequence[Clip]) -> list[Score]:
        if self.instruments.segment is None:
            return []
        found = []
        of_all = [
            [unit.sum(0) for unit in units_of([clip.confusion for clip in film])]
            for film in (clips, self.films["real"])
        ]
        for void_wrong in (False, True):
            pairs = [
                (unit, real)
                for unit, real in zip(*of_all, strict=True)
                if void_wrong or _is_labelled(real)
            ]
            if not pairs:
                continue
            units = [unit for unit, _ in pairs]
            for name in ("mean_iou", "pixel_accuracy"):

                def value(drawn, name=name, void_wrong=void_wrong) -> float:
                    return getattr(_segmented(np.sum(drawn, axis=0), void_wrong), name)

                def ratio(drawn, value=value) -> float:
                    return value([d[0] for d in drawn]) / value([d[1] for d in drawn])

                detail = {
                    "segmenter": self.segmenter,
                    "void": "counted as wrong" if void_wrong else "ignored",
                }
                more = {"unit": "", "better": "higher", "detail": detail}
                frames = (sum(len(clip.frames) for clip in clips), "frames")
                group = ("segmentation", name)
                found.append(self._score(*group, of, value, units, frames, **more))
                if of != "real" and all(value([real]) for _, real in pairs):
                    more |= {"unit": "of the real frames' score"}
                    name_of_ratio = ("segmentation", f"{name}_ratio")
                    found.append(self._score(*name_of_ratio, of, ratio, pairs, frames, **more))
        return found

    def _distribution(self, of: Of, clips: Sequence[Clip]) -> list[Score]:
        if of == "real":
            return []
        return [
            *self._distances(of, clips, "features", "fid", "frames"),
            *self._distances(of, clips, "windows", "fvd", "clips"),
        ]

    def _distances(
        self, of: Of, clips: Sequence[Clip], which: str, frechet: str, counted: str
    ) -> list[Score]:
        """Distances between sets of vectors; real and generated ones are drawn together."""
        network = getattr(self.instruments, "features" if which == "features" else "clip_features")
        pairs = [
            np.stack([getattr(clip, which) for clip in both], axis=1)
            for both in zip(self.films["real"], clips, strict=True)
            if getattr(both[0], which).size
        ]
        count = sum(map(len, pairs))
        if network is None or count < _FEWEST:
            return []
        detail = {
            "network": network.name,
            "weights": network.weights,
            "resizer": network.resizer,
        }
        if which == "windows":
            detail |= {"frames in a clip": self.instruments.window}
        units = units_of(pairs)
        more = {"unit": "", "better": "lower", "detail": detail}
        args = (of, _frechet, units, (count, counted))
        found = [self._score("distribution", frechet, *args, **more)]
        if which == "features":
            real, generated = np.moveaxis(np.concatenate(pairs), 1, 0)
            told = kernel_distance(real, generated, subsets=_SUBSETS, seed=self.seed)
            more["detail"] = detail | {"spread": told.spread, "subset size": told.subset_size}
            args = (of, KernelSums(units).squared_mmd, range(len(units)), (count, counted))
            found.append(self._score("distribution", "kid", *args, **more))
        return found

    def _paired(self, of: Of, clips: Sequence[Clip]) -> list[Score]:
        if of == "real" or self.instruments.vgg is None or "paired" not in self.wanted:
            return []
        found = []
        for column, name in enumerate(PAIRED):
            units = units_of([clip.paired[:, column] for clip in clips])
            detail = {"network": self.perceptual} if name == "perceptual" else {}
            better = "lower" if name in ("l1", "perceptual") else "higher"
            args = (of, _mean, units, (sum(map(len, units)), "frames"))
            more = {"unit": _UNITS[name], "better": better, "detail": detail}
            found.append(self._score("paired", name, *args, **more))
        return found

    def _temporal(self, of: Of, clips: Sequence[Clip]) -> list[Score]:
        films = [clip.temporal for clip in clips if clip.temporal.size]
        found = []
        for column, name in enumerate(TEMPORAL if films else ()):
            units = units_of([film[:, column] for film in films])
            args = (of, _mean, units, (sum(map(len, units)), "pairs"))
            more = {"unit": "of the range", "better": "lower", "detail": {"motion": self.motion}}
            found.append(self._score("temporal", name, *args, **more))
        return found

    def _diversity(self, of: Of, clips: Sequence[Clip]) -> list[Score]:
        units = [clip.diversity for clip in clips if clip.diversity.size]
        if not units:
            return []
        args = (of, _mean, units, (len(units), "scenes"))
        more = {"unit": "", "better": "higher", "detail": {"network": self.perceptual}}
        return [self._score("diversity", "diversity", *args, **more)]

    def _score(
        self,
        group: str,
        name: str,
        of: Of,
        statistic: Callable[[Any], float],
        units: Sequence[Any],
        count: tuple[int, str],
        **more: Any,
    ) -> Score:
        if len(units) > 1:
            draws = _DRAWS if len(units) >= _FEW else _MORE_DRAWS
            found = interval(statistic, units, samples=draws, seed=self.seed)
            ends = {"value": found.estimate, "low": found.low, "high": found.high}
        else:
            ends = {"value": float(statistic([*units])), "low": None, "high": None}
        n, counted = count
        return Score(group=group, name=name, of=of, n=n, counted=counted, **ends, **more)


def _mean(units: Sequence[np.ndarray]) -> float:
    return float(np.concatenate(units).mean())


def _frechet(units: Sequence[np.ndarray]) -> float:
    both = np.concatenate(units)
    return frechet_distance(both[:, 0], both[:, 1])


def _total(clips: Sequence[Clip]) -> np.ndarray:
    return sum(clip.confusion.sum(0) for clip in clips)  # type: ignore[return-value]


def _is_labelled(counts: np.ndarray) -> bool:
    """Whether a confusion matrix, whose last row is void's, counts a pixel of a class."""
    return bool(counts[:-1].any())


def _segmented(counts: np.ndarray, void_wrong: bool) -> SegmentationScores:
    confusion = Confusion(len(counts) - 1)
    confusion.counts += counts
    return confusion.scores(void_wrong=void_wrong)
