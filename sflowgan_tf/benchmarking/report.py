"""Rows as a table, and the JSON file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sflowgan_tf.benchmarking import machine
from sflowgan_tf.benchmarking.figures import Measured, Row
from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.provenance import provenance

_UNITS = {"flow": "pairs"}  # of a workload's items, where they are no frames
Own = tuple[str, Callable[[float], str], str]  # title, form and key of a figure
_OWN: list[Own] = [  # columns of some workloads alone
    ("waiting for data", "{:.2%}".format, "waiting"),
    ("grown, MB", lambda grown: f"{grown / 1e6:.1f}", "grown_bytes"),
]
_TOP = 15  # operations that are printed


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a Markdown table; rows of one workload."""
    unit = _UNITS.get(rows[0].task.workload, "frames")
    titles = [
        *(["form"] if rows[0].task.form else []),
        *("size", "batch", "s, median", "s, from to", "CPU s", f"{unit}/s", "peak, GB", "first, s"),
        *("GFLOP", "GFLOP/s", "of the ceiling", "MB", "MB/s", "of the ceiling"),
        *(title for title, _, key in _OWN if _has(rows, key)),
        *_names(row.rivals for row in rows),
    ]
    yield _line(titles)
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield _line(_cells(row, [own for own in _OWN if _has(rows, own[2])]))


def _has(rows: Sequence[Row], key: str) -> bool:
    return any(row.ours is not None and row.ours.figures.get(key) is not None for row in rows)


def _names(all_rivals: Iterable[list[Measured]]) -> list[str]:
    every = [rivals for rivals in all_rivals if rivals]
    names = (
        " or ".join(dict.fromkeys(r.name for r in place)) for place in zip(*every, strict=True)
    )
    return [f"ratio to {name}: median, quartiles; of CPU s" for name in names]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row, own: Sequence[Own]) -> list[str]:
    task, ours = row.task, row.ours
    place = [*([task.form] if task.form else []), task.size, str(task.batch)]
    if ours is None:
        return [*place, row.failure]
    values = ours.to_dict()
    seconds, peak = values["seconds"], values["peak_bytes"]
    return [
        *place,
        f"{seconds['median']:.4g}",
        f"{seconds['min']:.4g} {seconds['max']:.4g}",
        f"{values['cpu_seconds']['median']:.4g}",
        f"{values['items_per_second']:.3g}",
        f"{peak / 1e9:.2f}" if peak else "",
        f"{ours.first_s:.1f}",
        *_rate(values, "operations", 1e9),
        *_rate(values, "bytes", 1e6),
        *("" if values[key] is None else form(values[key]) for _, form, key in own),
        *map(_ratio, row.to_dict()["against"]),
    ]


def _rate(values: dict[str, Any], counted: str, unit: float) -> list[str]:
    rate = values["rates"].get(counted)
    if rate is None:
        return ["", "", ""]
    amounts = values[counted] / unit, rate["per_second"] / unit
    return [*(f"{amount:.3g}" for amount in amounts), f"{rate['share']:.1%}"]


def _ratio(rival: dict[str, Any]) -> str:
    ratio = rival["ratio"]
    low, high = ratio["quartiles"]
    cpu = rival["cpu_ratio"]["median"]
    return f"{ratio['median']:.2f}, {low:.2f} {high:.2f}; {cpu:.2f}"


def profile_tables(profile: list[dict[str, Any]]) -> Iterator[str]:
    """Where the time goes: by kind of operation, by network, and the single operations."""
    total = sum(row["seconds"] for row in profile)
    for title, key in (("operation", lambda row: row["type"]), ("part", _part)):
        seconds = Counter[str]()
        for row in profile:
            seconds[key(row)] += row["seconds"]
        yield from ("", f"| {title} | ms | share |", "|---|---|---|")
        for name, second in seconds.most_common(_TOP):
            yield f"| {name} | {1000 * second:.1f} | {second / total:.1%} |"
    yield from ("", "| single operation | place | ms | share |", "|---|---|---|---|")
    for row in profile[:_TOP]:
        cells = [row["type"], row["name"], f"{1000 * row['seconds']:.1f}", f"{row['share']:.1%}"]
        yield _line(cells)


def _part(row: dict[str, Any]) -> str:
    return part(row["name"])


def part(place: str) -> str:
    """The network, optimizer or other part of the work that an operation belongs to.

    Args:
        place: in the graph, such as "gradient_tape/global_generator_1/image_head_1/conv2d/Conv2D".

    Returns:
        Such as "global_generator, backward"; "rest" for what lies in no part.
    """
    parts = place.split("/")
    backward = parts[0] == "gradient_tape"
    first, *inner = parts[1:] if backward else parts
    name = first.rstrip("0123456789").rstrip("_") if inner else "rest"
    return f"{name}, backward" if backward else name


def write(file: Path, rows: Sequence[Row], command: str, more: dict[str, Any]) -> None:
    """Writes rows as JSON, whole or not at all.

    Args:
        file: to write.
        rows: of all that is measured so far.
        command: how the program was called.
        more: further keys of the first level.

    Raises:
        Failure: the disk refuses it.
    """
    content = {"made": provenance(command), "machine": machine.description(), **more}
    with writing(file):
        write_json(file, content | {"rows": [row.to_dict() for row in rows]})
