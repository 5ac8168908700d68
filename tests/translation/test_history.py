import cv2
import numpy as np
import pytest

from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation import history as history_module
from sflowgan_tf.translation.history import History

FARNEBACK = Farneback()
SIZE = (48, 64)
INNER = np.s_[:, 8:-8, 8:-8]  # at the border the flow of a film that stands still may lead out


def texture(seed, size=SIZE):
    """Blotches that a flow can follow."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(blurred, np.empty(0), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def grey(level):
    return np.full((1, *SIZE, 3), level, np.uint8)


def of_film(weight, frames, painted):
    history = History(weight, FARNEBACK)
    return [
        history.steady(frame, pictures) for frame, pictures in zip(frames, painted, strict=True)
    ]


def test_pictures_of_a_scene_that_stands_still():
    got = of_film(0.25, [texture(0)] * 3, [grey(100), grey(200), grey(60)])
    # 100; 3/4 200 + 1/4 100 = 175; 3/4 60 + 1/4 175 = 88.75
    for pictures, level in zip(got, (100, 175, 89), strict=True):
        np.testing.assert_array_equal(pictures[INNER], grey(level)[INNER])
        assert pictures.dtype == np.uint8


def test_each_version_has_its_own_past():
    first, second = np.concatenate([grey(0), grey(200)]), np.concatenate([grey(100), grey(100)])
    got = of_film(0.5, [texture(0)] * 2, [first, second])[1]
    np.testing.assert_array_equal(got[INNER], np.concatenate([grey(50), grey(150)])[INNER])


def test_the_past_moves_with_the_given_film():
    """Both films move left by 2 pixels a frame; what is painted keeps its place on the texture."""
    wide, pattern = texture(0, (48, 80)), texture(1, (48, 80))
    frames = [wide[:, shift : shift + 64] for shift in (0, 2, 4)]
    painted = [pattern[None, :, shift : shift + 64] for shift in (0, 2, 4)]
    last = of_film(0.8, frames, painted)[-1].astype(float)
    moved = np.abs(last - painted[-1])[INNER].mean()
    stood = np.abs(0.8 * painted[0] + 0.2 * painted[-1] - painted[-1])[INNER].mean()
    assert moved < 0.15 * stood


def test_noise_falls_as_the_docstring_says():
    draw = np.random.default_rng(0)
    noise = [grey(128) + draw.normal(scale=20, size=(1, *SIZE, 3)) for _ in range(12)]
    painted = [np.rint(one).astype(np.uint8) for one in noise]
    last = of_film(0.6, [texture(0)] * 12, painted)[-1]
    assert last.std() / 20 == pytest.approx(np.sqrt(0.4 / 1.6), rel=0.05)


def test_a_cut_takes_nothing_over():
    got = of_film(0.9, [texture(0), texture(1)], [grey(0), grey(200)])[1]
    assert np.median(got) == 200 and got.mean() > 180


def test_where_the_given_film_changes_its_colour_nothing_is_taken_over():
    dark = texture(0) // 2
    lit = dark.copy()
    lit[:, 32:] += 120
    got = of_film(0.9, [dark, lit], [grey(0), grey(200)])[1]
    assert (got[:, 8:-8, 48:-8] > 190).all()
    assert (got[:, 8:-8, 8:16] < 40).all()


def test_without_weight_nothing_changes_and_no_flow_is_sought(monkeypatch):
    monkeypatch.setattr(history_module, "estimated_motion", None)
    got = of_film(0.0, [texture(0)] * 2, [grey(3), grey(7)])
    np.testing.assert_array_equal(got, [grey(3), grey(7)])


def test_another_film_begins_without_a_past():
    history = History(0.5, FARNEBACK)
    history.steady(texture(0), grey(0))
    history.forget()
    np.testing.assert_array_equal(history.steady(texture(0), grey(200)), grey(200))


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_a_saved_past_goes_on_with_the_same_bits(tmp_path, weight):
    frames = [texture(0), np.roll(texture(0), 1, axis=1), texture(0), texture(0)]
    painted = [texture(seed)[None] for seed in range(4)]
    whole = of_film(weight, frames, painted)
    first, second = History(weight, FARNEBACK), History(weight, FARNEBACK)
    for frame, pictures in zip(frames[:2], painted[:2], strict=True):
        first.steady(frame, pictures)
    first.save(tmp_path / "past.npz")
    second.load(tmp_path / "past.npz")
    got = [second.steady(*one) for one in zip(frames[2:], painted[2:], strict=True)]
    np.testing.assert_array_equal(got, whole[2:])
    assert [file.name for file in tmp_path.iterdir()] == ["past.npz"]
