"""The cameras on the car that drives, as a YAML file describes them."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sflowgan_tf.utils.bounds import violations
from sflowgan_tf.utils.errors import UserError, prefixed
from sflowgan_tf.utils.sizes import size as parsed_size
from sflowgan_tf.utils.yaml_files import first_line, read_yaml


@dataclass(frozen=True)
class Position:
    """Metres from the middle of the car, on the road: ahead, to the right, up."""

    x: float = 0.0
    y: float = 0.0
    z: float = 1.5


@dataclass(frozen=True)
class Rotation:
    """Degrees: pitch up, yaw to the right, roll clockwise, as CARLA counts them.

    The camera is first turned by the yaw, then about its own axes by pitch and roll.
    """

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class _Described:
    """A camera as the YAML has it."""

    position: Position | None = None
    rotation: Rotation = field(default_factory=Rotation)
    fov: float | None = field(default=None, metadata={"least": 1, "most": 179})
    size: str | None = None


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera on the car.

    Attributes:
        name: of the camera, a folder's name in recordings.
        size: width and height in pixels.
        position: on the car; None for the simulator's own.
        rotation: from straight ahead.
        fov: degrees from the left to the right border; None for the simulator's own.
    """

    name: str
    size: tuple[int, int]
    position: Position | None = None
    rotation: Rotation = Rotation()
    fov: float | None = None


def read(file: Path, size: tuple[int, int]) -> tuple[Camera, ...]:
    """The cameras of a YAML file: names with position, rotation, fov and size, all optional.

    Args:
        file: the YAML.
        size: (width, height) of those that name none.

    Raises:
        UserError: it can't be read, has no camera, or one of a wrong key or value.
    """
    described = read_yaml(file)
    if not isinstance(described, DictConfig) or not described:
        raise UserError(f"{file}: expected cameras by their names, such as `front: {{fov: 90}}`")
    with prefixed(f"{file}: "):
        return tuple(_camera(str(name), described[name], size) for name in described)


def _camera(name: str, described: Any, size: tuple[int, int]) -> Camera:
    if not re.fullmatch(r"\w[\w-]*", name):
        raise UserError(f"{name!r}: expected a camera's name of letters, digits, _ and -")
    schema = OmegaConf.structured(_Described)
    try:
        one: Any = OmegaConf.to_object(OmegaConf.merge(schema, described or {}))
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        raise UserError(
            f"{name}: {first_line(error)}; the keys are position: {{x, y, z}}, rotation: {{pitch, "
            "yaw, roll}, fov and size"
        ) from None
    for violation in violations(one, f"{name}."):
        raise UserError(violation)
    return Camera(
        name=name,
        size=parsed_size(one.size, f"{name}.size") if one.size else size,
        position=one.position,
        rotation=one.rotation,
        fov=one.fov,
    )
