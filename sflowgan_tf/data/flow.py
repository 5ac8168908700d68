"""F(.), dense optical flow by OpenCV, and its coding as a picture."""

from dataclasses import asdict

import cv2
import numpy as np

from sflowgan_tf.ops.settings import Farneback

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
    return forward, consistent(forward, backward)


def consistent(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Where `ops.warp.consistent` is 1, to the bit: NumPy's single operations cost a film less.

    Args:
        forward: (height, width, 2) float32 pixels from the first frame to the second, dx and dy.
        backward: the same, from the second frame to the first.

    Returns:
        (height, width) bool.
    """
    height, width = forward.shape[:2]
    x, y = forward[..., 0], forward[..., 1]
    columns = np.arange(width, dtype=np.float32) + x
    rows = np.arange(height, dtype=np.float32)[:, None] + y
    stays = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    left, right, across = _neighbours(columns, width)
    top, bottom, down = _neighbours(rows, height)

    def fetched(plane: np.ndarray) -> np.ndarray:
        """A plane of `backward`, bilinearly from where `forward` points."""
        flat = plane.ravel()
        upper, lower = (
            (1 - across) * flat.take(line + left) + across * flat.take(line + right)
            for line in (top * width, bottom * width)
        )
        return (1 - down) * upper + down * lower

    back_x, back_y = fetched(backward[..., 0]), fetched(backward[..., 1])
    lengths = (np.square(x) + np.square(y)) + (np.square(back_x) + np.square(back_y))
    return stays & (np.square(x + back_x) + np.square(y + back_y) < 0.01 * lengths + 0.5)


def _neighbours(position: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels before and after a position, and the share of the one after."""
    lower = np.clip(np.floor(position), 0, max(size - 2, 0))
    share = np.clip(position - lower, 0, 1)
    before = lower.astype(np.int32)
    return before, np.minimum(before + 1, size - 1), share


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
