"""Class tables that come with the data, as rows of id, name and colour."""

import colorsys
from dataclasses import dataclass
from pathlib import Path

from sflowgan_tf.ops.classes import VOID, ClassTable, Color
from sflowgan_tf.utils.errors import UserError


@dataclass
class ClassRow:
    """One raw id of a table of your own.

    Attributes:
        id: in the label maps.
        name: of the class; ids of one name are one class.
        color: RGB, also of colour maps; None where there are no such maps: pictures have one that
            tells the class apart.
        ignored: whether its pixels count as void.
    """

    id: int
    name: str
    color: list[int] | None = None
    ignored: bool = False


def own_table(
    rows: list[ClassRow],
    file: Path,
    classes: str,
    *,
    name: str,
    channel: str | None = None,
    coding: str | None = None,
) -> ClassTable:
    """The class table of rows that a file holds.

    Args:
        rows: in the order of the classes.
        file: where they stand, for errors.
        classes: only "own" is right; no way from these to other classes is known.
        name: of the table.
        channel: "red" or None, as of `ClassTable`.
        coding: "ids", "colors" or None, as of `ClassTable`.

    Raises:
        UserError: other `classes`, or what a row or `channel` says is wrong.
    """
    if classes != "own":
        raise UserError(
            f"records.classes={classes}: expected own, since {file} has its own classes"
        )
    if channel not in (None, "red"):
        raise UserError(f"{file}: channel: expected red or nothing, got {channel!r}")
    _check_rows(rows, file)
    counted = [row for row in rows if not row.ignored]
    names = tuple(dict.fromkeys(row.name for row in counted))
    colors = {row.name: row.color for row in reversed(counted) if row.color is not None}
    colors = {name: _distinct(place) for place, name in enumerate(names)} | colors
    index = {name: place for place, name in enumerate(names)}
    return ClassTable(
        name=name,
        names=names,
        colors=tuple((colors[name][0], colors[name][1], colors[name][2]) for name in names),
        ids={row.id: VOID if row.ignored else index[row.name] for row in rows},
        channel=channel,  # type: ignore[arg-type]  # checked above
        coding=coding,  # type: ignore[arg-type]
        color_ids=_color_ids(rows),
    )


def _distinct(place: int) -> Color:
    """A colour unlike those of other places: hues that lie a golden section apart."""
    red, green, blue = colorsys.hsv_to_rgb(place * (5**0.5 - 1) / 2, 0.6, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def _color_ids(rows: list[ClassRow]) -> dict[Color, int]:
    """The ids of the colours, if each stands for one class; black is an ignored id, if free."""
    meant = {row.id: "" if row.ignored else row.name for row in rows}
    ids: dict[Color, int] = {}
    for row in rows:
        if row.color is not None:
            red, green, blue = row.color
            known = ids.setdefault((red, green, blue), row.id)
            if meant[known] != meant[row.id]:
                return {}
    for row in rows:
        if ids and row.ignored:
            ids.setdefault((0, 0, 0), row.id)
    return ids


def _check_rows(rows: list[ClassRow], file: Path) -> None:
    ids = [row.id for row in rows]
    twice = next((key for key in ids if ids.count(key) > 1), None)
    if twice is not None:
        raise UserError(f"{file}: classes: id {twice} is there twice; expected each once")
    for row in rows:
        color = (0, 0, 0) if row.color is None else row.color
        if len(color) != 3 or not all(0 <= level <= 255 for level in color):
            raise UserError(f"{file}: classes: color of {row.name!r}: expected [r, g, b], 0 to 255")
        if not 0 <= row.id < 1 << 16:
            raise UserError(f"{file}: classes: id {row.id}: expected 0 to 65535")
    if all(row.ignored for row in rows) or len({row.name for row in rows}) > VOID:
        raise UserError(f"{file}: classes: expected 1 to {VOID} classes that are not ignored")
