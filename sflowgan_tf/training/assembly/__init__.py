"""From a configuration to things that run: the only place that joins pipeline, networks and GAN."""

from sflowgan_tf.training.assembly.datasets import raw_records, records, records_of
from sflowgan_tf.training.assembly.epochs import (
    Epoch,
    batches,
    curriculum,
    segmenter_batches,
    segmenter_steps,
)
from sflowgan_tf.training.assembly.networks import dned, generator
from sflowgan_tf.training.assembly.restored import (
    restored_segmenter,
    restored_translator,
    translator,
)
from sflowgan_tf.training.assembly.trainings import gan, reproducible, segmenter, start_from

__all__ = [
    "Epoch",
    "batches",
    "curriculum",
    "dned",
    "gan",
    "generator",
    "raw_records",
    "records",
    "records_of",
    "reproducible",
    "restored_segmenter",
    "restored_translator",
    "segmenter",
    "segmenter_batches",
    "segmenter_steps",
    "start_from",
    "translator",
]
