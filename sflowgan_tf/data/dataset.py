"""The frames of a prepared folder as NumPy arrays: the public reader of records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from sflowgan_tf.data import pipeline, records
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.utils.errors import UserError


class Records:
    """One split of what `prepare` wrote, frame by frame or pair by pair.

    One frame is in memory at a time. Nothing is augmented, and the order is that of the sequences.

    >>> records = Records("datasets/minicity", split="validation")
    >>> records.size, records.classes.num_classes, records.splits
    ((64, 32), 13, {'train': 2, 'validation': 2})
    >>> for frame in records:
    ...     print(frame["sequence"], frame["frame"], frame["image_real"].shape)
    MINICITY-SEQS-01-NOON/Stereo_Left/Omni_F 0 (32, 64, 3)
    MINICITY-SEQS-01-NOON/Stereo_Left/Omni_F 1 (32, 64, 3)
    >>> [pair["flow_real"].shape for pair in records.pairs()]
    [(32, 64, 2)]

    A frame is a dict of

    - sequence: its name; frame: its number there.
    - labels: (height, width) uint8, class index of `classes`, or 255 for void.
    - image_real: (height, width, 3) uint8 RGB, the photo.
    - edges: (height, width, 1) uint8 in {0, 1}, the thresholded Laplacian of the photo.
    - image_cg and edges_cg: the same of the simulator's picture; of the photo where there is none.
    - instances: (height, width) uint16, number of the car, person and so on, or 0; only where the
      dataset has them.

    Attributes:
        folder: of the records.
        split: "train" or "validation".
        manifest: all that is known of the records, their settings too.
    """

    def __init__(self, folder: str | os.PathLike[str], split: str = "train"):
        """Opens what `prepare --output` named.

        Raises:
            UserError: there are no finished records, or there is no such split.
        """
        self.folder, self.split = Path(folder), split
        self.manifest = Manifest.load(self.folder)
        if split not in self.splits:
            raise UserError(f"split={split!r}: expected one of {', '.join(self.splits)}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of every frame, pixels."""
        return self.manifest.size

    @property
    def classes(self) -> ClassTable:
        """What the labels mean: names and colours of the classes."""
        return self.manifest.classes

    @property
    def splits(self) -> dict[str, int]:
        """The number of frames in each split."""
        return {name: split.records for name, split in self.manifest.splits.items()}

    def __len__(self) -> int:
        """The number of frames in this split."""
        return self.splits[self.split]

    @property
    def num_pairs(self) -> int:
        """The number of frames in this split that have a successor."""
        return self.manifest.splits[self.split].pairs

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All frames in order.

        Raises:
            UserError: a shard is damaged, or a picture can't be decoded.
        """
        for frame in pipeline.every_frame(self.folder, self.manifest, self.split):
            yield _plain(frame)

    def pairs(self) -> Iterator[dict[str, Any]]:
        """All pairs of consecutive frames in order.

        Yields:
            A dict as of a frame, `frame` being the first one's number, in which every picture has a
            leading axis of two; and flow_real (height, width, 2) float32, the estimated flow of the
            photos, pixels per frame, channel 0 is dx (right), 1 is dy (down). Where the dataset has
            the exact flow, motion is that, and motion_valid (height, width) bool says which pixels
            are seen in the second frame.

        Raises:
            UserError: a shard is damaged, or a picture can't be decoded.
        """
        for stored in pipeline.stored_records(self.folder, self.manifest.splits[self.split]):
            if records.has_successor(stored.serialized):
                yield _plain(pipeline.decoded(stored, self.manifest, pair=True))


def _plain(frame: dict[str, tf.Tensor]) -> dict[str, Any]:
    plain: dict[str, Any] = {name: value.numpy() for name, value in frame.items()}
    return plain | {"sequence": plain["sequence"].decode(), "frame": int(plain["frame"])}
