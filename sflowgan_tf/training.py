"""The training of one run, from its latest checkpoint to its end."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from sflowgan_tf import build, sheets
from sflowgan_tf.callbacks import Checkpoints, Curves, Progress, Sheets, StopOnNonFinite
from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.runs import Run


class Training:
    """A GAN with its data, callbacks and place.

    Attributes:
        gan: built, and restored where the run has a checkpoint.
        checkpoints: to save by hand, at an interrupt.
    """

    def __init__(self, config: Config, manifest: Manifest, folder: Path, run: Run):
        """Builds all of it; `folder` holds the records."""
        self.config, self.manifest, self.folder, self.run_paths = config, manifest, folder, run
        self.steps_per_epoch = pipeline.steps_per_epoch(
            manifest.splits["train"], config.pipeline.batch_size
        )
        self.gan = build.image_gan(config, manifest.classes.num_classes, self.steps_per_epoch)
        self.checkpoints = Checkpoints(
            self.gan.checkpoint(), run.checkpoints, config.checkpoint_steps
        )
        self.checkpoints.restore()

    def run(self) -> None:
        """Trains to the end of the last phase."""
        first, skip = divmod(int(self.gan.step), self.steps_per_epoch)
        total = build.total_epochs(self.config)
        writer = tf.summary.create_file_writer(str(self.run_paths.logs))
        progress = Progress(int(self.gan.step), total * self.steps_per_epoch)
        callbacks = [
            StopOnNonFinite(),
            Curves(writer, self.config.log_steps, self.config.pipeline.batch_size),
            Sheets(self._sheets(), writer, self.run_paths.samples),
            self.checkpoints,  # behind the sheets: an epoch that is saved as whole has its sheet
            progress,
        ]
        with progress.bar, writer.as_default():
            for epoch in range(first, total):
                frozen = epoch < self.config.generator.frozen_epochs
                self.gan.enter_phase(build.phase_of(self.config, epoch), generator_frozen=frozen)
                self.gan.fit(
                    build.epoch(self.config, self.folder, self.manifest, epoch, skip),
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    steps_per_epoch=self.steps_per_epoch - skip,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,  # type: ignore[arg-type]  # an int, as Keras documents it
                )
                skip = 0

    def _sheets(self):
        """The function that draws this run's sheets, of the same frames each time."""
        translator = build.translator(self.config, self.manifest, self.gan)
        split = "validation" if self.manifest.splits["validation"].records else "train"
        frames = pipeline.frames(self.folder, self.manifest, split, self.config.samples)

        def draw() -> dict[str, np.ndarray]:
            redraw = self.gan.phase == "dned"
            table = self.manifest.classes
            return {
                "scenes": sheets.scenes(translator, table, frames, redraw),
                "variations": sheets.variations(translator, frames[0], self.config.seed),
            }

        return draw
