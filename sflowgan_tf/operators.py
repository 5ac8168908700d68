"""The paper's operators for single NumPy frames: the edge map E(.) and the dense flow F(.)."""

import numpy as np

from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.arrays import kind
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.quiet import import_tensorflow


def laplacian_edges(frame: np.ndarray, settings: EdgeSettings = EdgeSettings()) -> np.ndarray:
    """E(.), the edge map of the records and of the models: where the Laplacian is large.

    Args:
        frame: (height, width, 3) uint8 RGB; height and width at least 2.
        settings: threshold or density, and blur.

    Returns:
        (height, width, 1) float32 in {0, 1}.

    Raises:
        UserError: `frame` is no such array.

    Source: S-Flow GAN, sec. 3.2; see `ops.edges.laplacian_edges`.
    """
    _check("frame", frame)
    return preprocessing.laplacian_edges(frame[None], settings, np)[0]


def dense_flow(
    image_a: np.ndarray, image_b: np.ndarray, farneback: Farneback = Farneback()
) -> np.ndarray:
    """F(.), the optical flow of the records, by Farneback's method in OpenCV.

    Args:
        image_a: (height, width, 3) uint8 RGB.
        image_b: the same, one frame later.
        farneback: settings of the method.

    Returns:
        (height, width, 2) float32, pixels per frame; channel 0 is dx (right), 1 is dy (down).

    Raises:
        UserError: they are no such arrays of one shape.

    Source: S-Flow GAN, sec. 3.3; see `data.flow.dense_flow`.
    """
    _check("image_a", image_a)
    _check("image_b", image_b)
    if image_a.shape != image_b.shape:
        raise UserError(
            f"image_b: is {image_b.shape}, image_a {image_a.shape}; expected frames of one size"
        )
    import_tensorflow()
    from sflowgan_tf.data import flow

    return flow.dense_flow(image_a, image_b, farneback)


def _check(name: str, image: np.ndarray) -> None:
    is_array = isinstance(image, np.ndarray)
    is_image = is_array and image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
    if not is_image or min(image.shape[:2]) < 2:
        raise UserError(
            f"{name}: expected (height, width, 3) uint8 RGB, 2 pixels a side or more, got "
            f"{kind(image)}"
        )
