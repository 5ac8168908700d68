"""The report of an evaluation: one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.util.tensor_util import make_ndarray

from sflowgan_tf.evaluation.result import Of, Result, Score
from sflowgan_tf.utils.files import written_whole

FILE = "report.html"
_WIDEST = 1600  # pixels of a picture in the page
_POINTS = 120  # of a curve
PLOT = (240, 80)  # size of a curve's drawing
_FORMATS = {  # what a score is called, and how its value is written
    "mean_iou": ("Mean IoU", "{:.1%}"),
    "mean_iou_ratio": ("Mean IoU, share of the real frames'", "{:.1%}"),
    "pixel_accuracy": ("Pixel accuracy", "{:.1%}"),
    "pixel_accuracy_ratio": ("Pixel accuracy, share of the real frames'", "{:.1%}"),
    "fid": ("FID", "{:.3g}"),
    "kid": ("KID", "{:.3g}"),
    "fvd": ("FVD", "{:.3g}"),
    "l1": ("L1", "{:.4f}"),
    "psnr": ("PSNR", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "perceptual": ("Perceptual distance", "{:.3f}"),
    "warping_error": ("Warping error", "{:.4f}"),
    "flicker": ("Flicker", "{:.4f}"),
    "diversity": ("Diversity", "{:.4f}"),
    "sharpness": ("Sharpness", "{:.2f}"),
    "gradient": ("Mean gradient", "{:.2f}"),
    "colorfulness": ("Colourfulness", "{:.2f}"),
    "ringing": ("Ringing", "{:.2f}"),
    "color_distance": ("Distance of the colours", "{:.2f}"),
    "object_color_simulator": ("Objects' colours, to the simulator's", "{:.2f}"),
    "light_states_kept": ("Traffic lights that keep their state", "{:.3f}"),
    "object_color_real": ("Objects' colours, to the real frames'", "{:.2f}"),
}
_GROUPS = {
    "segmentation": "Segmentation",
    "distribution": "Distance between the sets",
    "paired": "Distance to the paired real frame",
    "temporal": "Steadiness",
    "diversity": "Variations of a scene",
    "appearance": "Appearance",
}
_HEADLINES = (
    "mean_iou",
    "pixel_accuracy",
    "fid",
    "fvd",
    "sharpness",
    "colorfulness",
    "warping_error",
    "l1",
    "diversity",
)
_COLUMNS: dict[Of, str] = {"generated": "Result", "simulator": "Simulator", "real": "Real"}


def write(folder: Path, logs: Path | None) -> Path:
    """Makes report.html of what `Result.save` wrote in a folder and of its pictures there.

    `logs` are those of the run that was scored, for its curves; None where there was none. The
    file, which is returned, appears whole or not at all.

    Raises:
        UserError: there is no evaluation in `folder`.
    """
    result = Result.load(folder)
    environment = Environment(
        loader=PackageLoader("sflowgan_tf.evaluation", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    columns: list[Of] = [of for of in _COLUMNS if any(score.of == of for score in result.scores)]
    page = environment.get_template("report.html.j2").render(
        result=result,
        title=result.subject.get("run") or result.subject["images"],
        headlines=list(_headlines(result)),
        columns=[_COLUMNS[of] for of in columns],
        groups=list(_groups(result, columns)),
        classes=result.classes,
        pictures=[(picture, embedded(folder / picture.file)) for picture in result.pictures],
        curves=list(curves(logs)) if logs else [],
        plot=PLOT,
    )
    with written_whole(folder / FILE) as partial:
        partial.write_text(page, encoding="utf-8")
    return folder / FILE


def _headlines(result: Result) -> Iterator[tuple[str, str, str]]:
    """Name, value and what it is to be compared with."""
    for name in _HEADLINES:
        score = result.find(name)
        if score is None:
            continue
        title, form = _FORMATS[name]
        others: tuple[Of, ...] = ("real", "simulator")
        beside = [
            f"{of} {form.format(other.value)}" for of in others if (other := result.find(name, of))
        ]
        if score.group == "distribution":
            beside.append(score.detail["network"].partition(" (")[0])
        yield title, form.format(score.value), ", ".join(beside)


def _groups(result: Result, columns: list[Of]) -> Iterator[tuple[str, list[dict]]]:
    """The table's parts, each with its rows."""
    parts = [
        (group, title, of_class) for group, title in _GROUPS.items() for of_class in (False, True)
    ]
    for group, title, of_class in parts:
        rows: dict[tuple[str, str], dict[Of, Score]] = {}
        for score in result.scores:
            if score.group == group and ("class" in score.detail) is of_class:
                key = score.name, score.detail.get("void") or score.detail.get("class", "")
                rows.setdefault(key, {})[score.of] = score
        if rows:
            yield (
                f"{title} of each class" if of_class else title,
                [_line(row, columns) for row in rows.values()],
            )


def _line(row: dict[Of, Score], columns: list[Of]) -> dict[str, Any]:
    """A row: what is small beside the name, and (value, interval) by column, None without one."""
    first = next(iter(row.values()))
    title, form = _FORMATS[first.name]
    details = [f"{name} {_detail(row, name, columns)}" for name in first.detail]
    unit = [first.unit] if first.unit and not first.name.endswith("_ratio") else []
    return {
        "name": title,
        "small": "; ".join([*unit, f"{first.n} {first.counted}", *details]),
        "better": first.better,
        "cells": [_cell(row[of], form) if of in row else None for of in columns],
    }


def _detail(row: dict[Of, Score], name: str, columns: list[Of]) -> str:
    """A detail, of each column where they differ."""
    details = [row[of].detail[name] for of in columns if of in row and name in row[of].detail]
    values = [f"{each:.3g}" if isinstance(each, float) else str(each) for each in details]
    return values[0] if len({*values}) == 1 else " / ".join(values)


def _cell(score: Score, form: str) -> tuple[str, str]:
    if score.low is None or score.high is None:
        return form.format(score.value), ""
    return form.format(score.value), f"{form.format(score.low)} to {form.format(score.high)}"


def embedded(file: Path) -> str:
    """A picture or film as a data URI; pictures are made as small as the page shows them."""
    if file.suffix == ".mp4":
        return f"data:video/mp4;base64,{base64.b64encode(file.read_bytes()).decode()}"
    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_WIDEST, _WIDEST * 4))
    coded = io.BytesIO()
    small.save(coded, format="jpeg", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(coded.getvalue()).decode()}"


def curves(logs: Path) -> Iterator[dict[str, Any]]:
    """Each loss in TensorBoard's files of the run: its name, an SVG path, and both ends' values.

    The files are read event by event: they hold the sheets of the training too, far more than fits
    into memory. Of steps that a resumed training did again, the later value counts.
    """
    losses: dict[str, dict[int, float]] = {}
    for file in sorted(logs.glob("*tfevents*")):
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.tag.startswith("losses/"):
                    losses.setdefault(value.tag, {})[event.step] = float(make_ndarray(value.tensor))
    for tag, values in sorted(losses.items()):
        if len(values) > 1:
            name = tag.removeprefix("losses/").replace("_", " ")
            yield _curve(name, np.array(sorted(values.items())))


def _curve(name: str, points: np.ndarray) -> dict[str, Any]:
    """Means of neighbouring points, as the path of a line in a drawing of `PLOT`'s size."""
    means = np.array([part.mean(0) for part in np.array_split(points, min(_POINTS, len(points)))])
    low, high = means.min(0), means.max(0)
    share = (means - low) / np.maximum(high - low, 1e-12)
    x, y = share[:, 0] * PLOT[0], (1 - share[:, 1]) * PLOT[1]
    return {
        "name": name,
        "path": "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True)),
        "low": f"{low[1]:.3g}",
        "high": f"{high[1]:.3g}",
        "first": int(points[0, 0]),
        "last": int(points[-1, 0]),
    }
