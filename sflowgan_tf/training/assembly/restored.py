"""The networks and the translator of a run on disk."""

import keras
import tensorflow as tf

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.ops.palette import ColorInput
from sflowgan_tf.training import released
from sflowgan_tf.training.assembly.epochs import curriculum
from sflowgan_tf.training.assembly.networks import dned, generator
from sflowgan_tf.training.assembly.palettes import restored_appearance
from sflowgan_tf.training.checkpoints import State, restore_latest
from sflowgan_tf.training.gan.image_gan import ImageGAN
from sflowgan_tf.training.runs import Run
from sflowgan_tf.training.sequential_translator import SequentialTranslator
from sflowgan_tf.translation.model import Model
from sflowgan_tf.translation.translator import Translator
from sflowgan_tf.utils.errors import UserError

_COMMANDS = {"translation": "fit", "segmentation": "segment fit"}


def restore(run: Run, task: str = "translation", **networks: keras.Model) -> int:
    """Fills networks from a run's latest checkpoint.

    Args:
        run: on disk.
        task: of its configuration.
        **networks: by their names in `State.parts`, built.

    Returns:
        The step of the checkpoint.

    Raises:
        UserError: the run is of another task or has no checkpoint, or its networks differ.
        Failure: no checkpoint can be read.
    """
    if settings.read(run.config).task != task:
        raise UserError(f"{run.folder} is no run of {_COMMANDS[task]}; name one")
    if run.weights.is_file():
        return released.fill(run.weights, networks)
    state = State(tf.Variable(tf.zeros([], tf.int64)), networks)
    step = restore_latest(state, run.checkpoints)
    if step is None:
        raise UserError(
            f"{run.folder}: no checkpoint yet; let {_COMMANDS[task]} run for a while longer"
        )
    return int(state.step)


def translator(
    config: Config, manifest: Manifest, gan: ImageGAN, appearance: ColorInput | None
) -> Translator:
    """The translator of a training in progress; `appearance` is that of `palettes.appearance`."""
    redraws = bool(config.phases.dned or config.phases.video)
    return _translator(config, manifest, gan.generator_ema, gan.dned, redraws, appearance)


def restored_translator(run: Run) -> tuple[Translator, Manifest, int]:
    """The translator of a run on disk, the manifest of its records, and its step.

    It paints from the DNED's edges only if the run has come to a phase that trains on them.

    Raises:
        UserError: the run is none of `fit`, has no checkpoint yet, or lacks its palette.
    """
    config, manifest = settings.read(run.config), Manifest.load(run.manifest)
    painter, edge_network = generator(config, manifest.classes.num_classes), dned(config)
    step = restore(run, generator_ema=painter, dned=edge_network)
    redraws = any(
        epoch.phase != "edges" and epoch.first_step < max(step, 1)
        for epoch in curriculum(config, manifest.splits["train"])
    )
    appearance = restored_appearance(config, manifest.classes, run)
    return (
        _translator(config, manifest, painter, edge_network, redraws, appearance),
        manifest,
        step,
    )


def _translator(
    config: Config,
    manifest: Manifest,
    painter: keras.Model,
    edge_network: keras.Model,
    redraws: bool,
    appearance: ColorInput | None,
) -> Translator:
    kind = SequentialTranslator if config.generator.kind == "sequential" else Translator
    return kind(
        generator=painter,
        dned=edge_network,
        num_classes=manifest.classes.num_classes,
        edge_settings=manifest.edges,
        edge_map=config.edge_map,
        redraws=redraws,
        dned_sees=config.dned.sees,
        appearance=appearance,
    )


def model_of_run(name: str, run: Run) -> Model:
    """A run's latest checkpoint, ready to paint: checkpoint -> translator -> picture.

    Args:
        name: of the run, as its user knows it.
        run: on disk.

    Raises:
        UserError: it has no checkpoint yet, or it needs instance maps.
    """
    translator, manifest, step = restored_translator(run)
    if translator.edge_map == "instances":
        raise UserError(
            f"{name}: was trained with edge_map=instances and needs instance maps, which a scene "
            f"does not have; score it with `python -m sflowgan_tf.evaluate --run {name}`"
        )
    if translator.remembers:
        raise UserError(
            f"{name}: was trained with generator.kind=sequential, which is there to compare with "
            "and paints no single scenes; score it with `python -m sflowgan_tf.evaluate --run "
            f"{name}`"
        )
    return Model(
        engine=translator,
        classes=manifest.classes,
        size=manifest.size,
        flow=manifest.flow,
        edge_map=translator.edge_map,
        palette=translator.appearance and translator.appearance.palette,
        origin={"run": name, "step": str(step)},
        files=[
            run.config,
            run.manifest,
            *([run.palette] if translator.appearance else []),
            *([run.weights] if run.weights.is_file() else []),
            *sorted(run.checkpoints.glob("step-*.index")),
        ],
    )
