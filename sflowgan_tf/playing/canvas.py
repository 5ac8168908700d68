"""What is painted from: the label map, frame and strokes of a scene, as the browser edits them."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

import numpy as np

from sflowgan_tf.ops.classes import VOID
from sflowgan_tf.utils.errors import UserError

KEPT, DRAWN, RUBBED_OUT = 0, 1, 2  # what a stroke says of the edge at a pixel
MOST_PIXELS = 1 << 21  # of a canvas: 2048x1024
_PLANES = 5  # bytes a pixel: label, red, green, blue, stroke


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """A scene that is being edited.

    Attributes:
        labels: (height, width) uint8 class indices, or VOID.
        frame: (height, width, 3) uint8 RGB, the simulator's picture with what was painted on it.
        strokes: (height, width) uint8: KEPT, DRAWN or RUBBED_OUT.
    """

    labels: np.ndarray
    frame: np.ndarray
    strokes: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, frame: np.ndarray) -> Canvas:
        """One on which no edge was drawn or rubbed out."""
        return cls(labels=labels, frame=frame, strokes=np.zeros_like(labels))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        height, width = self.labels.shape
        return width, height

    def same(self, other: Canvas) -> bool:
        """Whether both hold the same, to the last pixel."""
        ours = (self.labels, self.frame, self.strokes)
        theirs = (other.labels, other.frame, other.strokes)
        return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))

    def edges(self, edges: np.ndarray) -> np.ndarray:
        """An edge map of the frame, (height, width) float32 in [0, 1], with the strokes on it."""
        kept = np.where(self.strokes == RUBBED_OUT, np.float32(0), edges)
        return np.where(self.strokes == DRAWN, np.float32(1), kept)

    def packed(self) -> str:
        """Text for the browser: the planes, one after the other, deflated, in base64.

        Label map, frame (its three channels pixel by pixel) and strokes.
        """
        planes = b"".join(plane.tobytes() for plane in (self.labels, self.frame, self.strokes))
        return base64.b64encode(zlib.compress(planes)).decode()

    @classmethod
    def unpacked(cls, text: str, size: tuple[int, int], num_classes: int) -> Canvas:
        """What `packed` gave, here or in the browser.

        Args:
            text: see `packed`.
            size: (width, height) that it should have.
            num_classes: of the model that shall paint it.

        Raises:
            UserError: it is no canvas of that size and these classes.
        """
        width, height = size
        pixels = width * height
        if not 0 < pixels <= MOST_PIXELS:
            raise UserError(f"a scene of {width}x{height}; expected at most {MOST_PIXELS} pixels")
        planes = np.frombuffer(_inflated(text, _PLANES * pixels), np.uint8)
        labels = planes[:pixels].reshape(height, width)
        strokes = planes[4 * pixels :].reshape(height, width)
        if strokes.max() > RUBBED_OUT:
            raise UserError("the scene holds strokes that are none; reload the page")
        unknown = labels[(labels >= num_classes) & (labels != VOID)]
        if unknown.size:
            raise UserError(
                f"the scene holds class {unknown[0]}, but this model has {num_classes} classes; "
                "choose a scene for this model"
            )
        frame = planes[pixels : 4 * pixels].reshape(height, width, 3)
        return cls(labels=labels, frame=frame, strokes=strokes)


def _inflated(text: str, length: int) -> bytes:
    """Exactly `length` bytes, and no more memory than they take."""
    try:
        inflater = zlib.decompressobj()
        planes = inflater.decompress(base64.b64decode(text, validate=True), length + 1)
    except (binascii.Error, zlib.error, ValueError, TypeError):
        raise UserError("the scene is damaged; reload the page") from None
    if len(planes) != length:
        raise UserError("the scene has not the size that it claims; reload the page")
    return planes
