import keras
import numpy as np
import pytest

from sflowgan_tf.networks import blocks
from sflowgan_tf.networks.small_pspnet import SmallPSPNet


def built():
    network = SmallPSPNet(3, filters=2)
    network.build((None, None, None, 3))
    return network


def image(height=32, width=48):
    return np.random.default_rng(0).uniform(-1, 1, (1, height, width, 3)).astype("float32")


def test_it_has_the_kernels_that_its_description_says():
    widths = (2, 4, 8, 16, 16)
    down = sum(
        9 * (before + width) * width + 8 * width
        for before, width in zip((3, *widths), widths, strict=False)
    )
    pyramid = 4 * (16 * 16 + 2 * 16) + 9 * 5 * 16 * 16 + 2 * 16
    up = sum(
        below * width + 9 * 2 * width * width + 4 * width
        for below, width in zip((16, 16, 8, 4), (16, 8, 4, 2), strict=True)
    )
    kernels = [v for v in built().variables if not v.path.endswith("seed_generator_state")]
    assert sum(int(np.prod(v.shape)) for v in kernels) == down + pyramid + up + 2 * 3 + 3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 33), (32, 48)])
def test_any_size_comes_out_as_it_went_in(height, width):
    assert built()(image(height, width)).shape == (1, height, width, 3)


def test_what_is_thinner_than_a_feature_is_drawn():
    dotted = image()
    dotted[0, 10, 21] += 1
    total = np.zeros(32 * 48)
    for seed in range(6):  # a single network of so few channels may be blind to the dot
        keras.utils.set_random_seed(seed)
        network = built()
        network.pyramid = lambda x: x * 0  # else a pixel is seen everywhere
        changed = np.abs(network(dotted) - network(image()))[0].max(-1).ravel()
        total += changed / changed.max()
    near = [(10 + y) * 48 + 21 + x for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert total.argmax() in near


def test_features_are_what_the_last_classifier_sees():
    network = built()
    features = network.features(image())
    assert features.shape == (1, 32, 48, 2)
    logits = blocks.call_stack(network.classify, features)
    np.testing.assert_allclose(logits, network(image()), atol=1e-6)


@pytest.mark.parametrize("filters", [0, 3])
def test_wrong_filters(filters):
    with pytest.raises(ValueError, match=f"filters: expected a multiple of 2, got {filters}"):
        SmallPSPNet(3, filters=filters)
