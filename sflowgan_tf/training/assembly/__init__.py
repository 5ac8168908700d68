"""From a configuration to things that run: the only place that joins pipeline, networks and GAN."""

from sflowgan_tf.training.assembly.datasets import raw_records, records, records_of
from sflowgan_tf.training.assembly.epochs import Epoch, batches, curriculum, read, sequence
from sflowgan_tf.training.assembly.gans import gan, reproducible, start_from, start_global_part
from sflowgan_tf.training.assembly.networks import discriminator, dned, generator
from sflowgan_tf.training.assembly.palettes import appearance
from sflowgan_tf.training.assembly.restored import (
    model_of_run,
    restore,
    restored_translator,
    translator,
)

__all__ = [
    "Epoch",
    "appearance",
    "batches",
    "curriculum",
    "discriminator",
    "dned",
    "gan",
    "generator",
    "model_of_run",
    "raw_records",
    "records",
    "read",
    "records_of",
    "reproducible",
    "restore",
    "restored_translator",
    "sequence",
    "start_from",
    "start_global_part",
    "translator",
]
