"""The training of a GAN: its phases, curves and pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training import assembly, sheets
from sflowgan_tf.training.assembly import Epoch
from sflowgan_tf.training.callbacks import Curves, Draw, Summaries
from sflowgan_tf.training.loop import Training
from sflowgan_tf.training.runs import Run

_FILM = 12  # frames of the animated picture


class GANTraining(Training):
    """The GAN of a run, trained phase by phase."""

    LOSS_LABELS = {"generator_loss": "G", "discriminator_loss": "D", "perceptual_loss": "VGG"}
    SHEET = "scenes"

    def __init__(self, config: Config, manifest: Manifest, folder: Path, run: Run):
        """Builds and restores it; the arguments are those of `Training`."""
        epochs = assembly.curriculum(config, manifest.splits["train"])
        self.appearance = assembly.appearance(config, folder, manifest, run)
        self.gan = assembly.gan(config, manifest.classes, epochs)
        super().__init__(self.gan, epochs, config, manifest, folder, run)

    def start(self) -> None:
        """Takes networks of another run, and saves them, as that run may change or go later."""
        if self.config.start_run is not None:
            step = assembly.start_from(self.gan, self.config, self.manifest)
            name = self.config.start_run
        elif self.config.generator.global_run is not None:
            step = assembly.start_global_part(self.gan, self.config, self.manifest)
            name = self.config.generator.global_run
        else:
            return
        self.checkpoints.save()
        print(f"Started from step {step} of {name}.")

    def enter(self, epoch: Epoch) -> None:
        """Sets the phase."""
        frozen = epoch.index < self.config.generator.frozen_epochs
        phase: Any = epoch.phase
        self.gan.enter_phase(phase, generator_frozen=frozen)

    def batches(self, epoch: Epoch, skip: int) -> tf.data.Dataset:
        """Frames, or in phase video pairs of frames."""
        return assembly.batches(self.config, self.folder, self.manifest, epoch, skip)

    def curves(self, summaries: Summaries) -> Curves:
        """Losses, outputs and gradients of the three networks."""
        networks = ("generator", "discriminator", "dned")
        return Curves(
            summaries,
            self.config.log_steps,
            {network: getattr(self.gan, f"{network}_optimizer") for network in networks},
            lambda: self.config.pipeline.batch_size * self.gan.frames_per_example,
        )

    def sheets(self) -> Draw:
        """Scenes, and in the later phases variations, a film and its flow; of the same frames."""
        translator = assembly.translator(self.config, self.manifest, self.gan, self.appearance)
        split = "validation" if self.manifest.splits["validation"].records else "train"
        frames = pipeline.frames(self.folder, self.manifest, split, self.config.samples)
        drive = self._drive()

        def draw() -> dict[str, np.ndarray]:
            redraw = self.gan.phase != "edges"
            table = self.manifest.classes
            pictures = {self.SHEET: sheets.scenes(translator, table, frames, redraw)}
            if redraw and translator.redraws:
                pictures["variations"] = sheets.variations(translator, frames[0], self.config.seed)
            if self.gan.phase == "video":
                painted = np.stack([*map(translator.film(redraw=True), drive)])
                pictures["film"] = sheets.film(drive, painted)
                pictures["flow"] = sheets.flow(drive, painted, self.config.records.flow)
            return pictures

        return draw

    def _drive(self) -> list[pipeline.Frames]:
        """Consecutive frames for the pictures of phase video."""
        if not self.config.phases.video:
            return []
        split = "validation" if self.manifest.splits["validation"].pairs else "train"
        return pipeline.drive(self.folder, self.manifest, split, _FILM)
