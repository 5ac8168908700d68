"""From what was measured on films to the scores of an evaluation, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sflowgan_tf.evaluation.figures import (
    Agreement,
    AgreementRatio,
    ColorDistance,
    Figure,
    Mean,
    Median,
    Ratio,
    is_labelled,
)
from sflowgan_tf.evaluation.measuring import LOOK, PAIRED, TEMPORAL, Clip, Instruments
from sflowgan_tf.evaluation.metrics.bootstrap import interval, units_of
from sflowgan_tf.evaluation.metrics.frechet import FrechetResampling, cautions
from sflowgan_tf.evaluation.metrics.kernel import KernelSums, kernel_distance
from sflowgan_tf.evaluation.metrics.paired import RANGES
from sflowgan_tf.evaluation.metrics.segmentation import Confusion
from sflowgan_tf.evaluation.result import ClassScore, Of, Score
from sflowgan_tf.ops.classes import ClassTable

_DRAWS, _DRAWS_OF_FEW = 200, 1000  # of the bootstrap; more where there are fewer than _FEW units
_FEW = 10
_SUBSETS = 100  # of KID
_UNITS = {"l1": "of the range", "psnr": "dB", "ssim": "", "perceptual": ""}
_FEWEST = 4  # pictures or windows of which a distance between sets is worth a figure
_AGREEMENTS = [
    Agreement(name=name, void_wrong=void_wrong)
    for void_wrong in (False, True)
    for name in ("mean_iou", "pixel_accuracy")
]

Films = Mapping[Of, Sequence[Clip]]


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """Turns films into scores.

    Attributes:
        films: what was measured on each; "generated" and "real" must be there, clip by clip alike.
        instruments: that it was measured with.
        segmenter: name of the segmenter, with its weights.
        groups: of the scores to make, some of `result.GROUPS`.
        motion: where the motion comes from that the temporal scores follow.
        perceptual: name of the network of the perceptual distances.
        class_names: of the label maps.
        seed: of the bootstrap.
    """

    films: Films
    instruments: Instruments
    segmenter: str
    groups: frozenset[str]
    motion: str
    perceptual: str
    class_names: Sequence[str]
    seed: int

    def scores(self) -> list[Score]:
        """All scores for which there are measurements, in the order of the groups."""
        of_frames = (self._segmentation, self._distribution, self._paired)
        return [
            score
            for group in (*of_frames, self._temporal, self._diversity, self._appearance)
            for of, clips in self.films.items()
            for score in group(of, clips)
        ]

    def warnings(self) -> list[str]:
        """Sentences on how far the scores can be trusted."""
        real, warnings = self.films["real"], []
        if len(real) == 1:
            warnings.append(
                "The reference is a single sequence: its frames are alike, so the intervals are "
                "too narrow, and hold for this sequence alone."
            )
        for name, field, network in (
            ("FID", "features", self.instruments.features),
            ("FVD", "windows", self.instruments.clip_features),
        ):
            count = sum(len(getattr(clip, field)) for clip in real)
            if network and count >= _FEWEST:
                warnings += [f"{name}: {text}" for text in cautions(count, network.dimension)]
            elif network:
                warnings.append(f"{name}: left out, {count} samples are too few.")
        return warnings

    def classes(self, table: ClassTable) -> list[ClassScore]:
        """IoU of each class, void ignored; empty without a segmenter or labelled pixels."""
        if self.instruments.segment is None or not is_labelled(_total(self.films["real"])):
            return []
        totals: dict[Of, np.ndarray] = {of: _total(clips) for of, clips in self.films.items()}
        pixels = totals["real"].sum(axis=1)
        scores: dict[Of, list[float | None]] = {
            of: Confusion.of(total).scores(void_wrong=False).class_iou
            for of, total in totals.items()
        }
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
        """The scores of each generated frame, as rows of a table."""
        rows = []
        for clip in self.films["generated"]:
            for index, number in enumerate(clip.frames):
                row: dict[str, Any] = {"sequence": clip.sequence, "frame": int(number)}
                if clip.paired.size:
                    row |= dict(zip(PAIRED, clip.paired[index].tolist(), strict=True))
                if clip.confusion.size and is_labelled(clip.confusion[index]):
                    scores = Confusion.of(clip.confusion[index]).scores(void_wrong=False)
                    row |= {"pixel_accuracy": scores.pixel_accuracy, "mean_iou": scores.mean_iou}
                rows.append(row)
        return rows

    def _segmentation(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        if self.instruments.segment is None:
            return
        film, real = (
            [unit.sum(0) for unit in units_of([clip.confusion for clip in each])]
            for each in (clips, self.films["real"])
        )
        for agreement in _AGREEMENTS:
            row = {
                "group": "segmentation",
                "of": of,
                "better": "higher",
                "n": sum(len(clip.frames) for clip in clips),
                "counted": "frames",
                "detail": {
                    "segmenter": self.segmenter,
                    "void": "counted as wrong" if agreement.void_wrong else "ignored",
                },
            }
            name = agreement.name
            # a draw of none but units without a value would have none
            units = [unit for unit in film if agreement.value(unit) is not None]
            if units:
                yield self._score(agreement, units, name=name, unit="", **row)
            pairs = [
                pair
                for pair in zip(film, real, strict=True)
                if agreement.void_wrong or is_labelled(pair[1])
            ]
            if of != "real" and pairs and all(agreement.value(unit) for _, unit in pairs):
                row |= {"name": f"{name}_ratio", "unit": "of the real frames' score"}
                yield self._score(AgreementRatio(agreement=agreement), pairs, **row)

    def _distribution(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        if of != "real":
            yield from self._distances(of, clips, "features", "fid")
            yield from self._distances(of, clips, "windows", "fvd")

    def _distances(
        self, of: Of, clips: Sequence[Clip], field: Literal["features", "windows"], frechet: str
    ) -> Iterator[Score]:
        """Distances between sets of vectors; real and generated ones are drawn together."""
        is_clips = field == "windows"
        network = self.instruments.clip_features if is_clips else self.instruments.features
        pairs = [
            np.stack([getattr(clip, field) for clip in both], axis=1)
            for both in zip(self.films["real"], clips, strict=True)
            if getattr(both[0], field).size
        ]
        count = sum(map(len, pairs))
        if network is None or count < _FEWEST:
            return
        detail = {"network": network.name, "weights": network.weights, "resizer": network.resizer}
        if is_clips:
            detail |= {"frames in a clip": self.instruments.window}
        units = units_of(pairs)
        row = {
            "group": "distribution",
            "of": of,
            "unit": "",
            "better": "lower",
            "n": count,
            "counted": "clips" if is_clips else "frames",
        }
        drawn = range(len(units))
        yield self._score(FrechetResampling(units), drawn, name=frechet, detail=detail, **row)
        if not is_clips:
            real, film = np.moveaxis(np.concatenate(pairs), 1, 0)
            subsets = kernel_distance(real, film, subsets=_SUBSETS, seed=self.seed)
            detail |= {"spread": subsets.spread, "subset size": subsets.subset_size}
            yield self._score(KernelSums(units), drawn, name="kid", detail=detail, **row)

    def _paired(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        if of == "real" or self.instruments.vgg is None or "paired" not in self.groups:
            return
        for column, name in enumerate(PAIRED):
            least, most = RANGES[name]
            units = units_of([clip.paired[:, column] for clip in clips])
            yield self._score(
                Mean(least=least, most=most),
                units,
                group="paired",
                name=name,
                of=of,
                unit=_UNITS[name],
                better="lower" if name in ("l1", "perceptual") else "higher",
                n=sum(map(len, units)),
                counted="frames",
                detail={"network": self.perceptual} if name == "perceptual" else {},
            )

    def _temporal(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        films = [clip.temporal for clip in clips if clip.temporal.size]
        for column, name in enumerate(TEMPORAL if films else ()):
            units = units_of([film[:, column] for film in films])
            yield self._score(
                Mean(most=1.0),
                units,
                group="temporal",
                name=name,
                of=of,
                unit="of the range",
                better="lower",
                n=sum(map(len, units)),
                counted="pairs",
                detail={"motion": self.motion},
            )

    def _diversity(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        units = [clip.diversity for clip in clips if clip.diversity.size]
        if units:
            yield self._score(
                Mean(),
                units,
                group="diversity",
                name="diversity",
                of=of,
                unit="",
                better="higher",
                n=len(units),
                counted="scenes",
                detail={"network": self.perceptual},
            )

    def _appearance(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        if self.instruments.appearance:
            yield from self._looks(of, clips)
            yield from self._colors(of, clips)
            yield from self._objects(of, clips)
            if self.instruments.traffic_light is not None:
                yield from self._lights(of, clips)

    def _looks(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        """Ratios of means over frames, or over the pixels of a class, to the real frames'."""
        film, real = (_sums(each, "look") for each in (clips, self.films["real"]))
        count = sum(len(clip.frames) for clip in clips)
        for column, name in enumerate(LOOK):
            better = "lower" if name == "ringing" else "nearer 1"
            detail = {"real frames": real[:, column].sum() / count}
            row = {"name": name, "of": of, "better": better, "n": count, "detail": detail}
            yield from self._ratio(film[:, column], real[:, column], row)
        film, real = (_sums(each, "gradients") for each in (clips, self.films["real"]))
        pixels = _sums(clips, "colors")[:, :, 0].sum(axis=(0, 2))
        for index, name in enumerate(self.class_names):
            if pixels[index]:
                detail = {"class": name, "real frames": real[:, index].sum() / pixels[index]}
                row = {"name": "gradient", "of": of, "better": "nearer 1", "n": count}
                yield from self._ratio(film[:, index], real[:, index], row | {"detail": detail})

    def _ratio(self, film: np.ndarray, real: np.ndarray, row: dict[str, Any]) -> Iterator[Score]:
        """The ratio over the units where it is defined; nothing where it is nowhere."""
        defined = real > 0
        if defined.any():
            ratio = Ratio(film=film[defined], real=real[defined])
            row |= {"group": "appearance", "unit": "of the real frames'", "counted": "frames"}
            yield self._score(ratio, range(defined.sum()), **row)

    def _colors(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        """Distances between the colours of all classes, and of each."""
        film, real = (_sums(each, "colors") for each in (clips, self.films["real"]))
        difference = film - real
        pixels = real[:, :, 0].sum(axis=-1)
        parts = [(slice(None), {})]
        parts += [(slice(i, i + 1), {"class": name}) for i, name in enumerate(self.class_names)]
        for part, detail in parts:
            of_part = pixels[:, part].sum(axis=1)
            there = of_part > 0
            if there.any():
                yield self._score(
                    ColorDistance(differences=difference[there, part], pixels=of_part[there]),
                    range(there.sum()),
                    group="appearance",
                    name="color_distance",
                    of=of,
                    unit="Lab units",
                    better="lower",
                    n=sum(len(clip.frames) for clip in clips),
                    counted="frames",
                    detail=detail,
                )

    def _objects(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        names = {"object_color_real": 2}
        if "simulator" in self.films:
            names = {"object_color_simulator": 1} | names
        for name, column in names.items():
            units = [
                np.concatenate(unit)
                for unit in units_of([_by_frame(clip, column) for clip in clips])
            ]
            units = [unit for unit in units if unit.size]
            if units:
                yield self._score(
                    Median(),
                    units,
                    group="appearance",
                    name=name,
                    of=of,
                    unit="Lab units",
                    better="lower",
                    n=sum(map(len, units)),
                    counted="objects",
                )

    def _lights(self, of: Of, clips: Sequence[Clip]) -> Iterator[Score]:
        """The share of traffic lights that show what they do in the simulator's frame."""
        lights, unchanged = _sums(clips, "lights").T
        there = lights > 0
        if there.any():
            yield self._score(
                Ratio(film=unchanged[there], real=lights[there], most=1.0),
                range(there.sum()),
                group="appearance",
                name="light_states_kept",
                of=of,
                unit="of the lights",
                better="higher",
                n=int(lights.sum()),
                counted="lights",
            )

    def _score(self, figure: Figure, units: Sequence[Any], **row: Any) -> Score:
        """A score of units and its interval, which ends where the figure's possible values do."""
        if len(units) == 1:
            return Score(value=float(figure([*units])), low=None, high=None, **row)
        ends = interval(
            figure,
            units,
            samples=_DRAWS if len(units) >= _FEW else _DRAWS_OF_FEW,
            seed=self.seed,
            name=row["name"],
        )
        low, high = (min(max(end, figure.least), figure.most) for end in (ends.low, ends.high))
        return Score(value=ends.estimate, low=low, high=high, **row)


def _total(clips: Sequence[Clip]) -> np.ndarray:
    """The confusion of all frames of a film."""
    return np.sum([clip.confusion.sum(0) for clip in clips], axis=0)


def _sums(
    clips: Sequence[Clip], field: Literal["look", "gradients", "colors", "lights"]
) -> np.ndarray:
    """A quantity summed over each unit, (units, ...)."""
    return np.stack([unit.sum(axis=0) for unit in units_of([getattr(c, field) for c in clips])])


def _by_frame(clip: Clip, column: int) -> list[np.ndarray]:
    """A column of a clip's objects, (objects,) of each frame."""
    objects = clip.objects.reshape(-1, 3)
    ends = np.searchsorted(objects[:, 0], np.arange(1, len(clip.frames)))
    return np.split(objects[:, column], ends)
