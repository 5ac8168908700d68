import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sflowgan_tf.minicity.facade import band, scatter, stripes


@given(x=st.floats(-50, 50), periods=st.integers(1, 5))
def test_stripes_average_to_their_share_over_whole_periods(x, periods):
    share = stripes(np.float64(x), 2.5, 0.4, 1.4, 2.5 * periods)
    assert share == pytest.approx(0.4, abs=1e-9)


def test_stripes_are_sharp_where_a_pixel_is_small():
    x = np.array([0.3, 0.5, 1.3, 1.5, 2.8, 3.0])
    np.testing.assert_allclose(stripes(x, 2.5, 0.4, 1.4, 1e-3), [0, 1, 1, 0, 0, 1], atol=1e-9)


def test_band_is_the_overlap():
    assert band(0.0, 0.0, 1.0, 0.5) == pytest.approx(0.5)
    assert band(0.5, 0.0, 1.0, 4.0) == pytest.approx(0.25)
    assert band(3.0, 0.0, 1.0, 0.5) == 0


def test_scatter_is_even_and_knows_its_cell():
    a, b = np.meshgrid(np.arange(-50, 50), np.arange(100))
    values = scatter(a.ravel(), b.ravel(), np.full(10_000, 7.0, np.float32))
    histogram, _ = np.histogram(values, 10, (0, 1))
    assert abs(histogram - 1000).max() < 200
    again = scatter(a.ravel(), b.ravel(), np.full(10_000, 8.0, np.float32))
    assert np.mean(values == again) < 0.01
