"""The embedded street as a simulator: always there, the same ticks from the same seed."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from sflowgan_tf.minicity.camera import DRIVER, Mount
from sflowgan_tf.minicity.frames import Course, Look
from sflowgan_tf.simulators.base import Tick
from sflowgan_tf.simulators.rig import Camera
from sflowgan_tf.utils.errors import UserError

_LONGEST = 10_000  # moments of a drive; each of their faces is looked at in each of them


@dataclass(frozen=True, kw_only=True)
class Minicity:
    """A drive along a street that its seed and its number of moments decide.

    Frames are the CG rendering. The street begins 12 m behind the first moment's place, so that
    cameras that look back see its end there.

    Attributes:
        seed: of street and drive, >= 0; the first sequence of `minicity.sequence` with this seed.
        frames: moments of the drive.
        fps: moments a second, which tell the time and nothing else: a moment is 0.5 to 1 m of way.
        cameras: on the car; the simulator's own one is the camera of `minicity.sequence`.

    Raises:
        UserError: the drive is too long to be drawn.
    """

    seed: int
    frames: int
    fps: Fraction
    cameras: tuple[Camera, ...]

    def __post_init__(self):
        """Refuses streets that would take too long."""
        if self.frames > _LONGEST:
            raise UserError(
                f"--frames {self.frames}: minicity's drives have up to {_LONGEST}; record several "
                "with other --seed"
            )

    @property
    def table(self) -> str:
        """See `Simulator`."""
        return "synthia"

    @property
    def repeats(self) -> bool:
        """See `Simulator`."""
        return True

    @contextmanager
    def drive(self, start: int = 0) -> Iterator[Iterator[Tick]]:
        """See `Simulator`."""
        yield self._ticks(start)

    def _ticks(self, start: int) -> Iterator[Tick]:
        course = Course.draw(self.seed, 0, self.frames)
        views = [course.looks(camera.size, start, _mount(camera)) for camera in self.cameras]
        for number, looks in enumerate(zip(*views, strict=True), start):
            for camera, look in zip(self.cameras, looks, strict=True):
                yield self._tick(camera.name, number, look)

    def _tick(self, camera: str, number: int, look: Look) -> Tick:
        return Tick(
            camera=camera,
            number=number,
            time=float(number / self.fps),
            frame=look.image_cg,
            labels=look.labels,
            instances=look.instances,
            depth=look.surface.depth,
            motion=look.flow,
        )


def _mount(camera: Camera) -> Mount:
    """A camera's place on minicity's car."""
    place, turn = camera.position, camera.rotation
    focal = DRIVER.focal
    if camera.fov is not None:
        focal = 0.5 / math.tan(math.radians(camera.fov) / 2)
    return Mount(
        position=DRIVER.position if place is None else (place.x, place.y, place.z),
        rotation=(turn.pitch, turn.yaw, turn.roll),
        focal=focal,
    )
