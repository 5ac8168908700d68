"""One shard: raw frames in, a file of records out.

A shard is written beside its place and renamed after a small JSON that says what it holds, its
note. So a shard that has been renamed was whole; its checksums say whether it still is.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data import records
from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.data.media.pictures import (
    read_image,
    read_instances,
    read_labels,
    read_labels_and_instances,
    resize,
    resize_motion,
)
from sflowgan_tf.data.record_settings import RecordSettings
from sflowgan_tf.data.sources.base import RawFrame
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.preprocessing import laplacian_edges
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole


@dataclass(frozen=True)
class Shard:
    """A file of records and the raw frames that it is made of.

    Attributes:
        file: the records.
        frames: one for each record, in order.
        next_frame: the frame behind the last one if they are consecutive, else None.
    """

    file: Path
    frames: list[RawFrame]
    next_frame: RawFrame | None

    @property
    def is_whole(self) -> bool:
        """Whether it is there and its checksums are right; reads all of it."""
        if not (self.file.is_file() and self._note.is_file()):
            return False
        try:
            return sum(1 for _ in records.read(self.file)) == self.summary["shard"]["records"]
        except (UserError, ValueError, KeyError):
            return False

    @property
    def summary(self) -> dict[str, Any]:
        """What it holds: shard {file, records, pairs}, class pixels, skipped [{file, reason}]."""
        return json.loads(self._note.read_text())

    @property
    def _note(self) -> Path:
        return self.file.with_suffix(".json")

    def write(self, tick: Callable[[], Any], *, settings: RecordSettings, skip_bad: bool) -> None:
        """Makes the file, and calls `tick` after each frame.

        Raises:
            UserError: a bad frame, unless `skip_bad`, which leaves them out.
            Failure: it can't be written, as on a full disk.
        """
        pairs: list[bool] = []
        pixels = np.zeros(settings.classes.num_classes + 1, np.int64)
        skipped: list[dict[str, str]] | None = [] if skip_bad else None
        with writing(self.file), written_whole(self.file) as partial:
            with tf.io.TFRecordWriter(str(partial)) as writer:
                for frame, record, is_pair in self._records(settings, skipped, tick):
                    writer.write(record)
                    pairs.append(is_pair)
                    pixels += frame.class_pixels
            entry = {"file": self.file.name, "records": len(pairs), "pairs": sum(pairs)}
            counted = {"class pixels": pixels.tolist()}
            write_json(self._note, {"shard": entry, **counted, "skipped": skipped or []})

    def _records(
        self,
        settings: RecordSettings,
        skipped: list[dict[str, str]] | None,
        tick: Callable[[], Any],
    ) -> Iterator[tuple["_Frame", bytes, bool]]:
        """Each frame, its record and whether it has a successor; every frame is read once.

        Bad frames are added to `skipped`; None ends the work at the first one.
        """
        before: _Frame | None = None
        for raw in self.frames:
            frame = _read_or_skip(raw, settings, skipped)
            if before is not None:
                yield before, *_record(before, frame, settings)
            before = frame
            tick()
        if before is not None:
            # The frame behind the last one is the next shard's: that one reports it if it is bad.
            unreported = None if skipped is None else []
            behind = self.next_frame and _read_or_skip(self.next_frame, settings, unreported)
            yield before, *_record(before, behind, settings)


@dataclass(frozen=True)
class _Frame:
    raw: RawFrame
    coded: records.Coded
    image_read: np.ndarray  # the real one, as a reader of the record gets it
    motion: records.Motion | None
    class_pixels: np.ndarray  # (classes + 1,) int64, the last one void's


def _record(first: _Frame, second: _Frame | None, settings: RecordSettings) -> tuple[bytes, bool]:
    place = {"sequence": first.raw.sequence, "frame": first.raw.number}
    if second is None or not second.raw.follows(first.raw):
        return records.serialize([first.coded], None, None, **place), False
    flow = dense_flow(first.image_read, second.image_read, settings.flow)
    frames = [first.coded, second.coded]
    return records.serialize(frames, flow, first.motion, **place), True


def _read_or_skip(
    raw: RawFrame, settings: RecordSettings, skipped: list[dict[str, str]] | None
) -> _Frame | None:
    try:
        return _read(raw, settings)
    except UserError as error:
        if skipped is None:
            raise UserError(f"{error} (--skip-bad leaves such frames out)") from None
        file, _, reason = str(error).partition(": ")
        skipped.append({"file": file, "reason": reason})
        return None


def _read(raw: RawFrame, settings: RecordSettings) -> _Frame:
    size = settings.size
    labels, instances = _labels_and_instances(raw, settings.classes)

    def fitted(file: Path, picture: np.ndarray) -> np.ndarray:
        _check_size(file, picture, raw.labels, labels)
        return resize(picture, size)

    real = fitted(raw.image_real, read_image(raw.image_real))
    cg = None if raw.image_cg is None else fitted(raw.image_cg, read_image(raw.image_cg))
    if raw.instances is not None and instances is not None:
        instances = fitted(raw.instances, instances)
    edges, edges_cg = _edges(real, settings), None if cg is None else _edges(cg, settings)
    labels_read = resize(labels, size)
    coded = records.code(labels_read, edges, real, cg, edges_cg, instances)
    motion = None
    if raw.motion is not None:
        flow, valid = raw.motion_reader(raw.motion)
        _check_size(raw.motion, valid, raw.labels, labels)
        motion = resize_motion(flow, valid, size)
    kinds = settings.classes.num_classes
    pixels = np.bincount(np.minimum(labels_read, kinds).ravel(), minlength=kinds + 1)
    return _Frame(raw, coded, records.real_image(coded), motion, pixels)


def _labels_and_instances(
    raw: RawFrame, classes: ClassTable
) -> tuple[np.ndarray, np.ndarray | None]:
    if raw.instances == raw.labels and raw.instance_reader is read_instances:
        return read_labels_and_instances(raw.labels, classes)
    labels = read_labels(raw.labels, classes)
    return labels, None if raw.instances is None else raw.instance_reader(raw.instances)


def _check_size(file: Path, picture: np.ndarray, labels_file: Path, labels: np.ndarray) -> None:
    if picture.shape[:2] != labels.shape:
        size, expected = (f"{a.shape[1]}x{a.shape[0]}" for a in (picture, labels))
        raise UserError(
            f"{file}: is {size}, but its label map {labels_file} is {expected}; expected one size"
        )


def _edges(image: np.ndarray, settings: RecordSettings) -> np.ndarray:
    """(height, width, 1) uint8 in {0, 1}."""
    return laplacian_edges(image[None], settings.edges, np)[0].astype(np.uint8)
