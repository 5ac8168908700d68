"""The training of a segmenter, from its latest checkpoint to its end, and its scores."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.metrics.segmentation import Confusion, SegmentationScores
from sflowgan_tf.evaluation.segmenting import assembly as segmenting
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training.callbacks import (
    Curves,
    Progress,
    Scores,
    Sheets,
    StopOnNonFinite,
)
from sflowgan_tf.training.checkpoints import Checkpoints
from sflowgan_tf.training.runs import Run

_SHOWN = {"segmentation_loss": "loss", "auxiliary_loss": "auxiliary"}


class SegmenterTraining:
    """A segmenter with its data, callbacks and place.

    Attributes:
        segmenter: built, and restored where the run has a checkpoint.
        checkpoints: to save by hand, at an interrupt.
    """

    def __init__(self, config: Config, manifest: Manifest, folder: Path, run: Run):
        """Builds all of it; `folder` holds the records."""
        self.config, self.manifest, self.folder, self.run_paths = config, manifest, folder, run
        c = config.segmenter
        self.steps = segmenting.steps(config, manifest.splits["train"])
        self.total_steps = c.epochs * self.steps
        self.segmenter = segmenting.segmenter(config, folder, manifest, self.total_steps)
        self.checkpoints = Checkpoints(
            self.segmenter.checkpoint(), run.checkpoints, config.checkpoint_steps
        )
        has_trunk = c.kind == "pspnet" and c.weights != "random"
        if not self.checkpoints.restore() and has_trunk:
            self.segmenter.network.load_trunk(c.weights)  # type: ignore[attr-defined]

    def run(self) -> None:
        """Trains to the end of the last epoch."""
        writer = tf.summary.create_file_writer(str(self.run_paths.logs))
        batch_size = self.config.segmenter.pipeline.batch_size
        progress = Progress(int(self.segmenter.step), self.total_steps, _SHOWN)
        callbacks = [
            StopOnNonFinite(),
            Curves(
                writer,
                self.config.log_steps,
                {"segmenter": self.segmenter.optimizer},
                lambda: batch_size,
            ),
            Scores(self._scores, writer),
            Sheets(self._sheets, writer, self.run_paths.samples),
            self.checkpoints,  # last: an epoch that is saved as whole has its scores and sheet
            progress,
        ]
        with progress.bar, writer.as_default():
            for epoch in range(self.config.segmenter.epochs):
                skip = max(int(self.segmenter.step) - epoch * self.steps, 0)
                if skip >= self.steps:
                    continue
                self.segmenter.fit(
                    segmenting.batches(self.config, self.folder, self.manifest, epoch, skip),
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    steps_per_epoch=self.steps - skip,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,  # type: ignore[arg-type]  # an int, as Keras documents it
                )

    def confusion(self) -> Confusion:
        """What the segmenter makes of all validation frames, or of the training's without any."""
        counted = Confusion(self.manifest.classes.num_classes)
        for frame in pipeline.every_frame(self.folder, self.manifest, self._split()):
            counted.update(frame["labels"].numpy(), self._segment(frame))
        return counted

    def report(self) -> str:
        """The scores of the present state, as lines for people."""
        counted = self.confusion()
        ignored, wrong = (counted.scores(void_wrong=wrong) for wrong in (False, True))
        lines = [f"Scores of the {self._split()} frames, void ignored (void counted as wrong):"]
        names = ("mean IoU", "pixel accuracy", *self.manifest.classes.names)
        for name, *pair in zip(names, _row(ignored), _row(wrong), strict=True):
            one, other = ("-" if score is None else f"{score:.3f}" for score in pair)
            lines.append(f"  {name:<16}{one:>6} ({other})")
        return "\n".join(lines)

    def _split(self) -> str:
        return "validation" if self.manifest.splits["validation"].records else "train"

    def _segment(self, frame: pipeline.Frames) -> np.ndarray:
        return self.segmenter.segment(frame["image_real"][None])[0].numpy()

    def _scores(self) -> dict[str, float]:
        """For TensorBoard, void ignored."""
        scores = self.confusion().scores(void_wrong=False)
        classes = zip(self.manifest.classes.names, scores.class_iou, strict=True)
        return {
            "scores/mean_iou": scores.mean_iou,
            "scores/pixel_accuracy": scores.pixel_accuracy,
        } | {f"class_iou/{name}": iou for name, iou in classes if iou is not None}

    def _sheets(self) -> dict[str, np.ndarray]:
        """One row a frame: the real frame, its labels, what the segmenter sees in it."""
        colorize, count = self.manifest.classes.colorize, self.config.samples
        rows = [
            [
                frame["image_real"].numpy(),
                colorize(frame["labels"].numpy()),
                colorize(self._segment(frame)),
            ]
            for frame in pipeline.frames(self.folder, self.manifest, self._split(), count)
        ]
        return {"segments": contact_sheet(rows, ["real", "labels", "segmented"])}


def _row(scores: SegmentationScores) -> list[float | None]:
    return [scores.mean_iou, scores.pixel_accuracy, *scores.class_iou]
