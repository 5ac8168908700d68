"""vid2vid's generator: what is fetched from before, what is made up, and what it remembers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.discriminator import FilmDiscriminator
from sflowgan_tf.networks.sequential import PAST, Past, SequentialGenerator, no_past

CHANNELS = 5


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    network = SequentialGenerator(2, downsamplings=2, blocks=2)
    network.build((None, None, None, CHANNELS))
    return network


def drawn(seed, channels, height=20, width=28):
    shape = (1, height, width, channels)
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape), tf.float32)


def a_past():
    return Past(drawn(1, PAST * CHANNELS), drawn(2, PAST * 3))


def settle(network, flow, logit):
    """Makes the network say one flow, in pixels, and one mask of what is new everywhere."""
    kernel, bias = network.mover[-1].weights
    kernel.assign(tf.zeros_like(kernel.value))
    bias.assign([flow[0] / 20, flow[1] / 20, logit])


def test_what_is_not_new_is_the_image_before_along_the_flow(network):
    settle(network, flow=(3.0, -2.0), logit=-50.0)
    past = a_past()
    painted = network.following(drawn(0, CHANNELS), past)
    before = past.images[..., 3:]
    np.testing.assert_allclose(painted.flow[0, 0, 0], [3, -2], rtol=1e-5)
    np.testing.assert_allclose(painted.image[:, 2:, :-3], before[:, :-2, 3:], atol=1e-4)


def test_what_is_new_is_made_up(network):
    settle(network, flow=(3.0, -2.0), logit=50.0)
    scene, past = drawn(0, CHANNELS), a_past()
    made_up = network.following(scene, past).image
    settle(network, flow=(0.0, 0.0), logit=50.0)
    np.testing.assert_allclose(network.following(scene, past).image, made_up, atol=1e-6)
    settle(network, flow=(0.0, 0.0), logit=0.0)
    half = (made_up + past.images[..., 3:]) / 2
    np.testing.assert_allclose(network.following(scene, past).image, half, atol=1e-5)


def test_a_first_frame_is_all_made_up(network):
    scene = drawn(0, CHANNELS)
    settle(network, flow=(0.0, 0.0), logit=50.0)
    np.testing.assert_allclose(
        network(scene), network.following(scene, no_past(scene)).image, atol=1e-6
    )


def test_the_oldest_frame_is_forgotten():
    scenes, images = [drawn(n, CHANNELS) for n in range(3)], [drawn(9 + n, 3) for n in range(3)]
    past = no_past(scenes[0])
    for scene, image in zip(scenes, images, strict=True):
        past = past.followed_by(scene, image)
    np.testing.assert_array_equal(past.scenes, tf.concat(scenes[1:], axis=-1))
    np.testing.assert_array_equal(past.images, tf.concat(images[1:], axis=-1))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_every_kernel_gets_a_gradient_from_a_following_frame(policy):
    network = SequentialGenerator(2, downsamplings=2, blocks=2, dtype=policy)
    network.build((None, None, None, CHANNELS))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network.following(drawn(0, CHANNELS), a_past()).image)
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert np.isfinite(gradient).all(), variable.path
        assert variable.path.endswith("bias") or np.any(gradient), variable.path


def test_moving_variables_are_those_a_first_frame_does_not_train(network):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(drawn(0, CHANNELS)))
    gradients = tape.gradient(loss, network.trainable_variables)
    untouched = [
        variable
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True)
        if gradient is None
    ]
    assert {id(v) for v in untouched} == {id(v) for v in network.moving_variables}


@pytest.mark.parametrize(("height", "width"), [(20, 28), (19, 22), (5, 3)])
def test_a_following_frame_has_the_size_of_its_scene(network, height, width):
    size = {"height": height, "width": width}
    past = Past(drawn(1, PAST * CHANNELS, **size), drawn(2, PAST * 3, **size))
    painted = network.following(drawn(0, CHANNELS, **size), past)
    assert painted.image.shape == (1, height, width, 3)
    assert painted.flow.shape == (1, height, width, 2)
    assert painted.new.shape == (1, height, width, 1)


def test_the_judge_of_films_is_beside_the_judge_of_frames():
    network = FilmDiscriminator(13, num_scales=2, filters=2, depth=1)
    network.build((None, None, None, 5))
    assert [s.stages[0][1].kernel.shape[2] for s in network.scales] == [5, 5]
    assert [s.stages[0][1].kernel.shape[2] for s in network.film.scales] == [13, 13]
    assert len(network.trainable_variables) == 2 * len(network.film.trainable_variables)
