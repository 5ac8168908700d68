"""From a configuration to things that run: the only place that joins pipeline, networks and GAN."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import keras
import tensorflow as tf
from tqdm import tqdm

from sflowgan_tf import config as settings
from sflowgan_tf.callbacks import restore_latest
from sflowgan_tf.config import Config
from sflowgan_tf.data import minicity, pipeline
from sflowgan_tf.data.manifest import NAME, Manifest, Split
from sflowgan_tf.data.preparation import prepare
from sflowgan_tf.data.sources import find
from sflowgan_tf.errors import UserError
from sflowgan_tf.gan.image_gan import ImageGAN, Phase, variables
from sflowgan_tf.gan.schedule import ConstantThenLinear
from sflowgan_tf.gan.video_gan import VideoGAN
from sflowgan_tf.networks.discriminator import Discriminator
from sflowgan_tf.networks.dned import DNED
from sflowgan_tf.networks.generator import GlobalGenerator, LocalEnhancer
from sflowgan_tf.networks.pspnet import PSPNet
from sflowgan_tf.networks.small_pspnet import SmallPSPNet
from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.networks.vgg import VGG19Features
from sflowgan_tf.ops.labels import table
from sflowgan_tf.runs import Run
from sflowgan_tf.segmenter import Segmenter, balanced
from sflowgan_tf.serving import Translator

_COMMANDS = {"translation": "fit", "segmentation": "segment fit"}


def reproducible(seed: int) -> None:
    """The same seed on the same machine gives the same bits from here on.

    TensorFlow's arithmetic optimizer is off: it merges sums of gradients into one AddN, whose order
    depends on which buffer is free first.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


@dataclass(frozen=True)
class Epoch:
    """One epoch of the curriculum.

    Attributes:
        index: from 0.
        phase: what it trains; "video" reads pairs of frames, the others single ones.
        first_step: updates made before it.
        steps: its own.
    """

    index: int
    phase: Phase
    first_step: int
    steps: int

    @property
    def last_step(self) -> int:
        """Updates made when it ends."""
        return self.first_step + self.steps


def curriculum(config: Config, split: Split) -> list[Epoch]:
    """The epochs of all phases, in their order.

    Raises:
        UserError: a phase has not one batch of training records.
    """
    epochs: list[Epoch] = []
    for phase in get_args(Phase):
        for _ in range(getattr(config.phases, phase)):
            steps = pipeline.steps_per_epoch(
                split, config.pipeline.batch_size, pair=phase == "video"
            )
            first = epochs[-1].last_step if epochs else 0
            epochs.append(Epoch(index=len(epochs), phase=phase, first_step=first, steps=steps))
    return epochs


def generator(config: Config, num_classes: int) -> GlobalGenerator | LocalEnhancer | UNet:
    """The configured generator, built for that many classes and an edge map."""
    c = config.generator
    if c.kind == "global":
        network = GlobalGenerator(
            filters=c.filters,
            downsamplings=c.downsamplings,
            blocks=c.blocks,
            upsampling=c.upsampling,
            separable=c.separable,
            skips=c.skips,
        )
    elif c.kind == "unet":
        network = UNet(filters=c.filters, downsamplings=c.downsamplings)
    else:
        network = LocalEnhancer(
            filters=c.filters // 2,
            downsamplings=c.downsamplings,
            blocks=c.enhancer_blocks,
            global_blocks=c.blocks,
            upsampling=c.upsampling,
        )
    network.build((None, None, None, num_classes + 1))
    return network


def dned(config: Config) -> DNED:
    """The configured edge network, built."""
    network = DNED(filters=config.dned.filters)
    network.build((None, None, None, 1))
    return network


def discriminator(config: Config, num_classes: int) -> Discriminator:
    """The configured discriminator, built for labels, an image and, if it sees them, edges."""
    c = config.discriminator
    network = Discriminator(
        num_scales=c.num_scales, filters=c.filters, depth=c.depth, spectral_norm=c.spectral_norm
    )
    network.build((None, None, None, num_classes + 3 + c.sees_edges))
    return network


def features(config: Config) -> VGG19Features:
    """The configured perceptual network, built and filled."""
    c = config.perceptual
    network = VGG19Features(c.weights, slices=c.slices, filters=c.filters, seed=config.seed)
    network.build((None, None, None, 3))
    return network


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
            farneback=asdict(config.records.flow),
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
    return _restore(run, **{network: getattr(gan, network) for network in networks})


def _adam(config: Config, total_steps: int) -> keras.optimizers.Adam:
    c = config.optimizer
    rate = ConstantThenLinear(c.learning_rate, int(c.constant_share * total_steps), total_steps)
    return keras.optimizers.Adam(rate, beta_1=c.beta_1, beta_2=c.beta_2)


def _start_global_part(gan: ImageGAN, name: str) -> None:
    """The enhancer's global part takes the moving average of another run's global generator."""
    run = Run.existing(name)
    trained = generator(settings.read(run.config), gan.num_classes)
    _restore(run, generator_ema=trained)
    for network in (gan.generator, gan.generator_ema):
        network.load_global(trained)  # type: ignore[attr-defined]


def _restore(run: Run, task: str = "translation", **networks: keras.Model) -> int:
    """Fills networks from a run's latest checkpoint; returns its step."""
    if settings.read(run.config).task != task:
        raise UserError(f"{run.folder} is no run of {_COMMANDS[task]}; name one")
    step = tf.Variable(tf.zeros([], tf.int64))
    state = {name: variables(network) for name, network in networks.items()}
    if restore_latest(tf.train.Checkpoint(step=step, **state), run.checkpoints) is None:
        raise UserError(
            f"{run.folder}: no checkpoint yet; let {_COMMANDS[task]} run for a while longer"
        )
    return int(step)


def batches(config: Config, folder: Path, manifest: Manifest, epoch: Epoch, skip: int):
    """The batches of an epoch, on the device; `skip` of them were trained on already."""
    return _batches(
        config.pipeline,
        folder,
        manifest,
        seed=config.seed,
        epoch=epoch.index,
        skip=skip,
        pair=epoch.phase == "video",
        instances=config.edge_map == "instances",
    )


def segmenter_steps(config: Config, split: Split) -> int:
    """Batches in an epoch of the segmenter.

    Raises:
        UserError: there are fewer records than one batch holds.
    """
    with _settings_of_segmenter():
        return pipeline.steps_per_epoch(split, config.segmenter.pipeline.batch_size)


def segmenter_batches(config: Config, folder: Path, manifest: Manifest, epoch: int, skip: int):
    """The segmenter's batches of an epoch, as `batches` gives the GAN's."""
    c = config.segmenter.pipeline
    with _settings_of_segmenter():
        return _batches(c, folder, manifest, seed=config.seed, epoch=epoch, skip=skip)


@contextmanager
def _settings_of_segmenter() -> Iterator[None]:
    """The key that an error begins with is one of the segmenter's."""
    try:
        yield
    except (UserError, ValueError) as error:
        raise UserError(f"segmenter.{error}") from None


def _batches(c: settings.Pipeline, folder: Path, manifest: Manifest, **place: Any):
    dataset = pipeline.training(
        folder,
        manifest,
        batch_size=c.batch_size,
        crop=settings.size(c.crop, "pipeline.crop") if c.crop else None,
        flip=c.flip,
        max_scale=c.max_scale,
        shuffle_buffer=c.shuffle_buffer,
        **place,
    )
    return pipeline.to_device(dataset)


def segmenter_network(config: Config, num_classes: int) -> PSPNet | SmallPSPNet:
    """The configured segmenter's network, built, a trunk not yet filled.

    Raises:
        UserError: it can't be made with these settings.
    """
    c = config.segmenter
    with _settings_of_segmenter():
        if c.kind == "small":
            network = SmallPSPNet(num_classes, c.filters)
        else:
            is_pretrained = c.weights != "random"
            network = PSPNet(num_classes, c.filters, c.units, is_pretrained=is_pretrained)
    network.build((None, None, None, 3))
    return network


def segmenter(config: Config, folder: Path, manifest: Manifest, total_steps: int) -> Segmenter:
    """Network and optimizer, built, a trunk not yet filled; needs `reproducible` before it.

    Args:
        config: of the run.
        folder: of the records, in which classes are counted where they are to be balanced.
        manifest: of the records.
        total_steps: after which the learning rate is 0.

    Raises:
        UserError: the network can't be made with these settings.
    """
    c = config.segmenter
    keras.config.set_dtype_policy(config.precision)
    weights = None
    if c.class_balance:
        weights = balanced(pipeline.class_pixels(folder, manifest, "train"), c.class_balance)
    joined = Segmenter(
        segmenter_network(config, manifest.classes.num_classes),
        auxiliary_weight=c.auxiliary,
        class_weights=weights,
    )
    rate = keras.optimizers.schedules.PolynomialDecay(
        c.learning_rate, max(total_steps, 1), end_learning_rate=0.0, power=0.9
    )
    if c.optimizer == "adam":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=c.weight_decay)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=c.momentum, weight_decay=c.weight_decay)
    joined.compile(optimizer, jit_compile=config.jit_compile)
    return joined


def restored_segmenter(run: Run) -> tuple[Segmenter, Manifest, int]:
    """The segmenter of a run on disk, the manifest of its records, and its step.

    Raises:
        UserError: the run is none of `segment`, or has no checkpoint yet.
    """
    config, manifest = settings.read(run.config), Manifest.load(run.manifest)
    keras.config.set_dtype_policy("float32")
    network = segmenter_network(config, manifest.classes.num_classes)
    step = _restore(run, "segmentation", network=network)
    return Segmenter(network, auxiliary_weight=0.0, class_weights=None), manifest, step


def translator(config: Config, manifest: Manifest, gan: ImageGAN) -> Translator:
    """The translator of a training in progress."""
    return _translator(config, manifest, gan.generator_ema, gan.dned)


def restored_translator(run: Run) -> tuple[Translator, Manifest, int]:
    """The translator of a run on disk, the manifest of its records, and its step."""
    config, manifest = settings.read(run.config), Manifest.load(run.manifest)
    keras.config.set_dtype_policy("float32")
    networks = {
        "generator_ema": generator(config, manifest.classes.num_classes),
        "dned": dned(config),
    }
    step = _restore(run, **networks)
    return _translator(config, manifest, *networks.values()), manifest, step


def _translator(
    config: Config, manifest: Manifest, painter: keras.Model, edge_network: keras.Model
) -> Translator:
    return Translator(
        generator=painter,
        dned=edge_network,
        num_classes=manifest.classes.num_classes,
        edge_threshold=manifest.edges["threshold"],
        edge_blur=manifest.edges["blur"],
        edge_map=config.edge_map,
        redraws=bool(config.phases.dned or config.phases.video),
    )


def records_of(run: Run, given: Path | None, flag: str) -> tuple[Path, Manifest]:
    """Records to look at what a run learnt.

    Args:
        run: of `fit`.
        given: their folder; None for datasets/NAME, which must hold what the run was trained on.
        flag: that names the folder.

    Returns:
        The folder and its manifest.

    Raises:
        UserError: there are none, they are others, or their classes are.
    """
    dataset = settings.read(run.config).dataset
    folder = given or Path("datasets") / dataset
    manifest, trained = Manifest.load(folder, dataset), Manifest.load(run.manifest)
    if manifest.classes.names != trained.classes.names:
        raise UserError(
            f"{flag} {folder}: has the classes of table {manifest.classes.name}; run "
            f"{run.folder} was trained on those of {trained.classes.name}"
        )
    if given is None and manifest != trained:
        raise UserError(
            f"{folder} holds other records than those that run {run.folder} was trained on; name "
            f"those with {flag}, or {flag} {folder} if you mean them"
        )
    return folder, manifest


def raw_records(
    config: Config, source: Path | None, output: Path, *, workers: int, skip_bad: bool
) -> Manifest:
    """Raw frames to records; see `data.preparation.prepare`.

    Args:
        config: its `records`, and for minicity what is drawn.
        source: the raw dataset; minicity draws itself into `output`/raw without one.
        output: for the records.
        workers: processes.
        skip_bad: leave out bad frames instead of stopping.

    Raises:
        UserError: no source, bad input, or settings that do not fit what `output` holds.
    """
    if config.dataset == "minicity":
        if source is not None:
            raise UserError("--source: minicity draws its own raw frames; leave it out")
        source = _drawn_minicity(config, output / "raw")
    if source is None:
        raise UserError(f"--source: say where the raw frames of {config.dataset} lie")
    c = config.records
    return prepare(
        find(config.dataset, source, c.classes),
        output,
        dataset=config.dataset,
        size=settings.size(c.size, "records.size"),
        edges=asdict(c.edges),
        flow=asdict(c.flow),
        validation_fraction=c.validation_fraction,
        validation_sequences=c.validation_sequences,
        frames_per_shard=c.frames_per_shard,
        seed=c.seed,
        workers=workers,
        skip_bad=skip_bad,
    )


def _drawn_minicity(config: Config, root: Path) -> Path:
    c = config.minicity
    with tqdm(desc="drawing", total=c.sequences * c.frames, unit="frame") as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done - bar.n)

        minicity.write(
            root,
            sequences=c.sequences,
            frames=c.frames,
            size=settings.size(config.records.size, "records.size"),
            seed=c.seed,
            progress=progress,
        )
    return root


def _drawn_otherwise(c: settings.Minicity, manifest: Manifest) -> list[str]:
    """In what minicity's records are not those that are configured; of what can be seen of it."""
    splits = manifest.splits.values()
    sequences = sum(len(split.sequences) for split in splits)
    found = {"sequences": sequences, "frames": sum(split.records for split in splits) / sequences}
    return [
        f"minicity.{key}: {getattr(c, key)} here, but {value:g} in the records"
        for key, value in found.items()
        if getattr(c, key) != value
    ]


def records(config: Config, folder: Path) -> Manifest:
    """The manifest of the records that a training is configured for; minicity makes its own.

    Raises:
        UserError: there are none, or they were made with other settings.
    """
    if config.dataset == "minicity" and not (folder / NAME).is_file():
        return raw_records(config, None, folder, workers=os.cpu_count() or 1, skip_bad=False)
    manifest = Manifest.load(folder, config.dataset)
    c, flow = config.records, manifest.flow
    expected = {"size": c.size, "edges": asdict(c.edges), "flow": asdict(c.flow), "seed": c.seed}
    found = {
        "size": f"{manifest.size[0]}x{manifest.size[1]}",
        "edges": manifest.edges,
        "flow": {key: flow.get(key) for key in expected["flow"]},
        "seed": manifest.seed,
    }
    differing = [
        f"records.{key}: {value} here, but {found[key]} in the records"
        for key, value in expected.items()
        if found[key] != value
    ]
    if config.dataset == "minicity":
        differing += _drawn_otherwise(config.minicity, manifest)
    if c.classes == "cityscapes" and manifest.classes.names != table("cityscapes").names:
        differing.append(f"records.classes: cityscapes here, but {manifest.classes.name} there")
    if differing:
        raise UserError(
            f"{folder} was prepared with other settings ({'; '.join(differing)}); set them alike, "
            "or prepare into another folder and name it with --data"
        )
    if config.edge_map == "instances" and not manifest.has_instances:
        raise UserError(
            f"edge_map=instances: the records in {folder} hold no instances; prepare them from a "
            "source that has instance maps (see datasets/README.md), or set another edge_map"
        )
    return manifest
