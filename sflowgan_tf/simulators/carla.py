"""CARLA 0.9.16 by its Python API: synchronous mode, a car on autopilot, cameras on it.

A moment is computed when it is asked for, so none is lost however slow the client is. Tags and
instances come from the cameras' raw data; `Image.convert` would paint colours over them.

Source: CARLA 0.9.16's documentation: "Synchrony and time-step", "Traffic Manager", "Sensors
reference" and "Python API reference".
"""

import importlib
import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from queue import Empty, Queue
from typing import Any

import numpy as np

from sflowgan_tf.simulators.base import Tick
from sflowgan_tf.simulators.rig import Camera, Position
from sflowgan_tf.utils.errors import Failure, UserError

_API = "carla==0.9.16"
_FIRST = (0, 9, 14)  # version of the server with this class table
_CAR = "vehicle.tesla.model3"
_POSITION, _FOV = Position(x=1.5, z=2.4), 70.0  # of a camera that says nothing: above the bonnet
_CONNECTING, _PATIENCE = 10.0, 60.0  # seconds for an answer; a large map's first moment takes many
_LONGEST_STEP = Fraction(1, 10)  # seconds, for which the 10 substeps of CARLA's physics suffice
_SETTLING = 1  # second before moment 0, in which the car drops onto the road
_FARTHEST = 1000.0  # metres, the depth camera's largest number
_SENSORS = {  # by the field of `Tick` that they fill
    "frame": "sensor.camera.rgb",
    "labels": "sensor.camera.semantic_segmentation",
    "instances": "sensor.camera.instance_segmentation",
    "depth": "sensor.camera.depth",
}


@dataclass(frozen=True, kw_only=True)
class Carla:
    """A drive on the map that the server shows, among the traffic that is there.

    Attributes:
        host: of the server.
        port: of the server.
        seed: of the place where the car starts and of the autopilot's choices.
        frames: moments of the drive.
        fps: moments a simulated second.
        cameras: on the car.
        extras: what ticks hold beside frame and labels, of "instances" and "depth"; each costs one
            more rendering.

    Raises:
        UserError: the port is none.
    """

    host: str
    port: int
    seed: int
    frames: int
    fps: Fraction
    cameras: tuple[Camera, ...]
    extras: tuple[str, ...]

    def __post_init__(self):
        """Refuses what the API would answer with words of its own."""
        if not 0 < self.port < 65535:
            raise UserError(f"--port {self.port}: expected 1 to 65534; CARLA's is 2000 by default")

    @property
    def table(self) -> str:
        """See `Simulator`."""
        return "carla-0.9.14"

    @property
    def repeats(self) -> bool:
        """See `Simulator`."""
        return False

    @contextmanager
    def drive(self, start: int = 0) -> Iterator[Iterator[Tick]]:
        """See `Simulator`; `start` is 0.

        After the block, also after an error, the world has the settings that it had before, and the
        car and its cameras are gone.
        """
        carla = _api()
        client, world = self._connected(carla)
        with ExitStack() as actors, ExitStack() as mode:  # first the mode is left, then they go
            with self._told():
                traffic = self._enter_mode(client, world, mode)
                car = self._car(world, actors)
                car.set_autopilot(True, traffic.get_port())
                queues = {
                    camera.name: self._mounted(carla, world, car, camera, actors, mode)
                    for camera in self.cameras
                }
            yield self._ticks(world, queues)

    def _connected(self, carla: Any) -> tuple[Any, Any]:
        """Client and world."""
        where = f"--host {self.host} --port {self.port}"
        try:
            client = carla.Client(self.host, self.port)
            client.set_timeout(_CONNECTING)
            version = client.get_server_version()
            world = client.get_world()
        except RuntimeError as error:
            raise UserError(
                f"{where}: no CARLA server answers there ({error}); start it with ./CarlaUE4.sh "
                "-RenderOffScreen, or say where it is"
            ) from None
        numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
        if numbers and tuple(map(int, numbers.groups())) < _FIRST:
            raise UserError(
                f"{where}: CARLA {version} answers there, whose tags mean other classes; expected "
                "0.9.14 or later"
            )
        client.set_timeout(_PATIENCE)
        return client, world

    def _enter_mode(self, client: Any, world: Any, mode: ExitStack) -> Any:
        """Stops the world's own clock; returns the traffic manager, which waits with it."""
        before, settings = world.get_settings(), world.get_settings()
        settings.synchronous_mode, settings.no_rendering_mode = True, False
        settings.fixed_delta_seconds = float(1 / (self.fps * self._steps))
        mode.callback(self._undo, world.apply_settings, before)
        world.apply_settings(settings)
        traffic = client.get_trafficmanager()
        mode.callback(self._undo, traffic.set_synchronous_mode, before.synchronous_mode)
        traffic.set_synchronous_mode(True)
        traffic.set_random_device_seed(self.seed)
        return traffic

    def _car(self, world: Any, actors: ExitStack) -> Any:
        blueprint = world.get_blueprint_library().find(_CAR)
        blueprint.set_attribute("role_name", "hero")  # a large map is there around it
        places = world.get_map().get_spawn_points()
        for index in np.random.default_rng(self.seed).permutation(len(places)).tolist():
            car = world.try_spawn_actor(blueprint, places[index])
            if car is not None:
                actors.callback(self._undo, car.destroy)
                return car
        raise Failure(
            f"CARLA at {self.host}:{self.port}: none of the map's {len(places)} places to start a "
            "car is free; remove some vehicles"
        )

    def _mounted(
        self, carla: Any, world: Any, car: Any, camera: Camera, actors: ExitStack, mode: ExitStack
    ) -> dict[str, Queue]:
        """What a camera's sensors put their pictures into, by the field of `Tick`."""
        place, turn = camera.position or _POSITION, camera.rotation
        transform = carla.Transform(
            carla.Location(x=place.x, y=place.y, z=place.z),
            carla.Rotation(pitch=turn.pitch, yaw=turn.yaw, roll=turn.roll),
        )
        queues: dict[str, Queue] = {}
        for field, kind in _SENSORS.items():
            if field not in ("frame", "labels", *self.extras):
                continue
            blueprint = world.get_blueprint_library().find(kind)
            blueprint.set_attribute("image_size_x", str(camera.size[0]))
            blueprint.set_attribute("image_size_y", str(camera.size[1]))
            blueprint.set_attribute("fov", str(camera.fov or _FOV))
            if field == "frame":  # as sharp as the labels
                blueprint.set_attribute("motion_blur_intensity", "0.0")
            sensor = world.spawn_actor(blueprint, transform, attach_to=car)
            actors.callback(self._undo, sensor.destroy)
            queues[field] = Queue()
            sensor.listen(queues[field].put)
            mode.callback(self._undo, sensor.stop)
        return queues

    @property
    def _steps(self) -> int:
        """Steps of the simulation that a moment takes."""
        return math.ceil(1 / (self.fps * _LONGEST_STEP))

    def _ticks(self, world: Any, queues: dict[str, dict[str, Queue]]) -> Iterator[Tick]:
        for number in range(-math.ceil(self.fps * _SETTLING), self.frames):
            pictures = self._moment(world, queues)
            for camera, of_camera in pictures.items() if number >= 0 else ():
                fields = {name: _FIELDS[name](pixels) for name, pixels in of_camera.items()}
                yield Tick(camera=camera, number=number, time=float(number / self.fps), **fields)

    def _moment(
        self, world: Any, queues: dict[str, dict[str, Queue]]
    ) -> dict[str, dict[str, np.ndarray]]:
        """Moves the world on; what each camera's sensors saw of it, RGB as in `_rgb`."""
        step = 0
        with self._told():
            for _ in range(self._steps):
                step = world.tick(_PATIENCE)
        return {
            camera: {field: _rgb(self._image(queue, step)) for field, queue in of_camera.items()}
            for camera, of_camera in queues.items()
        }

    def _image(self, queue: Queue, step: int) -> Any:
        """A sensor's picture of a step; those of steps before it are passed over."""
        where = f"CARLA at {self.host}:{self.port}"
        while True:
            try:
                image = queue.get(timeout=_PATIENCE)
            except Empty:
                raise Failure(
                    f"{where}: a camera gave no picture of step {step} within {_PATIENCE:g} s; "
                    "does the server render (no -nullrhi)?"
                ) from None
            if image.frame == step:
                return image
            if image.frame > step:
                raise Failure(
                    f"{where}: is at step {image.frame}, expected {step}: another client moves the "
                    "same world on; let it not tick (generate_traffic.py: --asynch)"
                )

    def _undo(self, call: Callable[..., Any], *arguments: Any) -> None:
        with self._told():
            call(*arguments)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Makes a Failure of what CARLA's API raises."""
        try:
            yield
        except (RuntimeError, IndexError) as error:  # the second of a blueprint that is not there
            raise Failure(f"CARLA at {self.host}:{self.port}: {error}") from None


def _api() -> Any:
    """CARLA's own package."""
    try:
        return importlib.import_module("carla")
    except ImportError as error:
        raise UserError(
            f"--simulator carla: needs CARLA's Python API ({error}); install it on Python 3.11 or "
            f"3.12 with `pip install {_API}`"
        ) from None


def _rgb(image: Any) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a picture whose raw data is BGRA."""
    pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
    return np.ascontiguousarray(pixels[..., 2::-1])


def _instances(pixels: np.ndarray) -> np.ndarray:
    """Numbers (height, width) uint16; the tag, in red, is no part of them."""
    return pixels[..., 1] + 256 * pixels[..., 2].astype(np.uint16)


def _depth(pixels: np.ndarray) -> np.ndarray:
    """Metres (height, width) float32, from 24 bits whose lowest are red."""
    levels = pixels @ np.array([1, 1 << 8, 1 << 16])
    return (levels * (_FARTHEST / ((1 << 24) - 1))).astype(np.float32)


_FIELDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "frame": lambda pixels: pixels,
    "labels": lambda pixels: pixels[..., 0],
    "instances": _instances,
    "depth": _depth,
}
