"""What a model says of itself: its classes, sizes, data, figures and origin, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import EdgeSettings

NAME = "model_card.json"
VERSION = 1

# As datasets/README.md tells.
_TERMS = {
    "minicity": "Drawn by this program: no terms of others.",
    "synthia": "SYNTHIA: CC BY-NC-SA 3.0, no commercial use.",
    "cityscapes": "Cityscapes: registration; research only, no redistribution.",
    "cityscapes_sequence": "Cityscapes: registration; research only, no redistribution.",
}
_OTHERS = "The data's owner sets the terms."
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
        edge_map: "laplacian", or "none" for a model that sees labels only.
        redraws: whether the DNED redraws the edges, so that a scene has versions.
        data: what it was trained on: dataset, frames, sequences.
        metrics: of its evaluation: subject, reference, scores, warnings; None without one.
        licence: a note on what the data allow.
        made: date, command, version, commit.
        version: of this schema.
    """

    name: str
    run: str
    step: int
    classes: ClassTable
    size: tuple[int, int]
    edges: EdgeSettings
    edge_map: str
    redraws: bool
    data: dict[str, Any]
    metrics: dict[str, Any] | None
    licence: str
    made: dict[str, str]
    version: int = VERSION

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"classes": self.classes.to_dict()}

    @classmethod
    def from_json(cls, text: str) -> Card:
        """What `to_dict` made, as JSON.

        Raises:
            ValueError: it is damaged, or of another version.
        """
        try:
            values = json.loads(text)
            if values["version"] != VERSION:
                raise ValueError(f"model card of version {values['version']}, expected {VERSION}")
            width, height = values["size"]
            parts = {"classes": ClassTable.from_dict(values["classes"]), "size": (width, height)}
            parts["edges"] = EdgeSettings(**values["edges"])
            return cls(**(values | parts))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"damaged model card ({error!r})") from None


def licence(dataset: str) -> str:
    """A note on the terms of a model that was trained on a dataset."""
    return f"{_TERMS.get(dataset, _OTHERS)} {_NOTE}"
