"""What one sees of a picture at a glance: is it sharp, is it in colour, does a grid shine through.

All are numbers of single frames, or sums over pixels that add up over frames. Sharpness, gradient,
colourfulness and ringing say something beside those of the real frames alone. Grey is OpenCV's
(0.299 R + 0.587 G + 0.114 B), in levels of 0 to 255; Lab is CIE's of 1976 (sRGB, white D65), L from
0 to 100.
"""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

_SHARP = 0.25  # cycles per pixel, half of Nyquist's frequency
_GRID = [  # frequencies of periods 2 and 4 along either axis; their opposites are the same
    (y, x)
    for y, x in product((0, 0.25, 0.5), (-0.25, 0, 0.25, 0.5))
    if (y > 0 or x > 0) and not (y == 0.5 and x == -0.25)
]
_PEAK, _GAP = 2, 3  # bins on either side of a frequency of the grid: its own, and those beside
_BAND = 1 / 16  # cycles per pixel on either side; the band that a peak is compared with
_NARROWEST = 6  # bins on either side
_ROUNDING = 1 / 12  # levels squared, variance of rounding to 8 bits
SMALLEST_SIDE = 16  # pixels, of a picture whose spectrum is measured
_WIDTH = 4  # units of Lab between two nodes of a histogram
_NODES = np.arange(-128, 129, _WIDTH)
_STEPS = 32  # between two nodes, to which values are rounded
_SMALLEST_OBJECT = 12  # pixels


@dataclass(frozen=True, kw_only=True)
class Look:
    """The figures of a picture as a whole.

    Attributes:
        sharpness: levels squared; see `sharpness`.
        gradient: mean of `gradients`, levels per pixel.
        colorfulness: levels; see `colorfulness`.
        ringing: see `ringing`.
    """

    sharpness: float
    gradient: float
    colorfulness: float
    ringing: float

    @classmethod
    def of(cls, picture: np.ndarray) -> "Look":
        """The figures of a picture (height, width, 3) uint8 RGB, both sides at least 16.

        Raises:
            ValueError: a side is shorter.
        """
        spectrum = power_spectrum(picture)
        return cls(
            sharpness=sharpness(spectrum),
            gradient=float(gradients(picture).mean()),
            colorfulness=colorfulness(picture),
            ringing=ringing(spectrum),
        )


def power_spectrum(picture: np.ndarray) -> np.ndarray:
    """The power of each frequency of a picture in grey, its mean removed, in a Hann window.

    Args:
        picture: (height, width, 3) uint8 RGB, both sides at least 16; rows and columns beyond the
            last multiple of 4 are left out, so that the frequencies of `ringing` are bins.

    Returns:
        (height, width) float64, levels squared, in the order of `np.fft.fft2`. Its mean is the
        variance within the window: white noise has its variance in every bin.

    Raises:
        ValueError: a side is shorter.
    """
    if min(picture.shape[:2]) < SMALLEST_SIDE:
        raise ValueError(
            f"picture: expected sides of {SMALLEST_SIDE} or more, got {picture.shape[:2]}"
        )
    grey = _grey(picture)
    height, width = (side // 4 * 4 for side in grey.shape)
    grey = grey[:height, :width]
    window = np.outer(*(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in grey.shape))
    spectrum = np.fft.fft2(window * (grey - grey.mean()))
    return np.square(np.abs(spectrum)) / np.square(window).sum()


def sharpness(spectrum: np.ndarray) -> float:
    """The part of a picture's variance that is finer than a period of 4 pixels, levels squared.

    Args:
        spectrum: of `power_spectrum`.

    Returns:
        float >= 0: the energy at radii of 0.25 cycles per pixel, half of Nyquist's, and more. A
        sine of amplitude A has A^2 / 2 there, or nothing.
    """
    y, x = (np.fft.fftfreq(n) for n in spectrum.shape)
    return float(spectrum[np.hypot(y[:, None], x) >= _SHARP].sum() / spectrum.size)


def ringing(spectrum: np.ndarray) -> float:
    """How far a grid of 2 or 4 pixels, as upsampling leaves it, stands out from its surroundings.

    There are nine frequencies with periods of 2 or 4 pixels along one axis or both. Of each, the
    peak's energy (2 bins on either side) beyond what the bins beside it let expect is taken as a
    share of the other energy in a band around it (1/16 cycle per pixel on either side, 6 bins at
    least). Texture, be it soft or sharp, has no peak there. On the axes, where upright and level
    edges of objects have their energy, the bins beside are those of the axis alone.

    Args:
        spectrum: of `power_spectrum`. In pictures with sides of less than 32 pixels the bands
            overlap, and the figure says little.

    Returns:
        float > 0: the geometric mean of 1 plus each share, so that no frequency where a picture has
        next to nothing else outweighs the others; 1 for a flat picture, about 1 without a grid (0.9
        in soft pictures with sides of 64).

    Source: ours. Odena et al., "Deconvolution and Checkerboard Artifacts", 2016, show where the
    grid comes from. The height of a peak would grow with the picture, a share of a band of fixed
    width does not.
    """
    shares = np.array([_peak_share(spectrum, *frequency) for frequency in _GRID])
    return float(np.exp(np.log1p(shares).mean()))


def _peak_share(spectrum: np.ndarray, *frequency: float) -> float:
    """Energy of the peak at a frequency (y, x), as a share of the band's other energy."""
    offsets = [
        np.arange(-r, r + 1) for r in (max(_NARROWEST, int(_BAND * n)) for n in spectrum.shape)
    ]
    bins = [
        (round(f * n) + offset) % n
        for f, n, offset in zip(frequency, spectrum.shape, offsets, strict=True)
    ]
    band = spectrum[np.ix_(*bins)]
    y, x = np.abs(offsets[0])[:, None], np.abs(offsets[1])
    peak = (y <= _PEAK) & (x <= _PEAK)
    beside = (y > _GAP) | (x > _GAP)
    for f, distance in zip(frequency, (y, x), strict=True):
        if f == 0:
            beside = beside & (distance <= _PEAK)
    excess = band[peak].sum() - peak.sum() * band[beside].mean()
    return excess / (band[~peak].sum() + _ROUNDING * (~peak).sum())


def gradients(picture: np.ndarray) -> np.ndarray:
    """Magnitude of the grey picture's gradient, (height, width) float32, levels per pixel.

    Differences are central, one-sided at the border: a ramp has its slope everywhere, a
    checkerboard of single pixels nothing inside.

    Args:
        picture: (height, width, 3) uint8 RGB, both sides at least 2.
    """
    return np.hypot(*np.gradient(_grey(picture)))


def class_sums(values: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Sum of a quantity over the pixels of each class, (num_classes,) float64.

    Args:
        values: (height, width) numbers.
        labels: (height, width) integers; those from num_classes on are void.
        num_classes: of the labels.
    """
    sums = np.bincount(labels.ravel(), values.ravel(), minlength=num_classes)
    return sums[:num_classes]


def colorfulness(picture: np.ndarray) -> float:
    """How colourful people call a picture, in levels: 0 for grey; 109 is "extremely".

    Args:
        picture: (height, width, 3) uint8 RGB.

    Source: Hasler and Suesstrunk, "Measuring Colourfulness in Natural Images", 2003, sec. 5, M^(3).
    """
    red, green, blue = np.moveaxis(picture.astype(np.float32), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    return float(np.hypot(*opponents.std(axis=1)) + 0.3 * np.hypot(*opponents.mean(axis=1)))


def color_histograms(picture: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Histograms of L, a and b over the pixels of each class; those of several frames add up.

    A pixel counts for the two nodes around its value, rounded to 1/8, the more the nearer one is:
    so means are kept.

    Args:
        picture: (height, width, 3) uint8 RGB.
        labels: (height, width) integers; those from num_classes on are void and left out.
        num_classes: of the labels.

    Returns:
        (num_classes, 3, 65) float32 pixels; the nodes are 4 units apart, from -128 to 128.
    """
    known = labels < num_classes
    steps = np.rint((_lab(picture)[known] - _NODES[0]) * (_STEPS / _WIDTH)).astype(np.int32)
    rows = 3 * labels[known].astype(np.int32)[:, None] + np.arange(3, dtype=np.int32)
    size = len(_NODES) * _STEPS
    counts = np.bincount((rows * size + steps).ravel(), minlength=3 * num_classes * size)
    counts = counts.reshape(num_classes, 3, len(_NODES), _STEPS)
    above = counts @ (np.arange(_STEPS) / _STEPS)
    histograms = counts.sum(axis=-1) - above
    histograms[..., 1:] += above[..., :-1]
    return histograms.astype(np.float32)


def color_distance(difference: np.ndarray, pixels: float) -> float:
    """Earth mover's distance of the colours of two sets of frames with equal labels, Lab units.

    The distances of L, of a and of b are added, those of the classes are averaged, each class with
    the weight of its pixels. Colours that are all shifted have the shift, its three parts added.

    Args:
        difference: (classes, 3, 65), `color_histograms` of one set minus those of the other.
        pixels: of these classes in either set, more than 0.

    Returns:
        float >= 0. What colours spread within 4 units is not seen.
    """
    moved = np.abs(np.cumsum(difference, axis=-1, dtype=np.float64)).sum()
    return float(moved * _WIDTH / pixels)


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects in a frame: all that has one class and one instance.

    Where there is no instance, all of a class is one. Void, which has neither, is none; what has
    less than 12 pixels is left out.

    Attributes:
        known: (height, width) bool, whether the pixel belongs to one.
        index: (pixels,) number of the object of each of these pixels.
        pixels: (objects,) of each, the small ones too.
    """

    known: np.ndarray
    index: np.ndarray
    pixels: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, instances: np.ndarray | None, num_classes: int) -> "Objects":
        """The objects of a frame.

        Args:
            labels: (height, width) integers; those from num_classes on are void.
            instances: (height, width) uint16, number or 0; None where none are known.
            num_classes: of the labels.
        """
        known = labels < num_classes
        numbers = labels[known].astype(np.int32) << 16
        if instances is not None:
            numbers |= instances[known]
        _, index, pixels = np.unique(numbers, return_inverse=True, return_counts=True)
        return cls(known=known, index=index, pixels=pixels)

    def colors(self, picture: np.ndarray) -> np.ndarray:
        """Mean colour of each object in Lab, (objects, 3) float64.

        Args:
            picture: (height, width, 3) uint8 RGB.
        """
        lab, count = _lab(picture)[self.known], len(self.pixels)
        sums = np.stack([np.bincount(self.index, lab[:, c], count) for c in range(3)], axis=1)
        large = self.pixels >= _SMALLEST_OBJECT
        return sums[large] / self.pixels[large, None]


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)


def _lab(picture: np.ndarray) -> np.ndarray:
    """(height, width, 3) float32: L, a, b."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
