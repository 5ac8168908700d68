"""The result of an evaluation, as `metrics.json` holds it: subject, reference and scores.

The report, the model card and the tables are made from it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.provenance import KEYS

VERSION = 1
FOLDER = "evaluation"  # default output, in the folder of the run or the pictures that are scored
METRICS = "metrics.json"
GROUPS = ("segmentation", "distribution", "paired", "temporal", "diversity", "appearance")

Of = Literal["generated", "simulator", "real"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure.

    Attributes:
        group: one of `GROUPS`.
        name: of the figure within the group.
        of: whose pictures; the real ones' row is the oracle's, or the floor.
        value: the figure.
        low: lower end of its 95 % bootstrap interval; None where there is too little to draw from.
        high: upper end.
        unit: such as "dB" or "of the range"; empty for a share or a distance.
        better: which way is better; "nearer 1" is for ratios that may be too large as well.
        n: how many frames, pairs, clips or scenes it is made of.
        counted: what `n` counts.
        detail: network, weights, resizer, protocol: what must be equal for figures to compare.
    """

    group: str
    name: str
    of: Of
    value: float
    low: float | None
    high: float | None
    unit: str
    better: Literal["higher", "lower", "nearer 1"]
    n: int
    counted: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """The IoU of one class, void ignored.

    Attributes:
        name: of the class.
        color: (red, green, blue), 0 to 255.
        pixels: of the class in the reference.
        iou: by whose pictures; None where the class is nowhere.
    """

    name: str
    color: list[int]
    pixels: int
    iou: dict[Of, float | None]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture or film beside `metrics.json`.

    Attributes:
        file: its name.
        title: a few words.
        caption: what is to be seen, one sentence.
    """

    file: str
    title: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """Scores of a subject against a reference.

    Attributes:
        subject: run, step and edges of what was scored, or the folder of its pictures.
        reference: records, split, size, number of frames and clips, hash.
        provenance: date, command, version, commit, seed of the evaluation; "made" in the file.
        scores: the figures.
        classes: IoU of each class; empty without a segmenter.
        warnings: sentences on what was left out and how far the scores can be trusted.
        pictures: sheets and film beside the file.
        version: of this schema.
    """

    subject: dict[str, Any]
    reference: dict[str, Any]
    provenance: dict[str, Any]
    scores: list[Score]
    classes: list[ClassScore]
    warnings: list[str]
    pictures: list[Picture]
    version: int = VERSION

    def save(self, folder: Path) -> None:
        """Writes metrics.json, scores.csv and, with a segmenter, classes.csv, each whole or not."""
        values = {KEYS.get(name, name): value for name, value in asdict(self).items()}
        _write(folder / METRICS, json.dumps(values, indent=1) + "\n")
        _write(folder / "scores.csv", _csv([asdict(score) for score in self.scores]))
        rows = [asdict(one) for one in self.classes]
        for row in rows:
            row |= {f"iou {of}": iou for of, iou in row.pop("iou").items()}
        if rows:
            _write(folder / "classes.csv", _csv(rows))

    @classmethod
    def load(cls, folder: Path) -> Result:
        """Reads what `save` wrote.

        Raises:
            UserError: it is missing, damaged or of another version.
        """
        file = folder / METRICS
        try:
            values = json.loads(file.read_text())
            if values["version"] != VERSION:
                raise UserError(
                    f"{file}: of version {values['version']}, expected {VERSION}; evaluate anew"
                )
            for name, key in KEYS.items():
                values[name] = values.pop(key)
            parts = {"scores": Score, "classes": ClassScore, "pictures": Picture}
            lists = {name: [kind(**one) for one in values[name]] for name, kind in parts.items()}
            return cls(**(values | lists))
        except FileNotFoundError:
            raise UserError(f"{file}: there is no evaluation here") from None
        except ValueError as error:
            raise UserError(f"{file}: is no JSON ({error}); evaluate anew") from None
        except (KeyError, TypeError):
            raise UserError(
                f"{file}: damaged, its fields are not those of an evaluation; evaluate anew"
            ) from None

    def find(self, name: str, of: Of = "generated", **detail: Any) -> Score | None:
        """The first score of that name and those details; None where it was not measured."""
        for score in self.scores:
            if (score.name, score.of) == (name, of) and detail.items() <= score.detail.items():
                return score
        return None


def write_frames(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes the figures of single frames as CSV."""
    _write(file, _csv(rows))


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        nested = {name: json.dumps(x) for name, x in row.items() if isinstance(x, dict | list)}
        writer.writerow(row | nested)
    return text.getvalue()


def _write(file: Path, text: str) -> None:
    with written_whole(file) as partial:
        partial.write_text(text)


def summary(result: Result) -> str:
    """The scores as lines of a terminal: whose, name, value, interval, unit; none of one class."""
    lines = []
    for score in result.scores:
        if "class" in score.detail:
            continue
        ends = "" if score.low is None else f"{score.low:.4g} to {score.high:.4g}"
        void = score.detail.get("void", "")
        name = f"{score.name}, void {void}" if void else score.name
        lines.append(f"  {score.of:<10} {name:<44} {score.value:>9.4g}  {ends:<22}{score.unit}")
    return "\n".join(["Scores (95 % interval):", *lines])
