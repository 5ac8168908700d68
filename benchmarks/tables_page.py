"""What `benchmarks.tables` measured, as docs/tables.md and a sheet of pictures."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.result import Of, Result, Score
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training import assembly
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import Failure
from sflowgan_tf.utils.files import written_whole

_FIGURES = {  # name in the evaluation: title, format, factor
    "pixel_accuracy": ("accuracy, %", "{:.1f}", 100),
    "mean_iou": ("mIoU, %", "{:.1f}", 100),
    "mean_iou_ratio": ("mIoU / oracle's", "{:.2f}", 1),
    "fid": ("Frechet distance", "{:.0f}", 1),
    "kid": ("KID", "{:.0f}", 1),
    "l1": ("L1", "{:.3f}", 1),
    "ssim": ("SSIM", "{:.3f}", 1),
    "perceptual": ("perceptual", "{:.3f}", 1),
    "fvd": ("Frechet distance of clips", "{:.0f}", 1),
    "warping_error": ("warping error", "{:.4f}", 1),
    "flicker": ("flicker", "{:.4f}", 1),
    "diversity": ("diversity", "{:.3f}", 1),
    "sharpness": ("sharpness", "{:.2f}", 1),
    "gradient": ("gradient", "{:.2f}", 1),
    "colorfulness": ("colourfulness", "{:.2f}", 1),
    "ringing": ("ringing", "{:.2f}", 1),
    "color_distance": ("colour distance", "{:.1f}", 1),
}
_DRIFT = "L1 of the last third / the first → 1"
_TABLES = {
    "Pictures": (
        "Semantic segmentation of the results by the oracle, and distances between the sets of "
        "pictures (the paper's tables 1 and 2).",
        ("pixel_accuracy", "mean_iou", "mean_iou_ratio", "fid", "kid", "diversity"),
    ),
    "Films": (
        "Frame by frame, but for `vid2vid`, which paints each frame from those before it, "
        "`ours-video`, which was trained on pairs of frames (the paper's table 3), and the rows "
        "with history, whose films are blended with their past along the motion of the simulator's "
        "frames. Warping error and flicker follow the motion, in shares of the range. The last "
        "column says whether errors accumulate: how far the last third of a film's pictures is "
        "from the real frames, in shares of the first third's distance.",
        ("fvd", "warping_error", "flicker"),
    ),
    "Likeness to the paired frame": (
        "Between a result and the real rendering of the same scene.",
        ("l1", "ssim", "perceptual"),
    ),
    "Appearance": (
        "In shares of the real frames' own, but for the distance of the classes' colours in Lab.",
        ("sharpness", "gradient", "colorfulness", "ringing", "color_distance"),
    ),
}
_SCENES, _COLUMNS = 3, 4  # of the sheet
_LONG = 12  # frames of a film in which errors could accumulate
_GIVEN: dict[str, Of] = {
    "simulator's frames as they are": "simulator",
    "oracle: real frames": "real",
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A row: its evaluations, one a seed, and whose scores of them it shows."""

    evaluations: Sequence[Result]
    of: Of
    folders: Sequence[Path] = ()

    @property
    def drift(self) -> str:
        """How the distance from the real frames grows through films, from `drift_of`."""
        known = [drift for folder in self.folders if (drift := drift_of(folder)) is not None]
        return f"{sum(known) / len(known):.2f}" if known else ""

    def cell(self, name: str) -> str:
        """The mean over the seeds, and from the lowest to the highest end of their intervals."""
        _, form, factor = _FIGURES[name]
        detail = {"void": "ignored"} if name.startswith(("pixel", "mean")) else {}
        scores = [one.find(name, self.of, **detail) for one in self.evaluations]
        found = [score for score in scores if score is not None]
        if not found:
            return ""
        mean = form.format(factor * sum(score.value for score in found) / len(found))
        lows = [score.low for score in found if score.low is not None]
        highs = [score.high for score in found if score.high is not None]
        if not lows or not highs:
            return mean
        low, high = (form.format(factor * end) for end in (min(lows), max(highs)))
        return f"{mean} ({low} to {high})"


def write(
    rows: dict[str, Sequence[Path]],
    runs: dict[str, Run],
    records: Path,
    *,
    split: str,
    folder: Path,
    made: str,
    story: str,
) -> Path:
    """Writes tables.md and tables.png, each whole or not at all.

    Args:
        rows: the evaluations of each, one a seed.
        runs: of the rows whose pictures are shown.
        records: that were painted, and
        split: which part of them.
        folder: for both.
        made: the page's line on how it was made, with places for {commits} and {dates}.
        story: its words on what the rows were trained and scored on.

    Returns:
        The page.

    Raises:
        Failure: rows were not scored on the same frames by the same segmenter.
    """
    found = {
        row: Measured(
            evaluations=[Result.load(folder) for folder in folders],
            of="generated",
            folders=folders,
        )
        for row, folders in rows.items()
    }
    everything = [one for measured in found.values() for one in measured.evaluations]
    _check_alike(everything)
    one = everything[0]
    found |= {row: Measured(evaluations=[one], of=of) for row, of in _GIVEN.items()}
    parts = [_head(everything, len(next(iter(rows.values()))), made, story)]
    for title, (text, names) in _TABLES.items():
        titles = [f"{_FIGURES[name][0]} {_arrow(everything, name)}" for name in names]
        cells = {row: [measured.cell(name) for name in names] for row, measured in found.items()}
        if not any(map(any, cells.values())):
            continue
        if "warping_error" in names:
            titles.append(_DRIFT)
            cells = {row: [*line, found[row].drift] for row, line in cells.items()}
        parts.append(f"## {title}\n\n{text}\n\n{_table(titles, cells)}")
    parts += [_classes(found), _foot(everything)]
    with written_whole(folder / "tables.md") as partial:
        partial.write_text("\n\n".join(parts) + "\n")
    with written_whole(folder / "tables.png") as partial:
        sheet = _sheet(runs, records, split)
        Image.fromarray(sheet).save(partial, format="png", optimize=True)
    return folder / "tables.md"


def drift_of(folder: Path) -> float | None:
    """How far a film's last pictures are from the real frames, in shares of the first ones'.

    Args:
        folder: of an evaluation.

    Returns:
        Mean L1 of the last third of each sequence over that of the first third; None where there
        is no L1 or no sequence of `_LONG` frames.
    """
    with open(folder / "frames.csv", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("l1")]
    films: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: (row["sequence"], int(row["frame"]))):
        films.setdefault(row["sequence"], []).append(float(row["l1"]))
    long = [film for film in films.values() if len(film) >= _LONG]
    if not long:
        return None
    first, last = (
        np.mean([np.mean(part(film, len(film) // 3)) for film in long])
        for part in (lambda film, n: film[:n], lambda film, n: film[-n:])
    )
    return float(last / first)


def _table(titles: Sequence[str], rows: dict[str, list[str]]) -> str:
    lines = [["", *titles], ["---", *["---:"] * len(titles)]]
    lines += [[name, *cells] for name, cells in rows.items() if any(cells)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _check_alike(everything: Sequence[Result]) -> None:
    kinds = {
        (one.reference["sha256"], score.detail["segmenter"])
        for one in everything
        for score in one.scores
        if score.name == "mean_iou"
    }
    if len(kinds) != 1:
        raise Failure(
            f"rows were scored in different ways ({kinds}); delete the folders `evaluation` of the "
            "runs in runs/tables, and run it again"
        )


def _first(everything: Sequence[Result], name: str) -> Score | None:
    return next((score for one in everything if (score := one.find(name))), None)


def _arrow(everything: Sequence[Result], name: str) -> str:
    score = _first(everything, name)
    return "" if score is None else {"higher": "↑", "lower": "↓"}.get(score.better, "→ 1")


def _head(everything: Sequence[Result], seeds: int, made: str, story: str) -> str:
    reference = everything[0].reference
    commits = ", ".join(sorted({one.provenance["commit"] for one in everything}))
    dates = sorted({one.provenance["date"][:10] for one in everything})
    return f"""# The paper's tables in small

{made.format(commits=commits, dates=" and ".join(dates))}

{story}

Scored were {reference["frames"]} frames of {reference["size"]} in {reference["clips"]} sequences.
Cells are means of {seeds} seeds; in brackets from the lowest to the highest end of the seeds' 95 %
bootstrap intervals.

![The same scenes by each row](tables.png)"""


def _classes(found: dict[str, Measured]) -> str:
    """IoU of each class, means over the seeds."""
    columns = {row: measured for row, measured in found.items() if measured.of != "simulator"}
    rows = {}
    for index, one in enumerate(next(iter(columns.values())).evaluations[0].classes):
        cells = []
        for measured in columns.values():
            ious = [each.classes[index].iou[measured.of] for each in measured.evaluations]
            known = [iou for iou in ious if iou is not None]
            cells.append(f"{100 * sum(known) / len(known):.0f}" if known else "")
        rows[one.name] = cells
    table = _table(list(columns), rows)
    return f"## Classes\n\nIoU in percent, void ignored, means over the seeds.\n\n{table}"


def _foot(everything: Sequence[Result]) -> str:
    lines = []
    for name in ("mean_iou", "fid", "fvd", "warping_error", "perceptual", "diversity"):
        score = _first(everything, name)
        if score is not None:
            details = {"n": f"{score.n} {score.counted}"} | score.detail
            lines.append(
                f"- {name}: {'; '.join(f'{key} {_short(v)}' for key, v in details.items())}"
            )
    lines += [f"- {warning}" for warning in everything[0].warnings]
    return "## What the figures rest on\n\n" + "\n".join(lines)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _sheet(runs: dict[str, Run], records: Path, split: str) -> np.ndarray:
    """The same scenes given, by each row's run, and real, four columns to a line."""
    manifest = Manifest.load(records)
    frames = pipeline.frames(records, manifest, split, _SCENES)
    columns: dict[str, list[np.ndarray]] = {
        "labels": [manifest.classes.colorize(frame["labels"].numpy()) for frame in frames],
    }
    if manifest.has_cg:
        columns["simulator"] = [frame["image_cg"].numpy() for frame in frames]
    for row, run in runs.items():
        painter = assembly.restored_translator(run)[0]
        columns[row] = [painter.picture(frame, redraw=painter.redraws) for frame in frames]
    columns["real"] = [frame["image_real"].numpy() for frame in frames]
    lines = []
    for start in range(0, len(columns), _COLUMNS):
        titles = [*columns][start : start + _COLUMNS]
        pictures = [
            [_doubled(columns[title][index]) for title in titles] for index in range(_SCENES)
        ]
        lines.append(contact_sheet(pictures, titles))
    widest = lines[0].shape[1]
    white = [((0, 0), (0, widest - line.shape[1]), (0, 0)) for line in lines]
    return np.concatenate(
        [np.pad(line, pad, constant_values=255) for line, pad in zip(lines, white, strict=True)]
    )


def _doubled(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(2, axis=0).repeat(2, axis=1)
