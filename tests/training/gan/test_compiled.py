"""The training steps under XLA (jit_compile=true)."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from sflowgan_tf.networks.discriminator import FilmDiscriminator
from sflowgan_tf.networks.generator import GlobalGenerator
from sflowgan_tf.networks.sequential import SequentialGenerator
from sflowgan_tf.ops.settings import Farneback, Regions
from sflowgan_tf.training.gan.joining_adam import JoiningAdam
from sflowgan_tf.training.gan.sequential_gan import CLIP, FILM_CHANNELS, SequentialGAN
from sflowgan_tf.training.gan.video_gan import VideoGAN


@pytest.mark.parametrize("phase", ["edges", "dned", "video"])
def test_a_step_compiles_and_moves_the_weights(make, batch, phase):
    gan = make(
        partial(GlobalGenerator, 2, downsamplings=1, blocks=0, grain=True),
        kind=VideoGAN,
        objective={
            "dned": {"jitter": 0.5, "sees": "image", "sharpening": 1.0},
            "regions": Regions(cell=16),
        },
        depth=1,
        slices=1,
        flow_from_records=False,
        farneback=Farneback(levels=0, winsize=7, iterations=1, poly_n=3, poly_sigma=1.0),
        jit_compile=True,
        optimizer=lambda: JoiningAdam(1e-3),
    )
    gan.enter_phase(phase)
    if phase == "video":
        batch = {
            name: tf.stack([value, tf.roll(value, 1, axis=2)], axis=1)
            for name, value in batch.items()
        }
    before = gan.generator.get_weights()[0]
    gan.fit(tf.data.Dataset.from_tensors(batch), verbose=0, shuffle=False)
    assert int(gan.step) == 1
    assert not np.array_equal(before, gan.generator.get_weights()[0])


def test_vid2vids_step_compiles_and_moves_the_weights(make, batch):
    gan = make(
        partial(SequentialGenerator, 2, downsamplings=1, blocks=0),
        discriminator=partial(FilmDiscriminator, FILM_CHANNELS),
        kind=SequentialGAN,
        objective={"edge_map": "none"},
        depth=1,
        slices=1,
        farneback=Farneback(levels=0, winsize=7, iterations=1, poly_n=3, poly_sigma=1.0),
        jit_compile=True,
    )
    gan.enter_phase("video")
    clips = {
        name: tf.stack([tf.roll(value, shift, axis=2) for shift in range(CLIP)], axis=1)
        for name, value in batch.items()
    }
    before = gan.generator.moving_variables[0].numpy()
    gan.fit(tf.data.Dataset.from_tensors(clips), verbose=0, shuffle=False)
    assert int(gan.step) == 1
    assert not np.array_equal(before, gan.generator.moving_variables[0].numpy())
