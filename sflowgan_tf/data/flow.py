"""F(.), dense optical flow by OpenCV, and its coding as a picture."""

from dataclasses import asdict

import cv2
import numpy as np

from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.ops.warp import consistent

_SCALE = 64.0
_ZERO = 1 << 15
# A sixth smaller than with OpenCV's default filter, in the same time
_PNG = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH]


def dense_flow(image_a: np.ndarray, image_b: np.ndarray, farneback: Farneback) -> np.ndarray:
    """The flow of `ops.flow.dense_flow` by OpenCV: faster, without gradients.

    Takes two consecutive frames (height, width, 3) uint8 RGB and gives (height, width, 2) float32,
    pixels per frame; channel 0 is dx (right), 1 is dy (down).

    Source: S-Flow GAN, sec. 3.3, names F a classical operator; Farneback's is our choice.
    """
    grey_a, grey_b = (
        cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY) for image in (image_a, image_b)
    )
    start = np.zeros((*grey_a.shape, 2), np.float32)
    settings = asdict(farneback)
    flags = cv2.OPTFLOW_FARNEBACK_GAUSSIAN if settings.pop("gaussian") else 0
    return cv2.calcOpticalFlowFarneback(grey_a, grey_b, start, flags=flags, **settings)


def estimated_motion(
    frame: np.ndarray, following: np.ndarray, farneback: Farneback
) -> tuple[np.ndarray, np.ndarray]:
    """Estimated flow of a pair of frames, and where it is reliable: for films without exact flow.

    Args:
        frame: (height, width, 3) uint8 RGB, of the real or the simulator's film; the flow of a
            generated film would follow its flicker.
        following: (height, width, 3) uint8 RGB, the next frame; or the one before, for the flow
            back in time.
        farneback: settings of `dense_flow`.

    Returns:
        Flow (height, width, 2) float32 from `frame` to `following`, pixels, channel 0 dx (right), 1
        dy (down), and mask (height, width) bool, whether a pixel is seen in both.
    """
    forward = dense_flow(frame, following, farneback)
    backward = dense_flow(following, frame, farneback)
    visible = np.asarray(consistent(forward[None], backward[None]))[0, ..., 0] > 0
    return forward, visible


def encode_flow(flow: np.ndarray, valid: np.ndarray | None = None) -> bytes:
    """A flow as KITTI's 16-bit PNG.

    Args:
        flow: (height, width, 2) floating, pixels; beyond -512..511.98 it is clipped.
        valid: (height, width) bool, where the flow is known; clipped pixels become invalid. By
            default all are valid, clipped ones too.

    Returns:
        PNG whose red is dx and green dy, each v * 64 + 2^15, and blue 1 if valid: the error is at
        most 1/128 pixel.
    """
    exact = np.rint(flow * _SCALE) + _ZERO
    levels = np.clip(exact, 0, 65535).astype(np.uint16)
    mask = np.ones(levels.shape[:2], bool)
    if valid is not None:
        mask = valid & (levels == exact).all(axis=-1)
    bgr = np.dstack([mask.astype(np.uint16), levels[..., ::-1]])
    return cv2.imencode(".png", bgr, _PNG)[1].tobytes()


def flow_of_levels(levels):
    """Pixels of KITTI's 16-bit levels, which are floats of any framework and shape."""
    return (levels - _ZERO) / _SCALE
