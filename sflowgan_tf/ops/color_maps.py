"""Label maps in which each class has a colour. NumPy alone."""

from collections.abc import Mapping

import numpy as np

Color = tuple[int, int, int]  # RGB 0..255
_STRETCH = 257  # 65535 / 255
_PLACES = np.array([1 << 16, 1 << 8, 1])  # a colour's code is its product with these


class UnknownColor(Exception):
    """A colour that stands for no id.

    Attributes:
        color: the one that most pixels have.
        share: of the pixels that have it, 0..1.
        nearest: of the known colours, and
        distance: how far it is, Euclidean, in levels.
    """

    def __init__(self, code: int, share: float, known: Mapping[Color, int]):
        """Of a colour's code."""
        self.color: Color = (int(code) >> 16, int(code) >> 8 & 255, int(code) & 255)
        self.share = share
        self.nearest, self.distance = _nearest(self.color, known)
        super().__init__(self.color)


def ids(colors: np.ndarray, known: Mapping[Color, int], snap: float) -> np.ndarray:
    """The ids that colours stand for.

    Args:
        colors: (height, width, 3) uint8 RGB.
        known: colour -> id.
        snap: how far, as a Euclidean distance in levels, a colour may be from the nearest known one
            to be taken for it.

    Returns:
        (height, width) uint16.

    Raises:
        UnknownColor: a colour is farther from all of them.
    """
    codes = _codes(np.array([*known]))
    order = np.argsort(codes)
    sorted_codes, sorted_ids = codes[order], np.array([*known.values()], np.uint16)[order]
    seen = _codes(colors)
    if not snap:
        if not is_one(colors, known):  # a map of ids is found out soon
            _check(_some(seen), sorted_codes, known)
        _check(seen, sorted_codes, known)
    places = np.minimum(np.searchsorted(sorted_codes, seen), len(codes) - 1)
    for code in np.unique(seen[sorted_codes[places] != seen]):
        pixels = seen == code
        unknown = UnknownColor(code, float(pixels.mean()), known)
        if unknown.distance > snap:
            raise unknown
        places[pixels] = np.searchsorted(sorted_codes, _codes(np.array(unknown.nearest)))
    return sorted_ids[places]


def of_eight_bits(colors: np.ndarray) -> np.ndarray | None:
    """Colours (height, width, 3) uint8, or uint16 that were stretched from 8 bits, as uint8.

    None where there are others, which no class has.
    """
    if colors.dtype == np.uint8:
        return colors
    if (_some(colors) % _STRETCH).any():  # a map of ids is found out soon
        return None
    levels, rest = np.divmod(colors, _STRETCH)
    return None if rest.any() else levels.astype(np.uint8)


def is_one(colors: np.ndarray, known: Mapping[Color, int]) -> bool:
    """Whether most of some pixels, (height, width, 3) uint8, have known colours but black."""
    codes = _codes(np.array([*known]).reshape(-1, 3))
    return bool(np.isin(_codes(_some(colors)), codes[codes > 0]).mean() > 0.5)


def _check(seen: np.ndarray, codes: np.ndarray, known: Mapping[Color, int]) -> None:
    foreign = seen[~np.isin(seen, codes)]
    if foreign.size:
        found, counts = np.unique(foreign, return_counts=True)
        most = int(np.argmax(counts))
        raise UnknownColor(found[most], counts[most] / seen.size, known)


def _codes(colors: np.ndarray) -> np.ndarray:
    """(..., 3) RGB to (...) int64."""
    return colors.astype(np.int64) @ _PLACES


def _some(pixels: np.ndarray) -> np.ndarray:
    """About 64 by 64 of the pixels."""
    return pixels[:: max(len(pixels) // 64, 1), :: max(pixels.shape[1] // 64, 1)]


def _nearest(color: Color, known: Mapping[Color, int]) -> tuple[Color, float]:
    far = {other: float(np.linalg.norm(np.subtract(other, color))) for other in known}
    return min(far.items(), key=lambda item: item[1])
