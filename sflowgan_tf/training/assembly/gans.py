"""Networks and optimizers, joined to what `fit` trains."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.training import resuming
from sflowgan_tf.training.assembly import networks as configured
from sflowgan_tf.training.assembly.class_comparison import class_differences
from sflowgan_tf.training.assembly.epochs import Epoch
from sflowgan_tf.training.assembly.palettes import regions
from sflowgan_tf.training.assembly.restored import restore
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.gan.joining_adam import JoiningAdam
from sflowgan_tf.training.gan.learning_rate import ConstantThenLinear
from sflowgan_tf.training.gan.networks import Networks
from sflowgan_tf.training.gan.objective import Objective
from sflowgan_tf.training.gan.sequential_gan import SequentialGAN
from sflowgan_tf.training.gan.video_gan import VideoGAN
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError


def reproducible(seed: int, *, jit_compile: bool = False) -> None:
    """The same seed on the same machine gives the same bits from here on.

    TensorFlow's arithmetic optimizer is off: it merges sums of gradients into one AddN, whose order
    depends on which buffer is free first.

    Args:
        seed: of NumPy, Keras and TensorFlow.
        jit_compile: whether steps are compiled by XLA; then TensorFlow's deterministic kernels are
            not asked for, with which Keras refuses to compile. On a GPU XLA's own may differ in the
            last bits.
    """
    keras.utils.set_random_seed(seed)
    if not jit_compile:
        tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def gan(config: Config, classes: ClassTable, epochs: Sequence[Epoch]) -> ImageGAN:
    """Networks and optimizers, joined and built, with fresh weights; needs `reproducible` before.

    Args:
        config: of the run; a VideoGAN where it has a phase video, a SequentialGAN for such a
            generator.
        classes: of the label maps.
        epochs: of the whole training; after their last step the learning rate is 0.

    Raises:
        UserError: a network can't be made with these settings, or its weights are not to be had.
    """
    dtype, num_classes = config.precision, classes.num_classes
    objective = Objective.of(config, regions(config, classes))
    try:
        painter = configured.generator(config, num_classes, dtype)
        averaged = configured.generator(config, num_classes, dtype) if config.ema_decay else painter
        networks = Networks(
            generator=painter,
            generator_ema=averaged,
            discriminator=configured.discriminator(config, num_classes, dtype),
            dned=configured.dned(config, dtype),
            features=configured.features(config, dtype),
        )
    except ValueError as error:
        raise UserError(f"configuration: {error}") from None
    joint: dict[str, Any] = {
        "num_classes": num_classes,
        "ema_decay": config.ema_decay,
        "ema_warm_up": config.start_run is None,
        "seed": config.seed,
    }
    if config.generator.kind == "sequential":
        joined = SequentialGAN(networks, objective, farneback=config.records.flow, **joint)
    elif config.phases.video:
        joined = VideoGAN(
            networks,
            objective,
            flow_from_records=_whole_frames(config),
            farneback=config.records.flow,
            **joint,
        )
    else:
        joined = ImageGAN(networks, objective, **joint)
    optimizers = {
        name: _adam(config, epochs[-1].last_step if epochs else 1)
        for name in ("generator", "discriminator", "dned")
    }
    joined.compile(
        **{f"{name}_optimizer": adam for name, adam in optimizers.items()},
        jit_compile=config.jit_compile,
    )
    _join_late(optimizers, networks, config, epochs)
    return joined


def _join_late(
    optimizers: dict[str, JoiningAdam],
    networks: Networks,
    config: Config,
    epochs: Sequence[Epoch],
) -> None:
    """Says which variables are first trained in the middle of the training, and when."""
    frozen = config.generator.frozen_epochs
    if frozen and frozen < len(epochs):
        part = networks.generator.global_generator  # type: ignore[attr-defined]
        optimizers["generator"].join(part.trainable_variables, epochs[frozen].first_step)
    if config.generator.kind == "sequential":
        filmed = next((epoch.first_step for epoch in epochs if epoch.phase == "video"), 0)
        optimizers["generator"].join(networks.generator.moving_variables, filmed)  # type: ignore[attr-defined]
        optimizers["discriminator"].join(networks.discriminator.film.trainable_variables, filmed)  # type: ignore[attr-defined]
    redrawn = next((epoch.first_step for epoch in epochs if epoch.phase != "edges"), 0)
    if not config.losses.dned:
        optimizers["dned"].join(networks.dned.trainable_variables, redrawn)


def _whole_frames(config: Config) -> bool:
    """Whether training sees the records' frames as they are, but for mirroring."""
    return config.pipeline.max_scale == 1 and config.pipeline.crop in (None, config.records.size)


def start_from(gan: ImageGAN, config: Config, manifest: Manifest) -> int:
    """Takes all networks of the latest checkpoint of `start_run`; optimizers and step begin anew.

    Args:
        gan: of the run that starts.
        config: its configuration.
        manifest: of its records.

    Returns:
        The step of that checkpoint.

    Raises:
        UserError: there is no such run, it has no checkpoint, or its networks or classes differ.
    """
    name = config.start_run or ""
    run = Run.existing(name, "--from")
    differing = resuming.network_differences(settings.read(run.config), config)
    classes = class_differences(Manifest.load(run.manifest).classes, manifest.classes)
    differing += [classes] if classes else []
    if differing:
        raise UserError(
            f"--from {name}: networks or classes differ from this run's ({'; '.join(differing)}); "
            "set them alike, or start from another run"
        )
    networks = ["generator_ema", "discriminator", "dned"]
    if gan.has_average:  # else the generator takes theirs
        networks.append("generator")
    return restore(run, **{network: getattr(gan, network) for network in networks})


def start_global_part(gan: ImageGAN, config: Config, manifest: Manifest) -> int:
    """Fills an enhancer's global part from the moving average of `generator.global_run`.

    Args:
        gan: of the run that starts.
        config: its configuration.
        manifest: of its records.

    Returns:
        The step of that run's checkpoint.

    Raises:
        UserError: there is no such run, it has no checkpoint, or its generator or classes differ.
    """
    name = config.generator.global_run or ""
    run = Run.existing(name, "generator.global_run")
    classes = class_differences(Manifest.load(run.manifest).classes, manifest.classes)
    if classes:
        raise UserError(f"generator.global_run={name}: differs in its {classes}; name another run")
    theirs = settings.read(run.config)
    trained = configured.generator(theirs, gan.num_classes)
    step = restore(run, generator_ema=trained)
    if theirs.generator.kind != "global":
        raise UserError(
            f"generator.global_run={name}: has generator.kind={theirs.generator.kind}; expected "
            "a run of kind global"
        )
    try:
        for network in (gan.generator, gan.generator_ema):
            network.load_global(trained)  # type: ignore[attr-defined]
    except ValueError:
        raise UserError(
            f"generator.global_run={name}: its generator does not fit into this run's; expected "
            "the same appearance.kind, generator.filters, downsamplings, blocks and upsampling in "
            "both"
        ) from None
    return step


def _adam(config: Config, total_steps: int) -> JoiningAdam:
    c = config.optimizer
    rate = ConstantThenLinear(c.learning_rate, int(c.constant_share * total_steps), total_steps)
    return JoiningAdam(rate, beta_1=c.beta_1, beta_2=c.beta_2, accumulation=c.accumulation)
