"""Whether traffic lights keep their state, judged by the colour of what shines in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

LEAST_PIXELS = 13  # of a traffic light whose state is judged: "larger than 12 pixels"
_LEAST_CHROMA = 64  # of 255, of a lamp that shines
_NEAR_STRONGEST = 0.6  # part of the strongest pixel's chroma from which on a pixel has a vote
_MAJORITY = 2 / 3  # of the votes that decide
_HUES = np.array([0.0, 45.0, 150.0])  # degrees, of red, amber and green
_FARTHEST = 45.0  # degrees, from the nearest of these hues


class State(IntEnum):
    """What a traffic light shows."""

    UNDECIDED = 0
    RED = 1
    AMBER = 2
    GREEN = 3


@dataclass(frozen=True)
class Comparison:
    """How many traffic lights have the same state in two pictures.

    Attributes:
        lights: number whose state is decided in the first picture.
        unchanged: number of these with the same state in the second.
    """

    lights: int
    unchanged: int


def light_regions(labels: np.ndarray, traffic_light: int) -> np.ndarray:
    """The traffic lights that are large enough to be judged.

    A light is a connected region of the class, over corners too. Two heads that touch in the
    picture are one.

    Args:
        labels: (height, width) integers, class ids.
        traffic_light: the id of traffic lights.

    Returns:
        (height, width) int32: 1 to the number of regions of more than 12 pixels; else 0.

    Raises:
        ValueError: `labels` has not two axes.
    """
    if labels.ndim != 2:
        raise ValueError(f"labels: expected (height, width), got {labels.shape}")
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(
        (labels == traffic_light).astype(np.uint8), connectivity=8
    )
    large = statistics[:, cv2.CC_STAT_AREA] >= LEAST_PIXELS
    large[0] = False
    return np.where(large, np.cumsum(large), 0).astype(np.int32)[regions]


def light_states(regions: np.ndarray, picture: np.ndarray) -> list[State]:
    """The state of each traffic light, by the hues of its most colourful pixels.

    A lamp that shines is bright and saturated, so its chroma, the largest of R, G and B less the
    smallest, stands out in a dark housing. Those pixels of the region vote whose chroma is at least
    64 of 255 and 0.6 of the region's strongest. Each has its chroma as the weight of its vote, for
    the nearest of red (hue 0 degrees), amber (45) and green (150); none for a hue that is more than
    45 degrees from all three, as that of the sky. A state with at least two thirds of the votes of
    all, those for none included, is the light's; otherwise it is undecided.

    Args:
        regions: (height, width) int32 of `light_regions`.
        picture: (height, width, 3) uint8 RGB.

    Returns:
        The states of the regions 1, 2, ...

    Raises:
        ValueError: the picture is not of the regions' size, or no RGB.

    Source: none; the rule is ours. It is tested against minicity, whose true states are known.
    """
    if picture.shape != (*regions.shape, 3):
        raise ValueError(f"picture: expected {(*regions.shape, 3)}, got {picture.shape}")
    return [_state(picture[regions == number]) for number in range(1, int(regions.max()) + 1)]


def compare_states(
    labels: np.ndarray, source: np.ndarray, picture: np.ndarray, traffic_light: int
) -> Comparison:
    """How many of the traffic lights of a source frame have the same state in a picture.

    Lights of at most 12 pixels, and lights whose state is undecided in the source frame (hidden
    lamps, lights seen from behind), are not counted. A light that is undecided in the picture has
    lost its state.

    Args:
        labels: (height, width) integers, class ids of both.
        source: (height, width, 3) uint8 RGB, the frame that was translated.
        picture: (height, width, 3) uint8 RGB, the result.
        traffic_light: the id of traffic lights.

    Raises:
        ValueError: the shapes do not agree.
    """
    regions = light_regions(labels, traffic_light)
    pairs = [
        (before, after)
        for before, after in zip(
            light_states(regions, source), light_states(regions, picture), strict=True
        )
        if before is not State.UNDECIDED
    ]
    return Comparison(lights=len(pairs), unchanged=sum(before is after for before, after in pairs))


def _state(pixels: np.ndarray) -> State:
    """The state of the light with these pixels, (pixels, 3) uint8 RGB."""
    chroma = np.ptp(pixels.astype(np.float32), axis=1)
    is_voter = chroma >= max(_LEAST_CHROMA, _NEAR_STRONGEST * chroma.max())
    if not is_voter.any():
        return State.UNDECIDED
    colors = pixels[None, is_voter].astype(np.float32)
    hues = cv2.cvtColor(colors, cv2.COLOR_RGB2HSV)[0, :, :1]
    distances = np.abs((hues - _HUES + 180) % 360 - 180)
    choices = np.where(distances.min(axis=1) <= _FARTHEST, distances.argmin(axis=1) + 1, 0)
    votes = np.bincount(choices, weights=chroma[is_voter], minlength=len(State))
    winner = State(int(votes.argmax()))
    return winner if votes[winner] >= _MAJORITY * votes.sum() else State.UNDECIDED
