"""Temporal blending of a film: each picture takes over a share of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sflowgan_tf.data.flow import estimated_motion
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.utils.files import written_whole

Motion = tuple[np.ndarray, np.ndarray]  # flow to the frame before, and where it is seen there

_TRUST = 200.0  # of an unchanged colour; see `History`


class History:
    """Blends each painted picture with the previous one, warped along the simulator film's flow.

    The previous picture counts at a pixel that is visible in both of the simulator's frames, by the
    forward-backward check of their flow, and as far as the simulator's colour c, in [0, 1], stayed
    the same there:

        share = weight * exp(-200 |c - c_before|^2),
        picture = (1 - share) * painted + share * picture_before.

    So nothing is taken over at a cut, or where a lamp is switched on. The warp is bicubic: bilinear
    sampling would blur the picture again with every frame. A weight of w leaves
    sqrt((1 - w) / (1 + w)) of the standard deviation of noise that is independent from frame to
    frame. What moves otherwise than the simulator's film leaves trails: reflections, and shadows
    that only the result has.

    Attributes:
        weight: largest share of the previous picture, in [0, 1); 0 switches blending off.

    Source: not in the paper. Temporal antialiasing (Yang et al., "A Survey of Temporal Antialiasing
    Techniques", 2020) with the visibility mask of Lai et al., "Learning Blind Video Temporal
    Consistency", ECCV 2018, whose 50 is our 200: a stricter mask and a larger weight are sharper at
    the same steadiness.
    """

    def __init__(self, weight: float, farneback: Farneback):
        """The state before a film's first frame.

        Args:
            weight: see the class.
            farneback: settings of the flow between the simulator's frames.
        """
        self.weight, self._farneback = weight, farneback
        self._before: dict[str, Any] = {}

    def motions(self, frames: Iterable[np.ndarray]) -> Iterator[Motion | None]:
        """What `steady` takes for each of the next frames, so that it can be made beforehand.

        Each of `frames` is (height, width, 3) uint8 RGB.
        """
        before: np.ndarray | None = self._before.get("frame")
        for frame in frames:
            if before is None or not self.weight:
                yield None
            else:
                yield estimated_motion(frame, before, self._farneback)
            before = frame

    def steady(
        self, frame: np.ndarray, painted: np.ndarray, motion: Motion | None = None
    ) -> np.ndarray:
        """Blends the next pictures of the film.

        Args:
            frame: (height, width, 3) uint8 RGB, the simulator's frame that they were painted from.
            painted: (versions, height, width, 3) uint8 RGB.
            motion: that `motions` gave for this frame; None estimates it.

        Returns:
            As `painted`; equal to it for the first frame of a film.
        """
        if not self.weight:
            return painted
        pictures = painted.astype(np.float32)
        if self._before:
            frame_before, pictures_before = self._before["frame"], self._before["pictures"]
            flow, visible = motion or estimated_motion(frame, frame_before, self._farneback)
            change = (_along(flow, frame_before).astype(np.float32) - frame) / 255
            trust = np.exp(-_TRUST * np.square(change).sum(axis=-1))
            share = (self.weight * visible * trust)[..., None]
            past = np.stack([_along(flow, picture) for picture in pictures_before])
            pictures = (pictures + share * (past - pictures)).clip(0, 255)  # bicubic overshoots
        self._before = {"frame": frame, "pictures": pictures}
        return np.rint(pictures).astype(np.uint8)

    def forget(self) -> None:
        """Begins another film: the next pictures are not blended."""
        self._before = {}

    def save(self, file: Path) -> None:
        """Writes the state to an NPZ file for `load`; the file appears whole."""
        with written_whole(file) as partial, open(partial, "wb") as stream:
            np.savez(stream, **self._before)

    def load(self, file: Path) -> None:
        """Takes up the state that `save` wrote; what follows is equal bit for bit.

        Raises:
            OSError, EOFError, ValueError, zipfile.BadZipFile: it is missing or damaged.
        """
        with np.load(file) as arrays:
            self._before = dict(arrays)


def _along(flow: np.ndarray, image: np.ndarray) -> np.ndarray:
    """An image, sampled bicubically where the flow points.

    Args:
        flow: (height, width, 2) float32, pixels, dx and dy.
        image: (height, width, 3), any dtype.
    """
    rows, columns = np.indices(flow.shape[:2], np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
