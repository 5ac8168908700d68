"""CARLA against a stand-in of its documented Python API, since there is no server to test with."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from sflowgan_tf.simulators import carla
from sflowgan_tf.simulators.carla import Carla
from sflowgan_tf.simulators.rig import Camera, Position, Rotation
from sflowgan_tf.utils.errors import Failure, UserError
from tests.simulators import carla_standin
from tests.simulators.carla_standin import TAG

FRONT = Camera(name="front", size=(8, 4))
LEFT = Camera(
    name="left", size=(4, 6), position=Position(y=-0.5), rotation=Rotation(yaw=-60), fov=100
)
EXTRAS = ("instances", "depth")


@pytest.fixture
def api(monkeypatch):
    module = carla_standin.package()
    monkeypatch.setitem(sys.modules, "carla", module)
    return module


def simulator(**changed):
    fields = {"host": "sim", "port": 2000, "seed": 3, "frames": 3, "fps": Fraction(10)}
    return Carla(**(fields | {"cameras": (FRONT,), "extras": EXTRAS} | changed))


def driven(**changed):
    with simulator(**changed).drive() as ticks:
        return [*ticks]


def is_as_before(api):
    world = api.world
    return not world.actors and vars(world.settings) == vars(carla_standin.Settings())


def test_a_tick_holds_the_sensors_raw_data(api):
    for tick in driven():
        assert tick.frame.shape == (4, 8, 3) and tick.frame.flags.c_contiguous
        assert tick.frame[0, 0, 1:].tolist() == [20, 30], "green, blue"
        assert tick.labels.dtype == np.uint8 and tick.labels[0, 0] == TAG
        assert tick.instances is not None and tick.instances[0, 0] == 0x1234
        assert tick.depth is not None and tick.motion is None
        exact = 1000 * (1 + 256 * 2 + 65536 * 3) / (256**3 - 1)
        np.testing.assert_allclose(tick.depth[0, 0], exact, rtol=1e-6)
        for array in (tick.frame, tick.labels, tick.instances, tick.depth):
            assert not array[0, 1].any() and array[1].all(), "of the first row"


def test_moments_are_consecutive_steps_after_a_second(api):
    ticks = driven()
    assert [tick.number for tick in ticks] == [0, 1, 2]
    assert [tick.time for tick in ticks] == [0, 0.1, 0.2]
    assert [tick.frame[1, 0, 0] for tick in ticks] == [111, 112, 113], "the steps, from 101 on"


@pytest.mark.parametrize(
    ("fps", "steps"), [("30", 1), ("10", 1), ("29.97", 1), ("4", 3), ("1", 10)]
)
def test_a_step_is_no_longer_than_its_physics_allows(api, fps, steps):
    seen = []
    api.world.fails = lambda call: seen.append(api.world.settings.fixed_delta_seconds)
    first, second, _ = driven(fps=Fraction(fps))
    assert seen[-1] == pytest.approx(1 / (float(Fraction(fps)) * steps)) and seen[-1] <= 0.1
    assert int(second.frame[1, 0, 0]) - int(first.frame[1, 0, 0]) == steps


def test_the_car_and_its_cameras_are_set_up_as_the_rig_says(api):
    with simulator(cameras=(FRONT, LEFT), extras=("instances",)).drive() as ticks:
        assert [(tick.camera, tick.frame.shape) for tick in ticks][:2] == [
            ("front", (4, 8, 3)),
            ("left", (6, 4, 3)),
        ]
        car, *sensors = api.world.spawned
        assert api.world.occupied == -1, "the last of five places is free"
        assert car.attributes == {"role_name": "hero"} and car.autopilot == (True, 8123)
        assert api.manager.synchronous and api.manager.seed == 3
        assert len(sensors) == 6 and all(sensor.parent is car for sensor in sensors)
        front, left = sensors[0], sensors[-1]
        assert vars(front.transform[0]) == {"x": 1.5, "y": 0, "z": 2.4}
        assert front.attributes.pop("motion_blur_intensity") == "0.0"
        assert front.attributes == {"image_size_x": "8", "image_size_y": "4", "fov": "70.0"}
        assert vars(left.transform[0]) == {"x": 0, "y": -0.5, "z": 1.5}
        assert vars(left.transform[1]) == {"pitch": 0, "yaw": -60, "roll": 0}
        assert left.attributes == {"image_size_x": "4", "image_size_y": "6", "fov": "100"}


def test_sensors_that_nobody_needs_are_not_there(api):
    (tick, *_) = driven(extras=())
    assert tick.instances is None and tick.depth is None
    assert [actor.type_id.rpartition(".")[2] for actor in api.world.spawned] == [
        "model3",
        "rgb",
        "semantic_segmentation",
    ]


def test_all_is_left_as_it_was_in_the_order_that_carla_asks_for(api):
    driven(extras=())
    assert is_as_before(api) and not api.manager.synchronous
    assert api.world.log == [
        "synchronous True",
        "traffic True",
        "stop sensor.camera.semantic_segmentation",
        "stop sensor.camera.rgb",
        "traffic False",
        "synchronous False",
        "destroy sensor.camera.semantic_segmentation",
        "destroy sensor.camera.rgb",
        "destroy vehicle.tesla.model3",
    ]


def test_settings_of_the_user_come_back(api):
    api.world.settings.no_rendering_mode = True
    api.world.settings.synchronous_mode, api.world.settings.fixed_delta_seconds = True, 0.05
    before = vars(api.world.get_settings())
    driven()
    assert vars(api.world.settings) == before and api.manager.synchronous


class _Stop(BaseException):
    pass


@pytest.mark.parametrize("error", [_Stop, KeyboardInterrupt, RuntimeError])
def test_an_error_of_the_caller_passes_and_all_is_left_as_it_was(api, error):
    with pytest.raises(error), simulator().drive() as ticks:
        next(ticks)
        raise error
    assert is_as_before(api)


@pytest.mark.parametrize("call", ["spawn sensor.camera.depth", "spawn vehicle", "tick 105"])
def test_an_error_of_carla_is_a_sentence_and_all_is_left_as_it_was(api, call):
    def fails(what):
        if what.startswith(call):
            raise RuntimeError("time-out of 60000ms")

    api.world.fails = fails
    with pytest.raises(Failure, match=r"^CARLA at sim:2000: time-out of 60000ms$"):
        driven()
    assert is_as_before(api)


def test_an_end_that_fails_is_told_and_the_rest_is_done(api, monkeypatch):
    def fails(self):
        self.callback = None
        raise RuntimeError("no such stream")

    monkeypatch.setattr(carla_standin.Actor, "stop", fails)
    with pytest.raises(Failure, match="no such stream"):
        driven()
    assert is_as_before(api)


def test_a_map_without_a_free_place_is_a_sentence(api):
    api.world.occupied = 5
    with pytest.raises(Failure, match="none of the map's 5 places to start a car is free"):
        driven()
    assert is_as_before(api)


def test_a_camera_that_sees_nothing_is_a_sentence(api, monkeypatch):
    monkeypatch.setattr(carla, "_PATIENCE", 0.01)
    api.world.blind = True
    with pytest.raises(Failure, match="gave no picture of step 101 within 0.01 s; does the server"):
        driven()
    assert is_as_before(api)


def test_another_client_that_moves_the_world_on_is_noticed(api):
    api.world.others = 1
    with pytest.raises(Failure, match="is at step 102, expected 101: another client"):
        driven()
    assert is_as_before(api)


def test_without_a_server_the_place_and_the_remedy_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "carla", carla_standin.package(silent=True))
    with pytest.raises(UserError, match="--host sim --port 2000: no CARLA server .*; start it"):
        driven()


@pytest.mark.parametrize(("version", "right"), [("0.9.13", False), ("0.9.16-4-gabc", True)])
def test_a_server_whose_tags_are_others_is_refused(monkeypatch, version, right):
    monkeypatch.setitem(sys.modules, "carla", carla_standin.package(version))
    if right:
        assert driven()
    else:
        with pytest.raises(UserError, match="CARLA 0.9.13 answers there, whose tags mean other"):
            driven()


def test_without_the_package_the_way_to_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "carla", None)
    with pytest.raises(UserError, match="install it .* with `pip install carla==0.9.16`"):
        driven()


def test_a_port_that_is_none_is_refused():
    with pytest.raises(UserError, match="--port 70000: expected 1 to 65534"):
        simulator(port=70000)
