"""A trained model as its user holds it, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from sflowgan_tf.ops.classes import VOID, ClassTable
from sflowgan_tf.ops.palette import Palette, Recoloring
from sflowgan_tf.ops.settings import SIDE_OUTPUTS, Farneback
from sflowgan_tf.utils.arrays import kind
from sflowgan_tf.utils.errors import UserError

_LEAST = 2  # pixels a side, which a Laplacian needs
_EQUAL_WEIGHTS = np.full(SIDE_OUTPUTS, 1 / SIDE_OUTPUTS, np.float32)


class Engine(Protocol):
    """What runs a model: Keras networks, the signatures of a SavedModel or a server, LiteRT."""

    @property
    def redraws(self) -> bool:
        """Whether it was trained on the DNED's edges, so that a scene has versions."""
        ...

    def translate(
        self,
        labels: np.ndarray,
        frame: np.ndarray,
        weights: np.ndarray | None,
        recoloring: Recoloring | None = None,
        /,
    ) -> np.ndarray:
        """Paints one scene.

        Args:
            labels: (height, width) uint8 class indices or VOID.
            frame: (height, width, 3) uint8 RGB; it gives the edges and, to a model with a palette,
                the colours.
            weights: (6,) float32, >= 0, of the DNED's side outputs; None leaves the DNED out.
            recoloring: of the frame's colours, for a model with a palette; None for
                `palette.given()`.

        Returns:
            (height, width, 3) uint8 RGB.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Model:
    """A trained model: call `translate` once a frame.

    It is a context manager, which closes the connection of a model on a server.

    Attributes:
        engine: what runs it.
        classes: the class table; `classes.encode(raw)` turns a simulator's class ids into the
            indices that `translate` takes, `classes.names` names them.
        size: (width, height) of the frames that it was trained on. A TFLite file takes this size
            alone, the others take any.
        flow: settings of the optical flow of the records that it was trained on.
        edge_map: what it sees beside the labels: "laplacian" edges, or "none" at all.
        palette: the colours of its training data, of a model that sees the frame's colours too;
            its methods give what `translate` takes as `appearance`. None for other models.
        origin: run, step and place of the model, for the metadata of pictures.
        files: its files on this machine, by which an interrupted film tells whether they changed.
        close: ends the connection to a server; does nothing for other models.
    """

    engine: Engine
    classes: ClassTable
    size: tuple[int, int]
    flow: Farneback
    edge_map: str
    palette: Palette | None = None
    origin: dict[str, str]
    files: list[Path] = field(default_factory=list)
    close: Callable[[], None] = lambda: None

    def __enter__(self) -> Model:
        """The model itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    @property
    def redraws(self) -> bool:
        """Whether the DNED redraws the edges, so that other weights give other versions."""
        return self.engine.redraws

    def translate(
        self,
        labels: np.ndarray,
        frame: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        edges: Literal["dned", "laplacian"] | None = None,
        appearance: Recoloring | None = None,
    ) -> np.ndarray:
        """Paints one scene.

        Args:
            labels: (height, width) uint8 class indices of `classes`, 255 where there is none.
            frame: (height, width, 3) uint8 RGB, the simulator's picture of the same scene; height
                and width at least 2.
            weights: (6,) numbers from 0 on, one of them larger, of the DNED's side outputs; only
                their ratios count. None: equal weights.
            edges: what the scene is painted from. "dned": the edges that the DNED draws;
                "laplacian": those of the frame's Laplacian. None: "dned" for a model with
                `redraws`, else "laplacian".
            appearance: the colours of the picture, of a model with a palette: what happens to the
                frame's. None: `palette.given()`, which brings the frame's own colours to the range
                of real ones.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            UserError: an argument has another shape, dtype or range, or asks for edges or colours
                that this model does not have.
            Failure: a server refuses, no longer answers, or answers with something else.
        """
        self._check_scene(labels, frame)
        if edges == "laplacian" and weights is not None:
            raise UserError("weights: are the DNED's; leave them out, or edges='laplacian'")
        if not self.redraws and (edges == "dned" or weights is not None):
            raise UserError(
                "weights and edges='dned': this model has no DNED, or was never trained on its "
                "edges; leave them out"
            )
        if appearance is not None:
            self._check_appearance(appearance)
        if edges == "laplacian" or not self.redraws:
            return self.engine.translate(labels, frame, None, appearance)
        shares = _EQUAL_WEIGHTS if weights is None else _checked_weights(weights)
        return self.engine.translate(labels, frame, shares, appearance)

    def _check_appearance(self, appearance: Recoloring) -> None:
        """UserError where it is no recolouring for this model."""
        if self.palette is None:
            raise UserError("appearance: this model sees no colours; leave it out")
        if not isinstance(appearance, Recoloring):
            raise UserError(
                "appearance: expected what a method of this model's palette gives, such as "
                f"palette.cluster(0), got {type(appearance).__name__}"
            )
        shape = (self.classes.num_classes + 1, 3)
        for name in ("scale", "shift"):
            values = np.asarray(getattr(appearance, name))
            if values.shape != shape or values.dtype.kind != "f" or not np.isfinite(values).all():
                raise UserError(
                    f"appearance.{name}: expected {shape} finite floats, one row for each class "
                    f"and one for void, got {kind(values)}"
                )

    def _check_scene(self, labels: np.ndarray, frame: np.ndarray) -> None:
        """UserError where the arrays are not those of one scene."""
        if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype != np.uint8:
            raise UserError(
                f"labels: expected (height, width) uint8 class indices, got {kind(labels)}; "
                "classes.encode(raw) makes them of one channel of raw ids"
            )
        is_frame = isinstance(frame, np.ndarray) and frame.shape == (*labels.shape, 3)
        if not is_frame or frame.dtype != np.uint8:
            raise UserError(
                f"frame: expected {(*labels.shape, 3)} uint8 RGB, as the labels are "
                f"{labels.shape}, got {kind(frame)}; resize one of them"
            )
        if min(labels.shape) < _LEAST:
            raise UserError(f"labels: expected {_LEAST} pixels a side or more, got {labels.shape}")
        outside = labels[(labels >= self.classes.num_classes) & (labels != VOID)]
        if outside.size:
            raise UserError(
                f"labels: index {outside[0]} is outside class table {self.classes.name!r}, which "
                f"has {self.classes.num_classes} classes; expected 0 to "
                f"{self.classes.num_classes - 1}, or {VOID} where there is none; "
                "classes.encode(raw) makes indices of raw ids"
            )


def _checked_weights(weights: np.ndarray) -> np.ndarray:
    """Ensemble weights as float32; UserError where they are none."""
    try:
        array = np.asarray(weights, np.float32)
    except (TypeError, ValueError):
        raise UserError(f"weights: expected {SIDE_OUTPUTS} numbers, got {weights!r}") from None
    if array.shape != (SIDE_OUTPUTS,):
        raise UserError(f"weights: expected shape ({SIDE_OUTPUTS},), got {array.shape}")
    if not ((array >= 0).all() and 0 < array.sum() < np.inf):
        raise UserError(f"weights: expected numbers from 0 on, one of them larger, got {array}")
    return array
