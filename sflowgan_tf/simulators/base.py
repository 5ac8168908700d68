"""What every simulator gives: ticks, for each moment one of each camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sflowgan_tf.simulators.rig import Camera
from sflowgan_tf.utils.arrays import kind
from sflowgan_tf.utils.errors import UserError


@dataclass(frozen=True, kw_only=True, eq=False)
class Tick:
    """What one camera of a simulator sees at one moment.

    Attributes:
        camera: its name.
        number: of the moment, from 0 on; n and n + 1 are consecutive.
        time: simulated seconds since moment 0.
        frame: (height, width, 3) uint8 RGB, the simulator's picture.
        labels: (height, width) uint8 or uint16, raw ids of the simulator's class table.
        instances: (height, width) uint16, the number of the car, person and so on at each pixel;
            None where the simulator does not know it.
        depth: (height, width) float32 metres along the optical axis; None where it is not known.
        motion: (height, width, 2) float32 pixels to the same camera's next frame, channel 0 is dx
            (right), 1 is dy (down), also where the point is hidden there; None where it is not
            known, as at the last moment.

    Raises:
        UserError: an array has another shape or dtype, such as a frame with an alpha channel.
    """

    camera: str
    number: int
    time: float
    frame: np.ndarray
    labels: np.ndarray
    instances: np.ndarray | None = None
    depth: np.ndarray | None = None
    motion: np.ndarray | None = None

    def __post_init__(self):
        """Refuses arrays that are not those of one picture."""
        size = self.frame.shape[:2]
        for name, shape, dtypes in (
            ("frame", (*size, 3), (np.uint8,)),
            ("labels", size, (np.uint8, np.uint16)),
            ("instances", size, (np.uint16,)),
            ("depth", size, (np.float32,)),
            ("motion", (*size, 2), (np.float32,)),
        ):
            array = getattr(self, name)
            if array is not None and (array.shape != shape or array.dtype not in dtypes):
                expected = " or ".join(np.dtype(dtype).name for dtype in dtypes)
                raise UserError(
                    f"{name} of camera {self.camera!r}, moment {self.number}: expected {shape} "
                    f"{expected}, got {kind(array)}"
                )


class Simulator(Protocol):
    """A simulator with a car that drives and cameras on it."""

    @property
    def table(self) -> str:
        """The name of the class table of its labels, a key of `ops.classes.TABLES`."""
        ...

    @property
    def frames(self) -> int:
        """How many moments a drive has."""
        ...

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """Its cameras, in the order of a moment's ticks."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether it gives the same ticks again, so that a recording can be taken up."""
        ...

    def drive(self, start: int = 0) -> AbstractContextManager[Iterator[Tick]]:
        """A drive; what it needs is there while the block runs, and gone after it.

        Args:
            start: the moment to begin with; 0 for a simulator that does not repeat itself.

        Yields:
            The ticks, moment by moment, of each camera one.

        Raises:
            UserError: it can't be reached or begun as the user wants it.
            Failure: it stopped on the way.
        """
        ...
