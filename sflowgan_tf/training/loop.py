"""The training of one run, from its latest checkpoint to its end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.training import assembly, sheets
from sflowgan_tf.training.callbacks import Curves, Progress, Sheets, StopOnNonFinite
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.runs import Run

_FILM = 12  # frames of the animated picture
_SHOWN = {"generator_loss": "G", "discriminator_loss": "D", "perceptual_loss": "VGG"}


class Training:
    """A GAN with its data, callbacks and place.

    Attributes:
        gan: built, and restored where the run has a checkpoint.
        checkpoints: to save by hand, at an interrupt.
    """

    def __init__(self, config: Config, manifest: Manifest, folder: Path, run: Run):
        """Builds all of it; `folder` holds the records."""
        self.config, self.manifest, self.folder, self.run_paths = config, manifest, folder, run
        self.curriculum = assembly.curriculum(config, manifest.splits["train"])
        self.total_steps = self.curriculum[-1].last_step if self.curriculum else 0
        self.gan = assembly.gan(config, manifest.classes.num_classes, self.total_steps)
        self.checkpoints = Checkpoints(
            self.gan.checkpoint(), run.checkpoints, config.checkpoint_steps
        )
        if not self.checkpoints.restore() and config.start_run is not None:
            step = assembly.start_from(self.gan, config, manifest, config.start_run)
            self.checkpoints.save()  # from now on the other run may change or go
            print(f"Started from step {step} of {config.start_run}.")

    def run(self) -> None:
        """Trains to the end of the last phase."""
        writer = tf.summary.create_file_writer(str(self.run_paths.logs))
        progress = Progress(int(self.gan.step), self.total_steps, _SHOWN)
        callbacks = [
            StopOnNonFinite(),
            self._curves(writer),
            Sheets(self._sheets(), writer, self.run_paths.samples),
            self.checkpoints,  # behind the sheets: an epoch that is saved as whole has its sheet
            progress,
        ]
        with progress.bar, writer.as_default():
            for epoch in self.curriculum:
                skip = max(int(self.gan.step) - epoch.first_step, 0)
                if skip >= epoch.steps:
                    continue
                frozen = epoch.index < self.config.generator.frozen_epochs
                self.gan.enter_phase(epoch.phase, generator_frozen=frozen)
                progress.bar.set_description(epoch.phase)
                self.gan.fit(
                    assembly.batches(self.config, self.folder, self.manifest, epoch, skip),
                    initial_epoch=epoch.index,
                    epochs=epoch.index + 1,
                    steps_per_epoch=epoch.steps - skip,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,  # type: ignore[arg-type]  # an int, as Keras documents it
                )

    def _curves(self, writer: tf.summary.SummaryWriter) -> Curves:
        networks = ("generator", "discriminator", "dned")
        return Curves(
            writer,
            self.config.log_steps,
            {network: getattr(self.gan, f"{network}_optimizer") for network in networks},
            lambda: self.config.pipeline.batch_size * (2 if self.gan.phase == "video" else 1),
        )

    def _sheets(self) -> Callable[[], dict[str, np.ndarray]]:
        """The function that draws this run's sheets, of the same frames each time."""
        translator = assembly.translator(self.config, self.manifest, self.gan)
        split = "validation" if self.manifest.splits["validation"].records else "train"
        frames = pipeline.frames(self.folder, self.manifest, split, self.config.samples)
        drive = self._drive()

        def draw() -> dict[str, np.ndarray]:
            redraw = self.gan.phase != "edges"
            table = self.manifest.classes
            drawn = {"scenes": sheets.scenes(translator, table, frames, redraw)}
            if redraw and translator.redraws:
                drawn["variations"] = sheets.variations(translator, frames[0], self.config.seed)
            if self.gan.phase == "video":
                painted = np.stack([translator.picture(frame, redraw=True) for frame in drive])
                drawn["film"] = sheets.film(drive, painted)
                drawn["flow"] = sheets.flow(drive, painted, self.config.records.flow)
            return drawn

        return draw

    def _drive(self) -> list[pipeline.Frames]:
        """Consecutive frames for the pictures of phase video."""
        if not self.config.phases.video:
            return []
        split = "validation" if self.manifest.splits["validation"].pairs else "train"
        return pipeline.drive(self.folder, self.manifest, split, _FILM)
