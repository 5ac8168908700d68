import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from sflowgan_tf.evaluation.metrics.appearance import (
    Look,
    Objects,
    class_sums,
    color_distance,
    color_histograms,
    colorfulness,
    gradients,
    power_spectrum,
    ringing,
    sharpness,
)

SIZES = [(64, 64), (64, 128), (128, 256)]


def picture(grey):
    """A picture (height, width, 3) of a grey one of any numbers."""
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def flat(color, size=(32, 48)):
    return np.full((*size, 3), color, np.uint8)


def wave(size, y=0.0, x=0.0, amplitude=40.0):
    """A cosine of given cycles per pixel."""
    rows, columns = np.indices(size)
    return amplitude * np.cos(2 * np.pi * (y * rows + x * columns))


def texture(size, seed=0, deviation=12.0, blur=1.0):
    """Noise whose spectrum falls smoothly."""
    noise = np.random.default_rng(seed).normal(size=size)
    soft = cv2.GaussianBlur(noise, (0, 0), blur) if blur else noise
    return soft * deviation / soft.std()


def street(size, seed=0):
    """Upright boxes with edges as sharp as pixels, which have their energy on the axes."""
    draw, grey = np.random.default_rng(seed), np.full(size, 128.0)
    for _ in range(size[0] * size[1] // 500):
        top, left = draw.integers(0, size[0]), draw.integers(0, size[1])
        height, width = draw.integers(3, 40, 2)
        grey[top : top + height, left : left + width] = draw.integers(40, 216)
    return grey


def sharpness_of(grey):
    return sharpness(power_spectrum(picture(grey)))


def ringing_of(grey):
    return ringing(power_spectrum(picture(grey)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("frequency", [(0, 0.375), (0.375, 0), (0.25, 0.25), (0.5, 0.125)])
def test_a_fine_wave_has_all_its_energy_above_half_of_nyquist(size, frequency):
    """The mean square of a cosine is half of its amplitude's square."""
    assert sharpness_of(128 + wave(size, *frequency)) == pytest.approx(40**2 / 2, rel=0.02)


@pytest.mark.parametrize("frequency", [(0, 0.125), (0.125, 0), (0.125, 0.125)])
def test_a_coarse_wave_has_none_there(frequency):
    grey = 128 + wave((64, 128), *frequency)
    assert sharpness_of(grey) < 0.3  # of 800; the rounding to levels has 1/12 in all


def test_noise_has_the_share_of_the_area_above_half_of_nyquist():
    """In the square of frequencies from -1/2 to 1/2 the circle of radius 1/4 has pi / 16."""
    grey = 128 + np.random.default_rng(0).normal(0, 20, (256, 256))
    power = power_spectrum(picture(grey))
    assert power.mean() == pytest.approx(400, rel=0.03)
    assert sharpness(power) == pytest.approx(400 * (1 - np.pi / 16), rel=0.03)


@pytest.mark.parametrize("kind", [street, texture])
def test_what_is_blurred_is_less_sharp(kind):
    grey = 128 * (kind is texture) + kind((64, 128))
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (0.5, 1, 2)]
    values = [sharpness_of(one) for one in (grey, *blurred)]
    assert values == sorted(values, reverse=True) and values[-1] < values[0] / 20
    slopes = [gradients(picture(one)).mean() for one in (grey, *blurred)]
    assert slopes == sorted(slopes, reverse=True)


def test_a_flat_picture_has_nothing():
    look = Look.of(flat((70, 70, 70)))
    assert look == Look(sharpness=0, gradient=0, colorfulness=0, ringing=1)


@pytest.mark.parametrize(("down", "right"), [(3, 0), (0, 2), (3, 4)])
def test_a_ramp_has_its_slope_everywhere(down, right):
    rows, columns = np.indices((20, 30))
    slopes = gradients(picture(down * rows + right * columns))
    assert slopes == pytest.approx(np.hypot(down, right), rel=1e-5)


def test_gradients_of_classes_by_hand():
    """A step of 60 levels between columns 3 and 4: half of it on either side, by the differences.

    Class 0 has the first 4 columns of the upper two rows, class 1 the last 4; the rest is void.
    """
    grey = np.zeros((4, 8))
    grey[:, 4:] = 60
    labels = np.full((4, 8), 255, np.uint8)
    labels[:2, :4], labels[:2, 4:] = 0, 1
    sums = class_sums(gradients(picture(grey)), labels, 3)
    assert sums.tolist() == pytest.approx([2 * 30, 2 * 30, 0])


def test_colorfulness_by_hand():
    """Of red, rg = 255 and yb = 127.5; of blue, rg = 0 and yb = -255; of grey, both are 0."""
    red, blue = flat((255, 0, 0)), flat((0, 0, 255))
    assert colorfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))
    assert colorfulness(blue) == pytest.approx(0.3 * 255)
    assert colorfulness(flat((9, 9, 9))) == 0
    # half red, half blue: means 127.5 and -63.75, deviations 127.5 and 191.25
    expected = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75)
    assert colorfulness(np.concatenate([red, blue])) == pytest.approx(expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [street, texture])
def test_no_grid_no_ringing(size, kind):
    values = [ringing_of(128 * (kind is texture) + kind(size, seed)) for seed in range(8)]
    assert np.mean(values) == pytest.approx(1, abs=0.12 if size == (64, 64) else 0.06)


@pytest.mark.parametrize(
    ("y", "x"), [(0, 0.5), (0.5, 0), (0.5, 0.5), (0, 0.25), (0.25, 0), (0.25, 0.25), (0.25, 0.5)]
)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [street, texture])
def test_a_grid_of_2_or_4_pixels_is_seen(kind, size, y, x):
    """Its amplitude of 8 levels is less than the deviation of either picture, 12 and about 50."""
    grey = 128 * (kind is texture) + kind(size)
    assert ringing_of(grey + wave(size, y, x, amplitude=8)) > ringing_of(grey) + 0.02


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [street, texture])
def test_lines_of_a_grid_are_seen(kind, size, period):
    grey = 128 * (kind is texture) + kind(size)
    lines = 8 * (np.indices(size) % period == 0).any(axis=0)
    assert ringing_of(grey + lines) > 1.3 * ringing_of(grey)


@pytest.mark.parametrize("blur", [0, 0.5, 2])
def test_sharper_or_softer_texture_is_no_grid(blur):
    """Its energy at the grid's frequencies is hundreds of times that of the softest."""
    films = {b: [128 + texture((128, 256), seed, blur=b) for seed in range(8)] for b in (1, blur)}
    plain, other = (np.mean([ringing_of(grey) for grey in films[b]]) for b in (1, blur))
    assert other / plain == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("amount", [1, 3])
def test_unsharp_masking_is_no_grid(amount):
    plain = [street((128, 256), seed) for seed in range(8)]
    sharp = [grey + amount * (grey - cv2.GaussianBlur(grey, (0, 0), 1)) for grey in plain]
    assert np.mean([sharpness_of(grey) for grey in sharp]) > 1.5 * np.mean(
        [sharpness_of(grey) for grey in plain]
    )
    means = [np.mean([ringing_of(grey) for grey in film]) for film in (plain, sharp)]
    assert means[1] / means[0] == pytest.approx(1, abs=0.05)


def test_a_grid_counts_alike_in_pictures_of_all_sizes():
    """The same texture and grid, the picture four times as large."""
    values = []
    for size, seeds in (((128, 128), range(16)), ((256, 256), range(4))):
        grid = 4 * (np.indices(size) % 4 == 0).any(axis=0)
        values.append(np.mean([ringing_of(128 + texture(size, s) + grid) for s in seeds]))
    assert values[0] > 1.3 and values[1] == pytest.approx(values[0], rel=0.15)


def test_a_transposed_convolution_rings_and_a_smooth_enlargement_does_not():
    """Its kernel of 3 and stride of 2 covers pixels once, twice or four times."""
    small = 128 + texture((64, 128), deviation=20)
    smooth = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    apart = np.zeros((128, 256))
    apart[::2, ::2] = small
    overlapping = cv2.filter2D(apart, -1, np.ones((3, 3)) / 2.25)
    assert ringing_of(smooth) == pytest.approx(1, abs=0.06)
    assert ringing_of(overlapping) > 3


@pytest.mark.parametrize("size", [(15, 40), (40, 15)])
def test_pictures_too_small(size):
    with pytest.raises(ValueError, match="expected sides of 16 or more, got"):
        Look.of(flat(9, size))


def test_sides_that_are_no_multiple_of_4_lose_their_rest():
    grey = 128 + texture((66, 131))
    assert ringing_of(grey) == ringing_of(grey[:64, :128])


def lab(colors):
    return cv2.cvtColor(np.float32(colors) / 255, cv2.COLOR_RGB2LAB)


@given(st.integers(0, 999))
@settings(max_examples=20)
def test_distance_of_colors_is_scipys_of_each_channel(seed):
    """Of two frames each; SciPy compares the pixels themselves, without nodes."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, (2, 16, 16))
    films = [draw.integers(low, low + 100, (2, 16, 16, 3), dtype=np.uint8) for low in (20, 120)]
    histograms = [
        sum(color_histograms(p, one, 2) for p, one in zip(film, labels, strict=True))
        for film in films
    ]
    for number in range(2):
        pixels = [
            np.concatenate([lab(p) for p in film])[np.concatenate(labels) == number]
            for film in films
        ]
        distance = sum(wasserstein_distance(pixels[0][:, c], pixels[1][:, c]) for c in range(3))
        difference = (histograms[0] - histograms[1])[number : number + 1]
        assert color_distance(difference, len(pixels[0])) == pytest.approx(distance, abs=0.5)


@pytest.mark.parametrize("step", [1, 7, 40])
def test_colors_that_shift_have_their_shift(step):
    """A grey that gets brighter changes in L alone, whatever else is in the picture."""
    labels = np.indices((32, 48))[1] // 24
    grey = np.random.default_rng(0).integers(60, 120, (32, 48, 1), dtype=np.uint8).repeat(3, -1)
    lighter = grey.copy()
    lighter[:, 24:] += np.uint8(step)
    difference = color_histograms(lighter, labels, 3) - color_histograms(grey, labels, 3)
    shift = (lab(lighter) - lab(grey))[:, 24:, 0].mean()
    assert color_distance(difference[1:2], 32 * 24) == pytest.approx(shift, abs=0.07)
    assert color_distance(difference[0:1], 32 * 24) == 0
    assert color_distance(difference, 32 * 48) == pytest.approx(shift / 2, abs=0.07)


def test_histograms_hold_each_labelled_pixel_once():
    """Red is L 53.24, a 80.09, b 67.20: between nodes 52 and 56, at node 80, between 64 and 68."""
    labels = np.full((32, 48), 255, np.uint8)
    labels[:2, :5] = 1
    histograms = color_histograms(flat((255, 0, 0)), labels, 2)
    assert histograms[0].sum() == 0
    assert histograms[1].sum(axis=-1).tolist() == [10, 10, 10]
    nodes = np.arange(-128, 129, 4)
    assert histograms[1] @ nodes / 10 == pytest.approx([53.24, 80.09, 67.20], abs=1 / 16 + 0.01)
    assert np.flatnonzero(histograms[1, 0]).tolist() == [45, 46]


def test_colors_of_objects_by_hand():
    """Two cars, a road without instances, a pole of 11 pixels, and void."""
    labels, instances = np.full((32, 48), 255, np.uint8), np.zeros((32, 48), np.uint16)
    labels[:4, :10] = 2
    instances[:4, :5], instances[:4, 5:10] = 7, 65535
    labels[8:10], labels[20:31, 3] = 0, 1
    image = flat((0, 0, 0))
    image[:4, :5], image[8:10, :24], image[8:10, 24:] = (255, 0, 0), (0, 0, 255), (255, 255, 255)
    red, blue = [53.24, 80.09, 67.20], np.array([32.30, 79.19, -107.86])
    road = (blue + (100, 0, 0)) / 2
    colors = Objects.of(labels, instances, 3).colors(image)
    assert colors == pytest.approx(np.array([road, red, [0, 0, 0]]), abs=0.02)
    without = Objects.of(labels, None, 3).colors(image)
    assert without == pytest.approx(np.array([road, np.array(red) / 2]), abs=0.02)


def test_a_frame_that_is_nothing_but_void_has_no_objects():
    void = np.full((32, 48), 255, np.uint8)
    assert Objects.of(void, None, 3).colors(flat(9)).shape == (0, 3)
    assert not color_histograms(flat(9), void, 3).any()
