"""What a training reads when: its epochs and their batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sflowgan_tf import config as settings
from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.training.gan.image_gan import Phase
from sflowgan_tf.training.gan.sequential_gan import CLIP


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training.

    Attributes:
        index: from 0.
        phase: what it trains: of the GAN a `Phase`, of which "video" reads consecutive frames and
            the others single ones; else a name for the progress bar.
        first_step: updates made before it.
        steps: its own.
    """

    index: int
    phase: str
    first_step: int
    steps: int

    @property
    def last_step(self) -> int:
        """Updates made when it ends."""
        return self.first_step + self.steps


def sequence(parts: Iterable[tuple[str, int]]) -> list[Epoch]:
    """Epochs that follow each other, of the phase and number of steps of each."""
    epochs: list[Epoch] = []
    for phase, steps in parts:
        first = epochs[-1].last_step if epochs else 0
        epochs.append(Epoch(index=len(epochs), phase=phase, first_step=first, steps=steps))
    return epochs


def curriculum(config: Config, split: Split) -> list[Epoch]:
    """The epochs of all phases of the GAN, in their order, on a split.

    Raises:
        UserError: a phase has not one batch of training records.
    """
    parts: list[tuple[str, int]] = []
    for phase in get_args(Phase):
        if epochs := getattr(config.phases, phase):
            size, pair = config.pipeline.batch_size, phase == "video"
            parts += [(phase, pipeline.steps_per_epoch(split, size, pair=pair))] * epochs
    return sequence(parts)


def batches(config: Config, folder: Path, manifest: Manifest, epoch: Epoch, skip: int):
    """The batches of an epoch of the GAN, on the device, but the `skip` trained on already."""
    return read(
        config.pipeline,
        folder,
        manifest,
        seed=config.seed,
        epoch=epoch.index,
        skip=skip,
        length=_length(config, epoch.phase),
        instances=config.edge_map == "instances",
    )


def _length(config: Config, phase: str) -> int:
    """Consecutive frames in an example."""
    if phase != "video":
        return 1
    return CLIP if config.generator.kind == "sequential" else 2


def read(c: settings.Pipeline, folder: Path, manifest: Manifest, **place: Any):
    """Batches of a pipeline's settings; `place` is the rest of `data.pipeline.training`'s."""
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
