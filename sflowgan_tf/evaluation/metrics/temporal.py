"""How steady a film is: what changes in it that no motion explains."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from sflowgan_tf.ops.warp import backward_warp

_WINDOW = 1 / 32  # of the height


@dataclass
class Steadiness:
    """Warping error and flicker of films, pair by pair of frames.

    Both compare a frame with the next one brought back along the motion, where a pixel is seen in
    both. They are means of absolute differences (L1) over pixels and channels, of the range [0, 1],
    and then over the pairs, each pair with equal weight. They measure the flow's and the
    resampling's errors too, so what counts is the distance from a real film's figures, taken by
    another instance with the same flow and mask.

    - Warping error: the difference pixel by pixel. Noise raises it; a softer picture has less.
    - Flicker: the signed difference is first averaged over the visible pixels of a Gaussian window
      of standard deviation height / 32, so that drift and flashing of areas count, but neither
      noise nor fine detail out of place.

    Nothing but two numbers a pair is kept; two instances are joined by joining their lists.

    Attributes:
        warping_errors: one for each pair that has a visible pixel.
        flickers: the same.

    Source: Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, sec. 4.1, with L1
    instead of the squared distance; flicker is ours.
    """

    warping_errors: list[float] = field(default_factory=list)
    flickers: list[float] = field(default_factory=list)

    def update(
        self, frame: np.ndarray, following: np.ndarray, flow: np.ndarray, visible: np.ndarray
    ) -> None:
        """Take in a pair of frames; one without a visible pixel is left out.

        Args:
            frame: (height, width, 3) uint8 RGB.
            following: the same, one frame later.
            flow: (height, width, 2) floating, pixels from `frame` to `following`; channel 0 is dx
                (right), 1 is dy (down); anything where not visible.
            visible: (height, width) bool, whether the pixel is seen in both.

        Raises:
            ValueError: the shapes do not belong together.
        """
        _check(frame, following, flow, visible)
        if not visible.any():
            return
        target = np.where(visible[..., None], flow, 0)
        there = np.asarray(backward_warp(following[None], target[None]))[0]
        change = np.where(visible[..., None], there - frame, 0).astype(np.float32) / 255
        self.warping_errors.append(float(np.abs(change[visible]).mean()))
        self.flickers.append(float(np.abs(_local_mean(change, visible)[visible]).mean()))

    def result(self) -> dict[str, float]:
        """The means over the pairs: `warping_error` and `flicker`, >= 0.

        Raises:
            ValueError: there was no pair with a visible pixel.
        """
        if not self.flickers:
            raise ValueError("expected a pair of frames with a pixel seen in both, got none")
        return {
            "warping_error": float(np.mean(self.warping_errors)),
            "flicker": float(np.mean(self.flickers)),
        }


def _check(frame, following, flow, visible) -> None:
    if frame.shape != following.shape:
        raise ValueError(
            f"frame, following: expected equal shapes, got {frame.shape} and {following.shape}"
        )
    size = frame.shape[:2]
    for name, got, expected in (("flow", flow, (*size, 2)), ("visible", visible, size)):
        if got.shape != expected:
            raise ValueError(
                f"{name}: expected shape {expected} for frames of {frame.shape}, got {got.shape}"
            )


def _local_mean(change: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Mean of `change`, 0 where not visible, over the window's visible pixels."""
    sigma = _WINDOW * len(change)

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)

    weight = np.where(visible, blur(visible.astype(np.float32)), 1)
    return blur(change) / weight[..., None]
