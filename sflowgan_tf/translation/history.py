"""A film's past, which steadies its present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sflowgan_tf.data.flow import estimated_motion
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.utils.files import written_whole

_TRUST = 200.0


class History:
    """Blends each picture of a film with the one before, brought along the given film's motion.

    What was painted before is taken where a pixel is seen in both given frames, by the
    forward-backward check of their flow, and as far as the given film kept its colour c there:

        share = weight * exp(-200 |c - c_before|^2),
        picture = (1 - share) * painted + share * picture_before.

    So a cut, or a lamp that is switched on, takes nothing over. The past is fetched bicubically:
    bilinear sampling would blur it anew with every frame. A weight of w leaves
    sqrt((1 - w) / (1 + w)) of the deviation of what is painted anew each time, and trails of what
    moves otherwise than the given film: reflections, and shadows that only the result has.

    Attributes:
        weight: of the past, in [0, 1).

    Source: not in the paper. Temporal antialiasing (Yang et al., "A Survey of Temporal Antialiasing
    Techniques", 2020) with the visibility mask of Lai et al., "Learning Blind Video Temporal
    Consistency", ECCV 2018, whose 50 is our 200: a stricter mask and a larger weight are sharper at
    the same steadiness.
    """

    def __init__(self, weight: float, farneback: Farneback):
        """Nothing has happened yet.

        Args:
            weight: of the past.
            farneback: settings of `data.flow.dense_flow`.
        """
        self.weight, self._farneback = weight, farneback
        self._before: dict[str, Any] = {}

    def steady(self, frame: np.ndarray, painted: np.ndarray) -> np.ndarray:
        """The next pictures of the film.

        Args:
            frame: (height, width, 3) uint8 RGB, that they were painted from.
            painted: (versions, height, width, 3) uint8 RGB.

        Returns:
            As `painted`; the first ones as they are.
        """
        if not self.weight:
            return painted
        pictures = painted.astype(np.float32)
        if self._before:
            frame_before, pictures_before = self._before["frame"], self._before["pictures"]
            flow, visible = estimated_motion(frame, frame_before, self._farneback)
            change = (_along(flow, frame_before).astype(np.float32) - frame) / 255
            trust = np.exp(-_TRUST * np.square(change).sum(axis=-1))
            share = (self.weight * visible * trust)[..., None]
            past = np.stack([_along(flow, picture) for picture in pictures_before])
            pictures = (pictures + share * (past - pictures)).clip(0, 255)  # bicubic overshoots
        self._before = {"frame": frame, "pictures": pictures}
        return np.rint(pictures).astype(np.uint8)

    def forget(self) -> None:
        """What comes next is another film."""
        self._before = {}

    def save(self, file: Path) -> None:
        """Keeps the past for `load`; the file appears whole."""
        with written_whole(file) as partial, open(partial, "wb") as stream:
            np.savez(stream, **self._before)

    def load(self, file: Path) -> None:
        """Goes on where the film that was saved stopped, with the same bits."""
        with np.load(file) as arrays:
            self._before = dict(arrays)


def _along(flow: np.ndarray, image: np.ndarray) -> np.ndarray:
    """An image (height, width, 3), fetched from where the flow (height, width, 2) points."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
