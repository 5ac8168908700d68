"""Simulators that are recorded and painted live: minicity, always there, and CARLA."""

from fractions import Fraction
from pathlib import Path

from sflowgan_tf.simulators.base import Simulator, Tick
from sflowgan_tf.simulators.carla import Carla
from sflowgan_tf.simulators.minicity import Minicity
from sflowgan_tf.simulators.rig import Camera, read
from sflowgan_tf.utils.errors import UserError

__all__ = ["Camera", "Carla", "Minicity", "Simulator", "Tick", "find"]


def find(
    name: str,
    *,
    host: str,
    port: int,
    seed: int,
    frames: int,
    fps: Fraction,
    size: tuple[int, int],
    rig: Path | None,
    extras: tuple[str, ...] = (),
) -> Simulator:
    """A simulator by its name, minicity or carla.

    Args:
        name: of it.
        host: of CARLA's server.
        port: of CARLA's server.
        seed: of the drive.
        frames: moments of the drive.
        fps: moments a simulated second.
        size: (width, height) of cameras that the rig gives none.
        rig: a YAML of cameras; None for one, called front, where the simulator has it.
        extras: what ticks must hold beside frame and labels: "instances", "depth".

    Raises:
        UserError: there is none of that name, or it can't be so.
    """
    cameras = (Camera(name="front", size=size),) if rig is None else read(rig, size)
    if name == "minicity":
        return Minicity(seed=seed, frames=frames, fps=fps, cameras=cameras)
    if name == "carla":
        return Carla(
            host=host, port=port, seed=seed, frames=frames, fps=fps, cameras=cameras, extras=extras
        )
    raise UserError(f"--simulator {name}: expected minicity or carla")
