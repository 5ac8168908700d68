import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.temporal import Steadiness

SIZE = (32, 48)


def noise(seed, size=SIZE, low=0, high=256):
    return np.random.default_rng(seed).integers(low, high, (*size, 3), dtype=np.uint8)


def still(size=SIZE):
    """No motion, all of it seen."""
    return np.zeros((*size, 2), np.float32), np.ones(size, bool)


def of_film(frames, flow, visible):
    film = Steadiness()
    for frame, following in zip(frames, frames[1:], strict=False):
        film.update(frame, following, flow, visible)
    return film.result()


def test_a_film_that_stands_still():
    assert of_film([noise(0)] * 3, *still()) == {"warping_error": 0, "flicker": 0}


def test_motion_that_the_flow_explains():
    """Fine texture moves by (3, 1); what comes in at the border has no counterpart."""
    frame = noise(0)
    following = np.roll(frame, (1, 3), axis=(0, 1))
    flow, visible = still()
    flow[:] = (3, 1)
    visible[-1:] = visible[:, -3:] = False
    assert of_film([frame, following], flow, visible) == {"warping_error": 0, "flicker": 0}
    unexplained = of_film([frame, following], *still())
    assert unexplained["warping_error"] > 0.2


@settings(max_examples=25)
@given(st.integers(1, 100), st.integers(0, 99))
def test_flashing_counts_in_full(difference, seed):
    dark = noise(seed, high=256 - difference)
    bright = (dark + difference).astype(np.uint8)
    result = of_film([dark, bright, dark, bright], *still())
    assert result == pytest.approx(dict.fromkeys(result, difference / 255), rel=1e-4)


def test_noise_is_no_flicker():
    """Of normal noise with deviation s, pixels differ by 2 s / sqrt(pi) in the mean.

    A Gaussian window of sigma w divides that by 2 w sqrt(pi); w is 128 / 32 = 4 here.
    """
    size, sigma = (128, 256), 10
    draw = np.random.default_rng(0)
    film = [np.rint(draw.normal(128, sigma, (*size, 3))).astype(np.uint8) for _ in range(3)]
    result = of_film(film, *still(size))
    expected = 2 * sigma / np.sqrt(np.pi) / 255
    assert result["warping_error"] == pytest.approx(expected, rel=0.01)
    assert result["flicker"] == pytest.approx(expected / (8 * np.sqrt(np.pi)), rel=0.15)


@settings(max_examples=25)
@given(st.integers(0, 99), st.floats(0.05, 0.95))
def test_what_is_hidden_does_not_count(seed, share):
    """Neither its colours nor its flow, which may be anything."""
    visible = np.random.default_rng(seed).random(SIZE) < share
    flow, _ = still()
    frame, following = noise(seed), noise(seed + 1)
    expected = of_film([frame, following], flow, visible)
    flow[~visible] = np.nan
    frame[~visible] = noise(seed + 2)[~visible]
    assert of_film([frame, following], flow, visible) == expected


def test_the_window_holds_visible_pixels_only():
    """Half of the picture grows brighter; beside the hidden other half it counts in full."""
    flow, visible = still()
    visible[:, 24:] = False
    frame = np.full((*SIZE, 3), 100, np.uint8)
    following = frame.copy()
    following[:, :24] += 51
    result = of_film([frame, following], flow, visible)
    assert result == pytest.approx({"warping_error": 0.2, "flicker": 0.2})


@settings(max_examples=25)
@given(st.integers(0, 99))
def test_the_negative_is_as_steady(seed):
    film = [noise(seed), noise(seed + 1)]
    negative = [255 - frame for frame in film]
    assert of_film(negative, *still()) == pytest.approx(of_film(film, *still()), rel=1e-4)


def test_each_pair_has_the_same_weight():
    """One pair with all pixels that differ by 51, one with a single pixel that differs by 102."""
    flow, visible = still()
    frame = np.zeros((*SIZE, 3), np.uint8)
    film = Steadiness()
    film.update(frame, frame + 51, flow, visible)
    film.update(frame, frame + 102, flow, np.eye(*SIZE, dtype=bool))
    assert film.result() == pytest.approx({"warping_error": 0.3, "flicker": 0.3})


def test_a_pair_without_a_visible_pixel_is_left_out():
    flow, visible = still()
    film = Steadiness()
    film.update(noise(0), noise(1), flow, ~visible)
    with pytest.raises(ValueError, match="expected a pair of frames with a pixel seen in both"):
        film.result()
    film.update(noise(0), noise(0), flow, visible)
    assert film.result() == {"warping_error": 0, "flicker": 0}


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("following", (32, 47, 3), r"frame, following: expected equal shapes, got .*\(32, 47, 3\)"),
        ("flow", (32, 48, 3), r"flow: expected shape \(32, 48, 2\) .* got \(32, 48, 3\)"),
        ("visible", (32, 48, 1), r"visible: expected shape \(32, 48\) .* got \(32, 48, 1\)"),
    ],
)
def test_shapes_that_do_not_belong_together(name, shape, message):
    flow, visible = still()
    right = {"frame": noise(0), "following": noise(1), "flow": flow, "visible": visible}
    with pytest.raises(ValueError, match=message):
        Steadiness().update(**(right | {name: np.zeros(shape)}))
