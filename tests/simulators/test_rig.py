import pytest

from sflowgan_tf.simulators import rig
from sflowgan_tf.simulators.rig import Camera, Position, Rotation
from sflowgan_tf.utils.errors import UserError

SIZE = (64, 32)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rig.yaml"


def test_cameras_are_read_in_their_order_with_what_is_not_said_left_open(file):
    file.write_text(
        "front: {}\n"
        "left-1:\n"
        "  position: {x: 1, y: -0.5}\n"
        "  rotation: {yaw: -60}\n"
        "  fov: 90\n"
        "  size: 48x32\n"
        "3:\n"
    )
    assert rig.read(file, SIZE) == (
        Camera(name="front", size=SIZE),
        Camera(
            name="left-1",
            size=(48, 32),
            position=Position(1.0, -0.5, 1.5),
            rotation=Rotation(yaw=-60.0),
            fov=90.0,
        ),
        Camera(name="3", size=SIZE),
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "expected cameras by their names"),
        ("- front\n", "expected cameras by their names"),
        ("front: {fow: 90}\n", r"front: fow: .*; the keys are position: \{x, y, z\}"),
        ("front: {fov: wide}\n", "front: fov: Value 'wide'"),
        ("front: {rotation: {turn: 3}}\n", "front: rotation.turn: "),
        ("front: 90\n", "front: "),
        ("front: {fov: 180}\n", "front.fov=180.0: expected 179 or less"),
        ("front: {position: {z: .inf}}\n", "front.position.z=inf: expected a finite number"),
        ("front: {size: 64}\n", "front.size: expected WIDTHxHEIGHT"),
        ("../up: {}\n", "'../up': expected a camera's name of letters"),
    ],
)
def test_what_is_no_rig_is_named_with_its_file(file, content, sentence):
    file.write_text(content)
    with pytest.raises(UserError, match=rf"rig\.yaml: {sentence}"):
        rig.read(file, SIZE)
