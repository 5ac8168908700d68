"""Pictures of optical flow, in the colours that the field draws it in."""

import numpy as np

_STEPS = {"RY": 15, "YG": 6, "GC": 4, "CB": 11, "BM": 13, "MR": 6}  # of the wheel's six arcs
_TOO_FAST = 0.75


def flow_to_color(flow: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Middlebury's picture of a flow: the hue is the direction, the saturation the speed.

    Right is red, down yellow, left cyan, up violet; no motion is white.

    Args:
        flow: (..., height, width, 2) floating, pixels; channel 0 is dx (right), 1 is dy (down).
        largest: the speed in pixels, > 0, that is fully saturated; faster motions are darkened.
            None takes the largest one of `flow`, so flows to be compared belong in one array.

    Returns:
        (..., height, width, 3) uint8 RGB; black where the flow is not finite.

    Raises:
        ValueError: the last axis is not 2, or `largest` is not above 0.

    Source: Baker et al., "A Database and Evaluation Methodology for Optical Flow", ICCV 2007;
    colorcode.cpp of their flow-code, bit for bit but for float rounding. As there, the 55 colours
    stand 1/54 of the circle apart, so between the first and the last, at pure right, the hue jumps
    by a step.
    """
    flow = np.asarray(flow, np.float64)
    if flow.shape[-1:] != (2,):
        raise ValueError(f"flow: expected 2 channels (dx, dy), got shape {flow.shape}")
    if largest is not None and not largest > 0:
        raise ValueError(f"largest: expected a speed above 0, got {largest}")
    known = np.isfinite(flow).all(axis=-1, keepdims=True)
    dx, dy = np.moveaxis(np.where(known, flow, 0.0), -1, 0)
    speed = np.hypot(dx, dy)[..., None]
    if largest is None:
        largest = speed.max(initial=0.0) or 1.0
    speed = speed / largest
    hue = _hue(dx, dy)
    color = np.where(speed <= 1, 1 - speed * (1 - hue), _TOO_FAST * hue)
    return np.where(known, np.floor(255 * color), 0).astype(np.uint8)


def _hue(dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """The wheel's colour (..., 3) in [0, 1] for each direction."""
    place = (np.arctan2(-dy, -dx) / np.pi + 1) / 2 * (len(_WHEEL) - 1)
    before = place.astype(int)
    share = (place - before)[..., None]
    return (1 - share) * _WHEEL[before] + share * _WHEEL[(before + 1) % len(_WHEEL)]


def _wheel() -> np.ndarray:
    """55 colours (RGB in [0, 1]) from red over yellow, green, cyan, blue and magenta."""
    corners = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]])
    arcs = []
    for start, end, steps in zip(corners, np.roll(corners, -1, 0), _STEPS.values(), strict=True):
        grown = 255 * np.arange(steps)[:, None] // steps
        arcs.append(255 * start + (end - start) * grown)
    return np.concatenate(arcs) / 255


_WHEEL = _wheel()
