"""Networks and optimizers, joined to what `fit` and `segment fit` train."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training.assembly.networks import (
    discriminator,
    dned,
    features,
    generator,
)
from sflowgan_tf.training.assembly.restored import restore
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.gan.schedule import ConstantThenLinear
from sflowgan_tf.training.gan.video_gan import VideoGAN
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError


def reproducible(seed: int) -> None:
    """The same seed on the same machine gives the same bits from here on.

    TensorFlow's arithmetic optimizer is off: it merges sums of gradients into one AddN, whose order
    depends on which buffer is free first.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def gan(config: Config, num_classes: int, total_steps: int) -> ImageGAN:
    """Networks and optimizers, joined and built; needs `reproducible` before it.

    Args:
        config: of the run; a VideoGAN where it has a phase video.
        num_classes: of the label maps.
        total_steps: after which the learning rate is 0.

    Raises:
        UserError: a network can't be made with these settings, or its weights are not to be had.
    """
    keras.config.set_dtype_policy(config.precision)
    kind: Any = ImageGAN
    if config.phases.video:
        kind = partial(
            VideoGAN,
            flow_weight=config.losses.flow,
            warping_weight=config.losses.warping,
            flow_from_records=_whole_frames(config),
            flow_where_consistent=config.losses.flow_where_consistent,
            farneback=config.records.flow,
        )
    try:
        joined = kind(
            generator=generator(config, num_classes),
            generator_ema=generator(config, num_classes),
            discriminator=discriminator(config, num_classes),
            dned=dned(config),
            features=features(config),
            num_classes=num_classes,
            gan_loss=config.losses.gan,
            feature_matching_weight=config.losses.feature_matching,
            perceptual_weight=config.losses.perceptual,
            l1_weight=config.losses.l1,
            slice_weights=config.perceptual.slice_weights,
            dned_weight=config.losses.dned,
            dned_balanced=config.dned.balanced,
            dned_jitter=config.dned.jitter,
            edge_map=config.edge_map,
            discriminator_sees_edges=config.discriminator.sees_edges,
            ema_decay=config.ema_decay,
            ema_warm_up=config.start_run is None,
            seed=config.seed,
        )
        if config.generator.global_run is not None:
            _start_global_part(joined, config.generator.global_run)
    except ValueError as error:
        raise UserError(f"configuration: {error}") from None
    joined.compile(
        generator_optimizer=_adam(config, total_steps),
        discriminator_optimizer=_adam(config, total_steps),
        dned_optimizer=_adam(config, total_steps),
        jit_compile=config.jit_compile,
    )
    return joined


def _whole_frames(config: Config) -> bool:
    """Whether training sees the records' frames as they are, but for mirroring."""
    return config.pipeline.max_scale == 1 and config.pipeline.crop in (None, config.records.size)


def start_from(gan: ImageGAN, config: Config, manifest: Manifest, name: str) -> int:
    """Takes all networks of another run's latest checkpoint; optimizers and step begin anew.

    Args:
        gan: of the run that starts.
        config: its configuration.
        manifest: of its records.
        name: of the other run.

    Returns:
        The step of that checkpoint.

    Raises:
        UserError: there is no such run, it has no checkpoint, or its networks or classes differ.
    """
    run = Run.existing(name)
    shaping = ("generator.", "discriminator.", "dned.filters")
    shapeless = ("generator.global_run", "generator.frozen_epochs")
    differing = [
        difference
        for difference in settings.differences(settings.read(run.config), config)
        if difference.startswith(shaping) and not difference.startswith(shapeless)
    ]
    classes = Manifest.load(run.manifest).classes
    if classes.names != manifest.classes.names:
        differing.append(f"classes: table {classes.name} -> {manifest.classes.name}")
    if differing:
        raise UserError(
            f"--from {name}: networks or classes differ from this run's ({'; '.join(differing)}); "
            "set them alike, or start from another run"
        )
    networks = ("generator", "generator_ema", "discriminator", "dned")
    return restore(run, **{network: getattr(gan, network) for network in networks})


def _adam(config: Config, total_steps: int) -> keras.optimizers.Adam:
    c = config.optimizer
    rate = ConstantThenLinear(c.learning_rate, int(c.constant_share * total_steps), total_steps)
    return keras.optimizers.Adam(rate, beta_1=c.beta_1, beta_2=c.beta_2)


def _start_global_part(gan: ImageGAN, name: str) -> None:
    """The enhancer's global part takes the moving average of another run's global generator."""
    run = Run.existing(name)
    trained = generator(settings.read(run.config), gan.num_classes)
    restore(run, generator_ema=trained)
    for network in (gan.generator, gan.generator_ema):
        network.load_global(trained)  # type: ignore[attr-defined]
