import pytest

from sflowgan_tf.utils.sampling import evenly_spaced


@pytest.mark.parametrize(
    ("total", "most", "expected"),
    [
        (0, 3, []),
        (1, 3, [0]),
        (3, 64, [0, 1, 2]),
        (9, 3, [0, 4, 8]),
        (9, 2, [0, 8]),
        (100, 1, [0]),
    ],
)
def test_first_and_last_and_what_lies_between(total, most, expected):
    assert evenly_spaced(total, most) == expected
