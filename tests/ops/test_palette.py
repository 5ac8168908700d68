import json
from dataclasses import replace

import numpy as np
import pytest

from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette, Recoloring, frame_means
from sflowgan_tf.ops.settings import Regions

NAN = float("nan")


def grey(*levels):
    """(len, 3) float32: the same in all channels."""
    return np.repeat(np.array(levels, np.float32)[:, None], 3, axis=1)


def colors(mean, spread):
    return ClassColors(mean=grey(*mean), spread=grey(*spread))


# Three classes and void. No real frame has class 2; no frame of the simulator has void.
PALETTE = Palette(
    real=colors([100, 50, NAN, 30], [6, 20, NAN, 0]),
    simulator=colors([160, 60, 80, NAN], [10, 10, 10, NAN]),
    clusters=np.stack([grey(90, 40, NAN, 30), grey(110, 80, NAN, 30)]),
    frames=np.stack([grey(120, 25, NAN, 30), grey(60, NAN, NAN, NAN)]),
)


def applied(recoloring, levels):
    """Grey levels of the four classes after a recolouring."""
    return (recoloring.scale * grey(*levels) + recoloring.shift)[:, 0]


def test_means_of_a_frame():
    labels = np.array([[0, 0, 2], [2, 255, 7]], np.uint8)
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    means = frame_means(labels, image, 3)
    assert means.dtype == np.float32
    expected = [[1.5, 2.5, 3.5], [NAN] * 3, [7.5, 8.5, 9.5], [13.5, 14.5, 15.5]]
    np.testing.assert_array_equal(means, np.array(expected, np.float32))


def test_colours_of_a_set_count_the_frames_that_have_the_class():
    measured = ClassColors.of(np.stack([grey(10, NAN), grey(20, NAN), grey(NAN, NAN)]))
    np.testing.assert_array_equal(measured.mean, grey(15, NAN))
    np.testing.assert_array_equal(measured.spread, grey(5, NAN))


def test_given_maps_the_simulators_mean_to_the_real_one():
    recoloring = PALETTE.given()
    means = applied(recoloring, [160, 60, 80, 33])
    np.testing.assert_allclose(means[:2], [100, 50], rtol=1e-6)
    # Spreads: 6 / 10, and 20 / 10, which would come out garish.
    np.testing.assert_allclose(recoloring.scale[:2, 0], [0.6, 0.8], rtol=1e-6)


def test_classes_that_one_of_both_lacks_stay_as_they_are():
    np.testing.assert_array_equal(applied(PALETTE.given(), [0, 0, 80, 33])[2:], [80, 33])


def test_given_of_a_set_starts_from_its_own_colours():
    source = colors([20, NAN, 5, 40], [0, NAN, 0, 0])  # one frame has no spread
    recoloring = PALETTE.given(source)
    np.testing.assert_allclose(applied(recoloring, [20, 77, 5, 40]), [100, 77, 5, 30], rtol=1e-6)
    np.testing.assert_allclose(recoloring.scale[:, 0], [0.8, 1, 1, 0.8], rtol=1e-6)


def test_without_a_simulator_colours_stay():
    alone = replace(PALETTE, simulator=None)
    for recoloring in (alone.given(), alone.cluster(1), alone.drawn(0), alone.like(PALETTE.real)):
        np.testing.assert_array_equal(applied(recoloring, [1, 2, 3, 4]), [1, 2, 3, 4])


def test_frames_of_a_camera_keep_their_colours():
    model = ColorInput(regions=Regions(cell=2), palette=PALETTE).of_real_frames()
    levels = [160, 60, 80, 33]
    np.testing.assert_array_equal(applied(model.palette.given(), levels), levels)


def test_a_cluster_is_the_colour_that_the_mean_becomes():
    for number, expected in enumerate(([90, 40], [110, 80])):
        means = applied(PALETTE.cluster(number), [160, 60, 80, 33])
        np.testing.assert_allclose(means[:2], expected, rtol=1e-6)
        assert means[2:].tolist() == [80, 33]


@pytest.mark.parametrize(("seed", "expected"), [(0, [116, 30]), (1, [68, 50]), (2, [116, 30])])
def test_drawn_colours_are_four_fifths_of_the_way_to_those_of_one_frame(seed, expected):
    """Means are 100 and 50; what a frame lacks stays there."""
    means = applied(PALETTE.drawn(seed), [160, 60, 80, 33])
    np.testing.assert_allclose(means[:2], expected, rtol=1e-6)
    assert means[2:].tolist() == [80, 33]


def test_like_takes_the_means_of_other_frames_and_what_they_lack_from_the_real_ones():
    other = colors([200, NAN, NAN, NAN], [0, NAN, NAN, NAN])
    means = applied(PALETTE.like(other), [160, 60, 80, 33])
    np.testing.assert_allclose(means, [200, 50, 80, 33], rtol=1e-6)


@pytest.mark.parametrize("simulator", [PALETTE.simulator, None])
def test_it_comes_back_from_json(simulator):
    palette = replace(PALETTE, simulator=simulator)
    written = json.dumps(
        ColorInput(regions=Regions(cell=8, fine=(1, 2)), palette=palette).to_dict(), allow_nan=False
    )
    back = ColorInput.from_dict(json.loads(written))
    assert back.regions == Regions(cell=8, fine=(1, 2)) and back.palette.num_classes == 3
    assert (back.palette.simulator is None) == (simulator is None)
    np.testing.assert_array_equal(back.palette.clusters, palette.clusters)
    np.testing.assert_array_equal(back.palette.frames, palette.frames)
    np.testing.assert_array_equal(back.palette.real.mean, palette.real.mean)
    assert json.dumps(back.to_dict()) == written
    np.testing.assert_array_equal(back.palette.given().shift, palette.given().shift)


def test_a_recolouring_comes_back_from_json_bit_for_bit():
    draw = np.random.default_rng(0)
    scale, shift = draw.random((2, 4, 3), np.float32)
    back = Recoloring.from_dict(
        json.loads(json.dumps(Recoloring(scale=scale, shift=shift).to_dict()))
    )
    np.testing.assert_array_equal(back.scale, scale)
    np.testing.assert_array_equal(back.shift, shift)


@pytest.mark.parametrize(
    "change",
    [{"clusters": "many"}, {"frames": "few"}, {"real": {}}, {"simulator": 7}, {"real": None}],
)
def test_another_form_is_refused(change):
    values = PALETTE.to_dict() | change
    with pytest.raises((KeyError, TypeError, ValueError)):
        Palette.from_dict(values)
