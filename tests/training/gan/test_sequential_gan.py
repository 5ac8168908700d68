"""vid2vid's training: clips are painted from what was painted before, and judged as films too."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf import losses
from sflowgan_tf.networks.discriminator import FilmDiscriminator
from sflowgan_tf.networks.sequential import SequentialGenerator, no_past
from sflowgan_tf.ops import images
from sflowgan_tf.ops.flow import dense_flow
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.ops.warp import backward_warp
from sflowgan_tf.training.gan.sequential_gan import CLIP, FILM_CHANNELS, SequentialGAN
from sflowgan_tf.training.gan.video_gan import single_frames

FARNEBACK = Farneback(levels=1, winsize=7, iterations=2, poly_n=3, poly_sigma=1.0)
LOSSES = {"gan": "lsgan", "flow": 2.0}


@pytest.fixture
def make_sequential(make):
    """A GAN with the same weights each time, in phase "video"."""

    def made(phase="video", **settings):
        keras.utils.set_random_seed(1)
        gan = make(
            partial(SequentialGenerator, 4, downsamplings=2, blocks=2),
            discriminator=partial(FilmDiscriminator, FILM_CHANNELS),
            kind=SequentialGAN,
            farneback=FARNEBACK,
            objective={"losses": LOSSES, "edge_map": "none"},
            **settings,
        )
        gan.enter_phase(phase)
        return gan

    return made


@pytest.fixture
def clips(batch):
    """Two clips: the batch's frames, moved one pixel to the right from frame to frame."""
    return {
        name: tf.stack([tf.roll(value, shift, axis=2) for shift in range(CLIP)], axis=1)
        for name, value in batch.items()
    }


def painted(gan, clips):
    """Scenes, images and flows of clips, frame by frame as the generator alone gives them."""
    frames = single_frames(clips)
    count = len(frames["labels"])
    scene = gan.seen(frames, gan.ensemble_weights(count)).scene
    scenes = tf.unstack(tf.reshape(scene, [-1, CLIP, *scene.shape[1:]]), axis=1)
    made, flows, past = [gan.generator(scenes[0])], [], no_past(scenes[0])
    for index in range(1, CLIP):
        past = past.followed_by(scenes[index - 1], made[-1])
        following = gan.generator.following(scenes[index], past)
        made.append(following.image)
        flows.append(following.flow)
    return made, flows


def test_the_first_phases_are_an_image_gans(make_sequential, batch):
    gan = make_sequential("edges")
    terms, _ = gan.loss_terms(batch)
    assert set(terms) == {
        "generator_loss",
        "discriminator_loss",
        "feature_matching_loss",
        "perceptual_loss",
    }
    before = [v.numpy() for v in gan.generator.moving_variables]
    film = gan.discriminator.film.get_weights()
    gan.train_step(batch)
    after = [v.numpy() for v in gan.generator.moving_variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    unmoved = zip(film, gan.discriminator.film.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in unmoved)


def test_its_perceptual_loss_is_that_of_frames_painted_from_those_before(make_sequential, clips):
    gan = make_sequential()
    made, _ = painted(gan, clips)
    fake = tf.reshape(tf.stack(made, axis=1), [-1, *made[0].shape[1:]])
    real = images.to_signed(single_frames(clips)["image_real"])
    expected = losses.perceptual_loss(gan.features(real), gan.features(fake))
    found = gan.loss_terms(clips)[0]["perceptual_loss"]
    assert float(found) == pytest.approx(float(expected), rel=1e-4)


def test_its_flow_loss_compares_with_the_real_frames_and_their_flow(make_sequential, clips):
    gan = make_sequential()
    _, flows = painted(gan, clips)
    levels = tf.unstack(clips["image_real"], axis=1)
    signed = [images.to_signed(frame) for frame in levels]
    expected = []
    for index, flow in enumerate(flows, start=1):
        real = dense_flow(levels[index], levels[index - 1], FARNEBACK)
        fetched = backward_warp(signed[index - 1], flow)
        expected.append(np.abs(flow - real).mean() + np.abs(fetched - signed[index]).mean())
    terms, _ = gan.loss_terms(clips)
    assert float(terms["flow_loss"]) == pytest.approx(np.mean(expected), rel=1e-4)
    without = dict(terms, flow_loss=0.0)
    share = float(gan.objective.weighted_sum(terms) - gan.objective.weighted_sum(without))
    assert share == pytest.approx(2 * np.mean(expected), rel=1e-3)


def test_the_judge_of_films_sees_three_images_and_the_real_flows(make_sequential, clips):
    """With both judges' last kernels at 0, logits are their biases: lsgan's terms by hand."""
    gan = make_sequential()
    for judge, bias in ((gan.discriminator, 0.25), (gan.discriminator.film, 0.5)):
        last = judge.scales[0].stages[-1][-1]
        last.kernel.assign(tf.zeros_like(last.kernel.value))
        last.bias.assign([bias])
    terms, _ = gan.loss_terms(clips)
    of_images = float(losses.generator_loss([tf.fill([1, 1, 1, 1], 0.25)], "lsgan"))
    of_films = float(losses.generator_loss([tf.fill([1, 1, 1, 1], 0.5)], "lsgan"))
    assert float(terms["generator_loss"]) == pytest.approx(of_images + of_films, rel=1e-5)
    assert gan.discriminator.film.scales[0].stages[0][1].kernel.shape[2] == 13


def test_a_step_trains_every_part(make_sequential, clips):
    gan = make_sequential()
    parts = {
        "moving": lambda: [v.numpy() for v in gan.generator.moving_variables],
        "painting": lambda: gan.generator.painter[-1].get_weights(),
        "image encoder": lambda: gan.generator.image_encoder[1].get_weights(),
        "film": gan.discriminator.film.get_weights,
        "frames": gan.discriminator.scales[0].get_weights,
    }
    before = {name: weights()[0] for name, weights in parts.items()}
    found = gan.train_step(clips)
    assert all(np.isfinite(float(value)) for value in found.values())
    for name, weights in parts.items():
        assert not np.array_equal(before[name], weights()[0]), name


def test_a_checkpoint_of_the_first_phases_goes_on_in_phase_video(
    make_sequential, batch, clips, tmp_path
):
    first = make_sequential("edges")
    first.train_step(batch)
    path = first.state().checkpoint().write(str(tmp_path / "step"))
    film = make_sequential()
    film.state().checkpoint().read(path).assert_consumed()
    film.train_step(clips)
    assert int(film.step) == 2


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(make_sequential, clips, policy):
    expected, _ = make_sequential().loss_terms(clips)
    found, _ = make_sequential(dtype=policy).loss_terms(clips)
    for name in ("flow_loss", "perceptual_loss"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=0.2), name
