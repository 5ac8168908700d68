"""Mapillary Vistas: single photos from all over the world, with the class table that they bring.

Layout and configuration: the README of the dataset, v1.2 and v2.0 (Neuhold et al., The Mapillary
Vistas Dataset, ICCV 2017).
"""

import json
from pathlib import Path

from sflowgan_tf.data.media.pictures import pictures
from sflowgan_tf.data.sources.base import Source, ordered, parted, single
from sflowgan_tf.data.sources.own_classes import ClassRow, own_table
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError

# the list of classes, and where the label maps that it belongs to lie; the first that is there
_VERSIONS = {
    "config_v2.0.json": "v2.0/labels",
    "config_v1.2.json": "v1.2/labels",
    "config.json": "labels",
}
_EXPECTED = "{training,validation}/images/*.jpg"


def find(root: Path, classes: str) -> Source:
    """The annotated photos below `root`.

    Raises:
        UserError: there are none, or no list of classes, or `classes` are not its own.
    """
    config = next((name for name in _VERSIONS if (root / name).is_file()), None)
    maps = _VERSIONS[config or "config.json"]
    train, validation = (
        [
            single(photo, root / part / maps / f"{photo.stem}.png")
            for photo in pictures(root / part / "images")
        ]
        for part in ("training", "validation")
    )
    frames = ordered(parted(train, validation), root, _EXPECTED)
    if config is None:
        raise UserError(
            f"{root}: has no list of classes; expected one of {', '.join(_VERSIONS)}, which comes "
            "with the dataset"
        )
    return Source(frames, _table(root / config, classes))


def _table(file: Path, classes: str) -> ClassTable:
    """A class' id is its place in the list; what is not evaluated is void."""
    try:
        rows = [
            ClassRow(
                id=place, name=row["readable"], color=row["color"], ignored=not row["evaluate"]
            )
            for place, row in enumerate(json.loads(file.read_text())["labels"])
        ]
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{file}: is no list of classes; expected `labels`, each with readable, color and "
            "evaluate"
        ) from None
    return own_table(rows, file, classes, name="mapillary", coding="ids")
