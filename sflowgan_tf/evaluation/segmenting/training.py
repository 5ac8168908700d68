"""The training of a segmenter, from its latest checkpoint to its end, and its scores."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.metrics.segmentation import Confusion
from sflowgan_tf.evaluation.segmenting import assembly as segmenting
from sflowgan_tf.ops.images import contact_sheet
from sflowgan_tf.training import assembly
from sflowgan_tf.training.assembly import Epoch
from sflowgan_tf.training.callbacks import Curves, Draw, Scores, Summaries
from sflowgan_tf.training.loop import Training
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import prefixed


class SegmenterTraining(Training):
    """The segmenter of a run, trained and scored."""

    LOSS_LABELS = {"segmentation_loss": "loss", "auxiliary_loss": "auxiliary"}
    SHEET = "segments"

    def __init__(self, config: Config, manifest: Manifest, folder: Path, run: Run):
        """Builds and restores it; the arguments are those of `Training`."""
        c = config.segmenter
        with prefixed("segmenter."):
            steps = pipeline.steps_per_epoch(manifest.splits["train"], c.pipeline.batch_size)
        epochs = assembly.sequence([("segmenter", steps)] * c.epochs)
        total_steps = epochs[-1].last_step if epochs else 0
        self.segmenter = segmenting.segmenter(config, folder, manifest, total_steps)
        super().__init__(self.segmenter, epochs, config, manifest, folder, run)

    def start(self) -> None:
        """Fills a pretrained trunk."""
        c = self.config.segmenter
        if c.kind == "pspnet" and c.weights != "random":
            self.segmenter.network.load_trunk(c.weights)  # type: ignore[attr-defined]

    def batches(self, epoch: Epoch, skip: int) -> tf.data.Dataset:
        """Frames."""
        c, place = self.config, {"epoch": epoch.index, "skip": skip}
        with prefixed("segmenter."):
            settings = c.segmenter.pipeline
            return assembly.read(settings, self.folder, self.manifest, seed=c.seed, **place)

    def curves(self, summaries: Summaries) -> Curves:
        """Losses and the gradient."""
        batch_size = self.config.segmenter.pipeline.batch_size
        optimizers = {"segmenter": self.segmenter.optimizer}
        return Curves(summaries, self.config.log_steps, optimizers, lambda: batch_size)

    def scores(self, summaries: Summaries) -> list[keras.callbacks.Callback]:
        """Scores of the validation frames."""
        return [Scores(self._scores, summaries)]

    def sheets(self) -> Draw:
        """Frames and their segments."""
        return self._sheets

    def confusion(self) -> Confusion:
        """Pixels of all validation frames, or else training frames, by true and predicted class."""
        confusion = Confusion(self.manifest.classes.num_classes)
        for frame in pipeline.every_frame(self.folder, self.manifest, self._split()):
            confusion.update(frame["labels"].numpy(), self._segment(frame))
        return confusion

    def report(self) -> str:
        """The scores of the present state, as lines for people."""
        confusion = self.confusion()
        ignored, wrong = (confusion.scores(void_wrong=wrong) for wrong in (False, True))
        lines = [f"Scores of the {self._split()} frames, void ignored (void counted as wrong):"]
        names = ("mean IoU", "pixel accuracy", *self.manifest.classes.names)
        rows = ([each.mean_iou, each.pixel_accuracy, *each.class_iou] for each in (ignored, wrong))
        for name, *pair in zip(names, *rows, strict=True):
            both = ("-" if score is None else f"{score:.3f}" for score in pair)
            lines.append("  {:<16}{:>6} ({})".format(name, *both))
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
        """One row a frame: the real frame, its labels, the predicted classes."""
        colorize, count = self.manifest.classes.colorize, self.config.samples
        rows = [
            [
                frame["image_real"].numpy(),
                colorize(frame["labels"].numpy()),
                colorize(self._segment(frame)),
            ]
            for frame in pipeline.frames(self.folder, self.manifest, self._split(), count)
        ]
        return {self.SHEET: contact_sheet(rows, ["real", "labels", "segmented"])}
