import numpy as np
import pytest

from sflowgan_tf.minicity import shadows
from sflowgan_tf.minicity.facade import Styles
from sflowgan_tf.minicity.faces import FaceList
from sflowgan_tf.minicity.models import Blocker
from sflowgan_tf.minicity.street import Street

SUN = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)  # from the right, 45 degrees high


def street(roofs=0.0, blockers=()):
    heights = np.full((2, 400), roofs, np.float32)
    return Street(FaceList().table(), Styles.of([]), list(blockers), (-8.0, 8.0), heights, 5.0, 2.0)


@pytest.mark.parametrize(("roof", "light"), [(6.0, 1.0), (10.0, 0.0)])
def test_a_row_shades_the_street_as_far_as_it_is_high(roof, light):
    # 8 m from the wall at 45 degrees the sun passes 8 m above the wall's foot
    middle = np.zeros(1, np.float32)
    assert shadows.from_rows(street(roof), SUN, middle, middle, middle) == pytest.approx(light)


def test_a_post_throws_its_shadow_away_from_the_sun():
    post = Blocker(x=2.0, z=20.0, width=0.5, length=0.5, low=0.0, high=3.0)
    x = np.array(
        [[0.5, 3.5, -2.0]], np.float32
    )  # in its shadow, towards the sun, beyond the shadow
    cast, contact = shadows.on_ground(street(0, [post]), SUN, 0.0, 0.0, x, np.full_like(x, 20.0))
    assert cast[0, 0] < 0.1 and cast[0, 1] == 1 and cast[0, 2] == 1
    assert (contact == 1).all()


def test_a_shadow_goes_with_what_throws_it():
    x, z = np.array([[2.0]], np.float32), np.array([[30.0]], np.float32)
    car = Blocker(2.0, 20.0, 1.8, 4.0, 0.0, 1.0, velocity=(0.0, 0.0, 1.0))
    _, before = shadows.on_ground(street(0, [car]), SUN, 0.0, 0.0, x, z)
    _, under = shadows.on_ground(street(0, [car]), SUN, 10.0, 0.0, x, z)
    assert before[0, 0] == 1 and under[0, 0] < 0.4
