"""A configuration whose networks take no time, and runs of it that were never trained."""

import dataclasses

from sflowgan_tf import config as settings
from sflowgan_tf.config import (
    Config,
    Discriminator,
    Dned,
    Generator,
    Minicity,
    Perceptual,
    Phases,
    Preparation,
    Segmenter,
)
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.segmenting import assembly as segmenting
from sflowgan_tf.training import assembly
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.runs import Run

TINY = Config(
    records=Preparation(size="64x32", validation_fraction=0.7),
    minicity=Minicity(sequences=3, frames=4),
    generator=Generator(filters=4, downsamplings=1, blocks=1),
    discriminator=Discriminator(filters=2),
    dned=Dned(filters=2),
    perceptual=Perceptual(weights="random", slices=2, filters=2),
    phases=Phases(edges=0),  # so that even step 0 paints from the DNED's edges
    segmenter=Segmenter(kind="small", filters=2),
)
JUDGE = dataclasses.replace(TINY, task="segmentation")


def begun(name, config, folder):
    """A run with a checkpoint of fresh networks."""
    run, manifest = Run.named(name), Manifest.load(folder)
    run.folder.mkdir(parents=True)
    settings.save(config, run.config)
    manifest.save(run.manifest)
    assembly.reproducible(0)
    if config.task == "translation":
        assembly.appearance(config, folder, manifest, run)
        model = assembly.gan(config, manifest.classes, epochs=[])
    else:
        model = segmenting.segmenter(config, folder, manifest, total_steps=1)
    Checkpoints(model.state(), run.checkpoints, every_steps=1).save()
