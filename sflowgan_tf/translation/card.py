"""What a model says of itself: its classes, sizes, data, figures and origin, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.palette import ColorInput
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.provenance import KEYS

NAME = "model_card.json"
VERSION = 1

# From datasets/README.md
_TERMS = {
    "minicity": "Drawn by this program: no terms of others.",
    "synthia": "SYNTHIA: CC BY-NC-SA 3.0, no commercial use.",
    "cityscapes": "Cityscapes: registration; research only, no redistribution.",
    "cityscapes_sequence": "Cityscapes: registration; research only, no redistribution.",
    "vkitti": "Virtual KITTI 2: CC BY-NC-SA 3.0, no commercial use.",
    "kitti": "KITTI: CC BY-NC-SA 3.0, no commercial use.",
    "bdd100k": "BDD100K: education, research and not-for-profit purposes.",
    "mapillary": "Mapillary Vistas: registration; CC BY-NC-SA, no commercial use.",
}
_OTHERS = "The data's owner sets the terms."
_LATER = {"flow", "appearance"}  # keys that cards were written without
_NOTE = "Models and pictures made from a dataset may fall under its terms; read the owner's page."


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model card.

    Attributes:
        name: of the model.
        run: that trained it.
        step: of the run.
        classes: what its label indices mean.
        size: (width, height) that it was trained for; it takes others too.
        edges: settings of the Laplacian edges.
        flow: settings of the optical flow of the records that it was trained on; the defaults for
            cards that were written without them.
        edge_map: "laplacian", or "none" for a model that sees labels only.
        redraws: whether the DNED redraws the edges, so that a scene has versions.
        appearance: how it is given colours; None for a model that sees none, and for cards that
            were written without it.
        data: what it was trained on: dataset, frames, sequences.
        metrics: of its evaluation: subject, reference, scores, warnings; None without one.
        licence: a note on what the data allow.
        provenance: date, command, version, commit; "made" in JSON.
        version: of this schema.
    """

    name: str
    run: str
    step: int
    classes: ClassTable
    size: tuple[int, int]
    edges: EdgeSettings
    flow: Farneback = Farneback()
    edge_map: str
    redraws: bool
    appearance: ColorInput | None = None
    data: dict[str, Any]
    metrics: dict[str, Any] | None
    licence: str
    provenance: dict[str, str]
    version: int = VERSION

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        colors = self.appearance and self.appearance.to_dict()
        values = asdict(self) | {"classes": self.classes.to_dict(), "appearance": colors}
        return {KEYS.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_json(cls, text: str) -> Card:
        """What `to_dict` gave, as JSON.

        Raises:
            ValueError: it is damaged, or of another version.
        """
        try:
            values = json.loads(text)
            version = values["version"]
        except (ValueError, KeyError, TypeError):
            raise ValueError("damaged model card: expected JSON with a version in it") from None
        if version != VERSION:
            raise ValueError(f"model card of version {version}, expected {VERSION}")
        keys = {KEYS.get(field.name, field.name): field.name for field in fields(cls)}
        wrong = sorted((keys.keys() - _LATER - values.keys()) | (values.keys() - keys.keys()))
        if wrong:
            raise ValueError(f"damaged model card: missing or unknown: {', '.join(wrong)}")
        parts = {
            "classes": ClassTable.from_dict,
            "size": _size,
            "edges": lambda settings: EdgeSettings(**settings),
            "flow": lambda settings: Farneback(**settings),
            "appearance": lambda colors: colors and ColorInput.from_dict(colors),
        }
        for key in parts.keys() & values.keys():
            try:
                values[key] = parts[key](values[key])
            except (KeyError, TypeError, ValueError, AttributeError):
                raise ValueError(f"damaged model card: {key} is of another form") from None
        return cls(**{keys[key]: value for key, value in values.items()})


def _size(numbers: list[int]) -> tuple[int, int]:
    width, height = map(int, numbers)
    return width, height


def licence(dataset: str) -> str:
    """A note on the terms of a model that was trained on a dataset."""
    return f"{_TERMS.get(dataset, _OTHERS)} {_NOTE}"
