"""The video step: the image losses of both frames and the flow loss, from one batch."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.ops import images
from sflowgan_tf.ops.flow import dense_flow
from sflowgan_tf.ops.settings import Farneback, Regions
from sflowgan_tf.training.gan.video_gan import VideoGAN

FARNEBACK = Farneback(levels=1, winsize=7, iterations=2, poly_n=3, poly_sigma=1.0)
SETTINGS = {"kind": VideoGAN, "flow_from_records": True, "farneback": FARNEBACK}
FLOW = {"flow": 2.0, "warping": 0.0}


def in_phase(make, phase="video", losses=None, **settings):
    """A GAN with the same weights each time."""
    keras.utils.set_random_seed(1)
    gan = make(**({"objective": {"losses": FLOW | (losses or {})}} | settings))
    gan.enter_phase(phase)
    return gan


@pytest.fixture
def pairs(batch):
    """Two pairs: the batch's frames, each followed by itself one pixel further right."""

    def moved(frames):
        return tf.stack([frames, tf.roll(frames, 1, axis=2)], axis=1)

    frames = {name: moved(value) for name, value in batch.items()}
    first, second = tf.unstack(frames["image_real"], axis=1)
    return frames | {"flow_real": dense_flow(first, second, FARNEBACK)}


def separate(pairs):
    """All frames of the pairs as a batch of their own."""
    names = ("labels", "edges", "image_real")
    return {name: tf.concat(tf.unstack(pairs[name], axis=1), axis=0) for name in names}


@pytest.mark.parametrize("regions", [None, Regions(cell=5)])
def test_its_image_losses_are_those_of_the_frames_by_themselves(make, pairs, regions):
    objective = {"losses": FLOW, "regions": regions}
    gan = in_phase(make, objective=objective, **SETTINGS)
    terms, logs = gan.loss_terms(pairs)
    alone = in_phase(make, "dned", objective=objective)
    expected, expected_logs = alone.loss_terms(separate(pairs))
    assert set(terms) == set(expected) | {"flow_loss"}
    for name, value in (expected | expected_logs).items():
        assert float((terms | logs)[name]) == pytest.approx(float(value), rel=1e-4), name


def test_its_flow_loss_is_eq_8_of_the_painted_pair(make, pairs):
    gan = in_phase(make, **SETTINGS)
    _, _, painted = gan.image_terms(separate(pairs), gan.ensemble_weights(4))
    fake = images.to_levels(painted)
    flow = dense_flow(fake[:2], fake[2:], FARNEBACK)
    expected = np.abs(flow - pairs["flow_real"]).mean()
    terms, _ = gan.loss_terms(pairs)
    assert expected > 0.01
    assert float(terms["flow_loss"]) == pytest.approx(expected, rel=1e-3)
    without = dict(terms, flow_loss=0.0)
    share = float(gan.objective.weighted_sum(terms) - gan.objective.weighted_sum(without))
    assert share == pytest.approx(2 * expected, rel=1e-3)


def test_the_flow_loss_alone_reaches_the_generator_and_the_dned(make, pairs):
    gan = in_phase(make, **SETTINGS)
    for network in (gan.generator, gan.dned):
        kernel = network.trainable_variables[0].value
        with tf.GradientTape() as tape:
            loss = gan.loss_terms(pairs)[0]["flow_loss"]
        gradient = tape.gradient(loss, kernel).numpy()
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


def test_the_warping_loss_counts_where_it_has_a_weight(make, pairs):
    gan = in_phase(make, losses={"warping": 5.0}, **SETTINGS)
    _, _, painted = gan.image_terms(separate(pairs), gan.ensemble_weights(4))
    real = tf.unstack(images.to_signed(pairs["image_real"]), axis=1)
    expected = losses.warping_loss(painted[:2], painted[2:], pairs["flow_real"], *real)
    terms, _ = gan.loss_terms(pairs)
    assert float(terms["warping_loss"]) == pytest.approx(float(expected), rel=1e-4)
    without = dict(terms, warping_loss=0.0)
    share = float(gan.objective.weighted_sum(terms) - gan.objective.weighted_sum(without))
    assert share == pytest.approx(5 * float(expected), rel=1e-3)
    assert "warping_loss" not in in_phase(make, **SETTINGS).loss_terms(pairs)[0]
    assert "flow_loss" not in in_phase(make, losses={"flow": 0.0}, **SETTINGS).loss_terms(pairs)[0]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_steps_are_finite_and_near_float32(make, pairs, policy):
    settings = SETTINGS | {"losses": {"warping": 5.0}, "flow_from_records": False}
    expected = in_phase(make, **settings).train_step(pairs)
    gan = in_phase(make, dtype=policy, **settings)
    before = gan.generator.get_weights()[0]
    for _ in range(15):  # float16 halves its loss scale until nothing overflows
        found = gan.train_step(pairs)
        if np.isfinite(float(found["generator_gradient"])):
            break
    for name in ("flow_loss", "warping_loss", "perceptual_loss"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=0.2), name
    assert not np.array_equal(before, gan.generator.get_weights()[0])


def test_training_on_the_flow_loss_lowers_it(make, pairs):
    only_flow = {"feature_matching": 0.0, "perceptual": 0.0, "flow": 10.0}
    adam = partial(keras.optimizers.Adam, 1e-3)
    gan = in_phase(make, losses=only_flow, **SETTINGS, optimizer=adam)
    step = tf.function(gan.train_step)
    values = [float(step(pairs)["flow_loss"]) for _ in range(40)]
    assert np.mean(values[-5:]) < 0.9 * np.mean(values[:5])


def test_both_frames_have_the_same_ensemble_weights(make, pairs):
    gan = in_phase(make, **SETTINGS, objective={"losses": FLOW, "dned": {"jitter": 1.0}})
    drawn = gan.ensemble_weights(2)
    assert np.ptp(drawn.numpy(), axis=-1).min() > 0.01
    expected, _, _ = gan.image_terms(separate(pairs), tf.concat([drawn, drawn], axis=0))
    terms, _ = gan.loss_terms(pairs)
    for name, value in expected.items():
        assert float(terms[name]) == pytest.approx(float(value), rel=1e-4), name


def test_both_frames_are_sharpened_alike(make, pairs):
    dned = {"sees": "image", "sharpening": 2.0}
    gan = in_phase(make, **SETTINGS, objective={"losses": FLOW, "dned": dned})
    still = tf.repeat(images.to_signed(pairs["image_real"][:, 0]), 2, axis=0)
    seen = gan.dned_input(still, still[..., :1]).numpy()
    np.testing.assert_array_equal(seen[::2], seen[1::2])
    assert not np.array_equal(seen, still)


def test_the_image_phases_are_an_image_gans(make, batch):
    found, _ = in_phase(make, "dned", **SETTINGS).loss_terms(batch)
    expected, _ = in_phase(make, "dned").loss_terms(batch)
    assert {k: float(v) for k, v in found.items()} == {k: float(v) for k, v in expected.items()}


def test_flow_of_changed_frames_is_computed_anew(make, pairs):
    wrong = pairs | {"flow_real": pairs["flow_real"] + 100}
    recorded, computed, right = (
        float(in_phase(make, **SETTINGS | how).loss_terms(data)[0]["flow_loss"])
        for data, how in (
            (wrong, {}),
            (wrong, {"flow_from_records": False}),
            (pairs, {}),
        )
    )
    assert recorded > 90
    assert computed == pytest.approx(right, rel=1e-4)


def test_only_consistent_pixels_count_where_asked_for(make, pairs):
    one_way = pairs["flow_real"].numpy()
    one_way[:, :, :16] = 300  # leads out of the frame
    data = pairs | {"flow_real": tf.constant(one_way)}
    every, consistent = (
        float(in_phase(make, losses=losses, **SETTINGS).loss_terms(data)[0]["flow_loss"])
        for losses in ({}, {"flow_where_consistent": True})
    )
    assert 0 < consistent < 20 and every > 100


def test_a_checkpoint_of_the_image_phases_fits(make, batch, pairs, tmp_path):
    image = make()
    image.train_step(batch)
    path = image.state().checkpoint().write(str(tmp_path / "step"))
    video = in_phase(make, **SETTINGS)
    video.state().checkpoint().read(path).assert_consumed()
    video.train_step(pairs)
    assert int(video.step) == 2
