import numpy as np
import pytest

from sflowgan_tf.simulators.base import Tick
from sflowgan_tf.utils.errors import UserError

FIELDS = {
    "camera": "front",
    "number": 4,
    "time": 0.4,
    "frame": np.zeros((2, 3, 3), np.uint8),
    "labels": np.zeros((2, 3), np.uint16),
}


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("frame", np.zeros((2, 3, 4), np.uint8), r"expected \(2, 3, 3\) uint8, got \(2, 3, 4\)"),
        ("labels", np.zeros((2, 3), np.int64), r"\(2, 3\) uint8 or uint16, got \(2, 3\) int64"),
        ("labels", np.zeros((3, 2), np.uint8), r"expected \(2, 3\)"),
        ("instances", np.zeros((2, 3), np.uint8), "uint16, got"),
        ("depth", np.zeros((2, 3)), "float32, got"),
        ("motion", np.zeros((2, 3), np.float32), r"expected \(2, 3, 2\) float32"),
    ],
)
def test_an_array_of_another_kind_is_named(name, array, sentence):
    with pytest.raises(UserError, match=f"{name} of camera 'front', moment 4: .*{sentence}"):
        Tick(**(FIELDS | {name: array}))
