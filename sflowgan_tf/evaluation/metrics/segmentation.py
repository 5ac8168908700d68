"""How well predicted labels agree with the true ones: one confusion matrix over a whole set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class SegmentationScores:
    """Scores of a confusion matrix, all in [0, 1].

    Attributes:
        mean_iou: over the classes whose IoU is not None. A class that isn't there but was predicted
            counts with 0. None where no class is there or predicted: nothing but void pixels, all
            predicted as none of the classes.
        pixel_accuracy: the share of pixels whose class was predicted.
        class_iou: for each class intersection over union; None for one that was neither there nor
            predicted.
    """

    mean_iou: float | None
    pixel_accuracy: float
    class_iou: list[float | None]


class Confusion:
    """Counts of pixels by true and predicted class.

    Frames are counted one after the other, in any order; intersections and unions are those of the
    whole set, not means over frames (Cityscapes' protocol, which pix2pixHD's evaluation follows).

    Attributes:
        counts: (num_classes + 1, num_classes + 1) int64, true class by predicted one; the last row
            holds the void pixels, the last column what was predicted as none of the classes, which
            is wrong everywhere.

    Void pixels, whose true class is none, are ignored by that protocol. `scores(void_wrong=True)`
    counts them as wrong instead: as pixels of the whole in the accuracy, and in the union of the
    class that was predicted there.
    """

    def __init__(self, num_classes: int):
        self.counts = np.zeros((num_classes + 1, num_classes + 1), np.int64)

    @classmethod
    def of(cls, counts: np.ndarray) -> Confusion:
        """The confusion with these `counts`."""
        confusion = cls(len(counts) - 1)
        confusion.counts += counts
        return confusion

    def update(self, labels: np.ndarray, prediction: np.ndarray) -> None:
        """Take in a frame, or several.

        Args:
            labels: integers of any shape; 0..num_classes - 1 are classes, others from num_classes
                on are void.
            prediction: integers of the same shape; 0..num_classes - 1 are classes, others from
                num_classes on are none.

        Raises:
            ValueError: the shapes differ, or a number is out of range.
        """
        if labels.shape != prediction.shape:
            raise ValueError(
                f"labels, prediction: expected equal shapes, got {labels.shape} and "
                f"{prediction.shape}"
            )
        size = len(self.counts)
        true, predicted = (np.asarray(x, np.int64).ravel() for x in (labels, prediction))
        if true.size and (true.min() < 0 or predicted.min() < 0):
            raise ValueError(
                f"expected labels and predictions of 0 or more, got {true.min()} and "
                f"{predicted.min()} or more"
            )
        pairs = np.minimum(true, size - 1) * size + np.minimum(predicted, size - 1)
        self.counts += np.bincount(pairs, minlength=size * size).reshape(size, size)

    def scores(self, *, void_wrong: bool) -> SegmentationScores:
        """The scores of all frames so far, void pixels counted as wrong or ignored.

        Raises:
            ValueError: there is no pixel to count.
        """
        counts = self.counts if void_wrong else self.counts[:-1]
        if not counts.any():
            raise ValueError("expected labels with pixels that are not void, got none")
        intersection = np.diag(self.counts)[:-1]
        union = self.counts[:-1].sum(axis=1) + counts.sum(axis=0)[:-1] - intersection
        occurs = union > 0
        class_iou = intersection / np.maximum(union, 1)
        each = zip(class_iou, occurs, strict=True)
        return SegmentationScores(
            mean_iou=float(class_iou[occurs].mean()) if occurs.any() else None,
            pixel_accuracy=float(intersection.sum() / counts.sum()),
            class_iou=[float(x) if there else None for x, there in each],
        )
