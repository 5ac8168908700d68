"""How close a generated frame is to the real one of the same scene."""

import math

import keras
import numpy as np
import tensorflow as tf

from sflowgan_tf.losses import perceptual_loss
from sflowgan_tf.ops.images import to_signed

_WINDOW = 11  # of SSIM, pixels
_ROUNDING = 1 / 12  # variance of rounding to whole levels

RANGES: dict[str, tuple[float, float]] = {  # least and greatest value of each score
    "l1": (0, 1),
    "psnr": (0, 10 * math.log10(255**2 / _ROUNDING)),
    "ssim": (-1, 1),
    "perceptual": (0, math.inf),
}


def paired_scores(picture: np.ndarray, real: np.ndarray, vgg: keras.Model) -> dict[str, float]:
    """All scores of a pair (height, width, 3) uint8 RGB: `l1`, `psnr`, `ssim`, `perceptual`.

    Both sides are at least 11, and 16 for five slices of `vgg`, which is built.

    Raises:
        ValueError: the shapes differ, or the pictures are too small.
    """
    return {
        "l1": l1(picture, real),
        "psnr": psnr(picture, real),
        "ssim": ssim(picture, real),
        "perceptual": perceptual_distance(picture, real, vgg),
    }


def l1(picture: np.ndarray, real: np.ndarray) -> float:
    """Mean absolute difference of two pictures (height, width, 3) uint8, of the range: 0 to 1.

    Raises:
        ValueError: the shapes differ.
    """
    return float(np.abs(_difference(picture, real)).mean() / 255)


def psnr(picture: np.ndarray, real: np.ndarray) -> float:
    """Peak signal to noise ratio, 10 log10(255^2 / mean squared difference), dB.

    Pictures that are equal, or that differ by less than the rounding of each to 8 bits does
    (variance 1/12 level^2), get that noise's ratio, 58.9 dB, instead of infinity: so a mean over
    frames exists, and JSON can hold it. Both are (height, width, 3) uint8.

    Raises:
        ValueError: the shapes differ.
    """
    noise = max(float(np.square(_difference(picture, real)).mean()), _ROUNDING)
    return 10 * float(np.log10(255**2 / noise))


def ssim(picture: np.ndarray, real: np.ndarray) -> float:
    """Structural similarity of two pictures (height, width, 3) uint8, -1 to 1; 1 for equal ones.

    Raises:
        ValueError: the shapes differ, or a side is less than 11.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
    2004, as `tf.image.ssim` has it: Gaussian window of 11 pixels, sigma 1.5, inside the picture
    alone; k1 0.01, k2 0.03; the mean over the three channels.
    """
    _check(picture, real)
    if min(picture.shape[:2]) < _WINDOW:
        raise ValueError(f"picture: expected sides of {_WINDOW} or more, got {picture.shape[:2]}")
    return float(tf.image.ssim(tf.constant(picture), tf.constant(real), 255, filter_size=_WINDOW))


def perceptual_distance(picture: np.ndarray, real: np.ndarray, vgg: keras.Model) -> float:
    """How far apart a VGG's features of both are; >= 0, 0 for equal pictures.

    The mean over slices of the mean absolute difference, in units of the slice's mean absolute
    value for `real`: `losses.perceptual_loss` with equal weights, the quantity that training
    minimises. It compares only with figures of the same weights and number of slices. Both are
    (height, width, 3) uint8 RGB with sides of at least 2**(slices - 1); `vgg` is built.

    Raises:
        ValueError: the shapes differ.

    Source: S-Flow GAN, eq. 6.
    """
    _check(picture, real)
    features = vgg(to_signed(np.stack([real, picture])))
    return float(perceptual_loss([x[:1] for x in features], [x[1:] for x in features]))


def _difference(picture: np.ndarray, real: np.ndarray) -> np.ndarray:
    _check(picture, real)
    return picture.astype(np.float64) - real


def _check(picture: np.ndarray, real: np.ndarray) -> None:
    a, b = picture.shape, real.shape
    if a != b:
        raise ValueError(f"picture, real: expected equal shapes, got {a} and {b}")
