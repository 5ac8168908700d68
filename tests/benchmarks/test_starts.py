import pytest

from benchmarks.starts import has_stepped

MEASURED = b"\rmeasuring colours:  26%|##   | 147/576 [00:00<00:02, 159.78frame/s]\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (MEASURED, False),  # other bars come before the first step
        (MEASURED + b"\rdned:   0%|    | 0/1152 [00:00<?, ?step/s]", False),
        (MEASURED + b"\rdned:   0%|    | 1/1152 [00:08<2:35:03,  8.08s/step]", True),
        (b"\redges:   0%|    | 3/1152 [00:01<08:11,  2.33step/s, G=1.68]", True),
    ],
)
def test_only_the_bar_of_the_steps_tells_of_a_step(said, expected):
    assert has_stepped(said) == expected
