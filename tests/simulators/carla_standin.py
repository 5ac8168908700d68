"""As much of CARLA 0.9.16's Python API as a recording calls.

After its "Python API reference" and "Sensors reference": settings and blueprints are copies, values
of attributes are text, actors are in the world until they are destroyed, and sensors that listen
get a picture of each step, BGRA. Every picture says which step it is of.
"""

import copy
import types

import numpy as np

TAG, INSTANCE, DEPTH = 14, 0x1234, (1, 2, 3)  # car; green 0x34 and blue 0x12; red, green, blue


class Settings:
    def __init__(self):
        self.synchronous_mode = False
        self.no_rendering_mode = False
        self.fixed_delta_seconds = None


class Blueprint:
    def __init__(self, kind):
        self.id, self.attributes = kind, {}

    def set_attribute(self, name, value):
        assert isinstance(name, str) and isinstance(value, str)
        self.attributes[name] = value


class Library:
    kinds = (
        "vehicle.tesla.model3",
        "sensor.camera.rgb",
        "sensor.camera.semantic_segmentation",
        "sensor.camera.instance_segmentation",
        "sensor.camera.depth",
    )

    def find(self, kind):
        if kind not in self.kinds:
            raise IndexError(f"blueprint '{kind}' not found")
        return Blueprint(kind)


class Actor:
    def __init__(self, world, blueprint, transform, parent):
        self.world, self.id, self.type_id = world, len(world.spawned), blueprint.id
        self.attributes, self.transform, self.parent = blueprint.attributes, transform, parent
        self.callback, self.autopilot = None, None

    def destroy(self):
        self.world.log.append(f"destroy {self.type_id}")
        if self.callback is not None:
            raise RuntimeError("destroyed while it listens")
        return self.world.actors.pop(self.id, None) is not None

    def set_autopilot(self, enabled=True, tm_port=8000):
        self.autopilot = enabled, tm_port

    def listen(self, callback):
        self.callback = callback

    def stop(self):
        self.world.log.append(f"stop {self.type_id}")
        self.callback = None


class Image:
    def __init__(self, sensor, step):
        self.frame, self.timestamp = step, step * (sensor.world.settings.fixed_delta_seconds or 0)
        self.width = int(sensor.attributes["image_size_x"])
        self.height = int(sensor.attributes["image_size_y"])
        red, green, blue = {
            "sensor.camera.rgb": (step % 256, 20, 30),
            "sensor.camera.semantic_segmentation": (TAG, 0, 0),
            "sensor.camera.instance_segmentation": (TAG, INSTANCE & 255, INSTANCE >> 8),
            "sensor.camera.depth": DEPTH,
        }[sensor.type_id]
        pixels = np.full((self.height, self.width, 4), (blue, green, red, 255), np.uint8)
        pixels[0, 1, :3] = 0  # that rows are rows
        self.raw_data = memoryview(pixels.tobytes())

    def convert(self, converter):
        raise AssertionError("colours in the place of tags")


class World:
    """The server's one. `occupied` places have no room for a car; `fails` raises at its call."""

    def __init__(self):
        self.settings, self.step = Settings(), 100
        self.actors, self.spawned, self.log = {}, [], []
        self.occupied, self.fails, self.blind, self.others = 4, lambda call: None, False, 0

    def get_settings(self):
        return copy.copy(self.settings)

    def apply_settings(self, settings, seconds=0.0):
        self.settings = copy.copy(settings)
        self.log.append(f"synchronous {settings.synchronous_mode}")
        return self.step

    def get_blueprint_library(self):
        return Library()

    def get_map(self):
        return types.SimpleNamespace(get_spawn_points=lambda: [f"place {n}" for n in range(5)])

    def try_spawn_actor(self, blueprint, transform, attach_to=None):
        self.occupied -= 1
        return None if self.occupied >= 0 else self.spawn_actor(blueprint, transform, attach_to)

    def spawn_actor(self, blueprint, transform, attach_to=None):
        self.fails(f"spawn {blueprint.id}")
        actor = Actor(self, blueprint, transform, attach_to)
        self.spawned.append(actor)
        self.actors[actor.id] = actor
        return actor

    def tick(self, seconds=0.0):
        self.fails(f"tick {self.step + 1}")
        assert self.settings.synchronous_mode and self.settings.fixed_delta_seconds
        assert not self.settings.no_rendering_mode
        self.step += 1
        for actor in [*self.actors.values()]:
            if actor.callback is not None and not self.blind:
                actor.callback(Image(actor, self.step + self.others))
        return self.step


class Manager:
    def __init__(self, world):
        self.world, self.synchronous, self.seed = world, False, None

    def get_port(self):
        return 8123

    def set_synchronous_mode(self, mode_switch):
        self.synchronous = mode_switch
        self.world.log.append(f"traffic {mode_switch}")

    def set_random_device_seed(self, value):
        self.seed = value


def package(version="0.9.16", silent=False):
    """A module to be imported as `carla`; its `world` and `manager` are the server's."""
    world = World()
    manager = Manager(world)

    class Client:
        def __init__(self, host="127.0.0.1", port=2000, worker_threads=0):
            self.where = f"{host}:{port}"

        def set_timeout(self, seconds):
            self.timeout = seconds

        def get_server_version(self):
            if silent:
                raise RuntimeError(f"time-out of 10000ms while waiting for {self.where}")
            return version

        def get_world(self):
            return world

        def get_trafficmanager(self, port=8000):
            return manager

    def record(**defaults):
        return lambda **given: types.SimpleNamespace(**(defaults | given))

    module = types.ModuleType("carla")
    module.__dict__.update(
        world=world,
        manager=manager,
        Client=Client,
        Location=record(x=0.0, y=0.0, z=0.0),
        Rotation=record(pitch=0.0, yaw=0.0, roll=0.0),
        Transform=lambda location, rotation: (location, rotation),
    )
    return module
