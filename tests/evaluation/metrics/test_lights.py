import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.lights import (
    Comparison,
    State,
    compare_states,
    light_regions,
    light_states,
)
from sflowgan_tf.minicity import sequence

LIGHT = 7
BLACK, GREY, SKY = (18, 18, 20), (150, 150, 150), (120, 170, 235)
RED, AMBER, GREEN = (240, 30, 20), (255, 170, 20), (20, 230, 130)


def street(*lamps, background=GREY):
    """Labels and a picture with a black head of 4x10 pixels for each of the lamps of 2x2."""
    labels = np.zeros((14, 6 * len(lamps)), np.uint8)
    picture = np.full((*labels.shape, 3), background, np.uint8)
    for index, lamp in enumerate(lamps):
        left = 6 * index + 1
        labels[2:12, left : left + 4] = LIGHT
        picture[2:12, left : left + 4] = BLACK
        picture[3:5, left + 1 : left + 3] = lamp
    return labels, picture


def states(*lamps):
    labels, picture = street(*lamps)
    return light_states(light_regions(labels, LIGHT), picture)


def test_lights_of_more_than_12_pixels_are_numbered():
    labels = np.zeros((8, 12), np.uint8)
    labels[0:4, 0:3] = LIGHT  # 12 pixels
    labels[0:4, 5:8] = LIGHT
    labels[4, 8] = LIGHT  # the 13th, over a corner
    labels[:, 10:] = LIGHT
    labels[7, 0] = LIGHT + 1
    regions = light_regions(labels, LIGHT)
    assert regions.dtype == np.int32 and regions.max() == 2
    sizes = {int(regions[4, 8]): 13, int(regions[0, 11]): 16}
    assert sizes == {number: int((regions == number).sum()) for number in (1, 2)}
    assert not regions[:, :4].any()


def test_without_traffic_lights_there_are_no_states():
    regions = light_regions(np.zeros((4, 5), np.uint8), LIGHT)
    assert not regions.any() and light_states(regions, np.zeros((4, 5, 3), np.uint8)) == []


def test_the_lamp_that_shines_is_the_state():
    assert states(RED, AMBER, GREEN) == [State.RED, State.AMBER, State.GREEN]


@pytest.mark.parametrize("lamp", [BLACK, GREY, (255, 255, 255), SKY, (255, 0, 255), (63, 0, 0)])
def test_what_is_no_lamp_leaves_the_state_undecided(lamp):
    assert states(lamp) == [State.UNDECIDED]


@pytest.mark.parametrize(("pixels", "state"), [(2, State.RED), (3, State.UNDECIDED)])
def test_two_thirds_of_the_votes_decide(pixels, state):
    """A red lamp of 4 pixels and a green one of `pixels`, all of chroma 200."""
    labels, picture = street((200, 0, 0))
    picture[8, 1 : 1 + pixels] = (0, 200, 100)
    assert light_states(light_regions(labels, LIGHT), picture) == [state]


def test_weak_colours_beside_the_lamp_have_no_vote():
    labels, picture = street((0, 220, 120))
    head = (labels == LIGHT) & (picture == BLACK).all(axis=-1)
    picture[head] = (150, 40, 30)  # chroma 120, below 0.6 of 220
    assert light_states(light_regions(labels, LIGHT), picture) == [State.GREEN]


def test_only_the_region_is_seen():
    labels, picture = street(GREEN, background=RED)
    assert light_states(light_regions(labels, LIGHT), picture) == [State.GREEN]


@given(
    state=st.sampled_from([(State.RED, 0), (State.AMBER, 45), (State.GREEN, 150)]),
    turn=st.floats(-20, 20),
    saturation=st.floats(0.6, 1),
    value=st.floats(0.5, 1),
)
def test_the_nearest_hue_is_the_state(state, turn, saturation, value):
    name, hue = state
    lamp = np.rint(255 * np.array(colorsys.hsv_to_rgb((hue + turn) / 360 % 1, saturation, value)))
    assert states(lamp) == [name]


def test_kept_counts_lights_whose_state_the_source_shows():
    labels, source = street(RED, AMBER, GREEN, BLACK)
    _, picture = street(RED, RED, GREY, GREEN)  # kept, another, lost, not counted
    assert compare_states(labels, source, picture, LIGHT) == Comparison(lights=3, unchanged=1)
    assert compare_states(labels, source, source, LIGHT) == Comparison(lights=3, unchanged=3)


def test_shapes_are_checked():
    labels, picture = street(RED)
    with pytest.raises(ValueError, match=r"labels: expected \(height, width\)"):
        light_regions(labels[..., None], LIGHT)
    with pytest.raises(ValueError, match=r"picture: expected \(14, 6, 3\)"):
        compare_states(labels, picture, picture[1:], LIGHT)


def test_the_rule_reads_what_minicity_draws():
    """At least 95 % in both renderings; what is left are lamps behind something, undecided."""
    right = {"image_cg": 0, "image_real": 0}
    lights = 0
    for index in (4, 6, 10, 11, 18, 21, 23, 26):  # near lights in the first frame
        frame = next(sequence(0, index, 1, (256, 128)))
        regions = light_regions(frame.labels, 15)
        truth = [frame.lights[regions == n].max() for n in range(1, int(regions.max()) + 1)]
        lights += len(truth)
        for name in right:
            judged = light_states(regions, getattr(frame, name))
            right[name] += sum(a == b for a, b in zip(judged, truth, strict=True))
            assert all(a in (b, State.UNDECIDED) for a, b in zip(judged, truth, strict=True))
    assert lights >= 12
    assert min(right.values()) >= 0.95 * lights
