"""One shard: raw frames in, a file of records out.

A shard is written beside its place and renamed after a small JSON that says what it holds. So a
shard that is there is whole.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data import records
from sflowgan_tf.data.files import read_image, read_labels, resize
from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.data.manifest import write_json
from sflowgan_tf.data.sources.base import RawFrame
from sflowgan_tf.errors import Failure, UserError
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.labels import ClassTable
from sflowgan_tf.whole import written_whole


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the bytes of a record besides its frame.

    Attributes:
        size: (width, height) of the records.
        table: how label maps are read.
        edges: threshold and blur of `ops.edges.laplacian_edges`.
        flow: parameters of `data.flow.dense_flow`.
        skip_bad: whether bad frames are left out instead of ending the work.
    """

    size: tuple[int, int]
    table: ClassTable
    edges: dict[str, float]
    flow: dict[str, Any]
    skip_bad: bool


@dataclass(frozen=True)
class Shard:
    """Its file, its frames, and the frame behind its last one, if consecutive."""

    file: Path
    frames: list[RawFrame]
    next_frame: RawFrame | None

    @property
    def is_done(self) -> bool:
        """Whether it is there."""
        return self.file.is_file() and self._note.is_file()

    @property
    def summary(self) -> dict[str, Any]:
        """What it holds: shard {file, records, pairs} and skipped [{file, reason}]."""
        return json.loads(self._note.read_text())

    @property
    def _note(self) -> Path:
        return self.file.with_suffix(".json")

    def write(self, settings: Settings, tick: Callable[[], Any]) -> None:
        """Makes it; calls `tick` after each of its frames.

        Raises:
            UserError: a bad frame, unless `skip_bad`.
            Failure: it can't be written, as on a full disk.
        """
        try:
            with written_whole(self.file) as partial:
                self._write(partial, settings, tick)
        except tf.errors.OpError as error:
            raise Failure(
                f"{self.file}: can't be written ({error.message}); is the disk full? The same "
                "command goes on with this shard"
            ) from None

    def _write(self, partial: Path, settings: Settings, tick: Callable[[], Any]) -> None:
        pairs: list[bool] = []
        skipped: list[dict[str, str]] = []
        with tf.io.TFRecordWriter(str(partial)) as writer:
            for record, is_pair in self._records(settings, skipped, tick):
                writer.write(record)
                pairs.append(is_pair)
        held = {"file": self.file.name, "records": len(pairs), "pairs": sum(pairs)}
        write_json(self._note, {"shard": held, "skipped": skipped})

    def _records(
        self, settings: Settings, skipped: list[dict[str, str]], tick: Callable[[], Any]
    ) -> Iterator[tuple[bytes, bool]]:
        """Each frame's record and whether it has a successor; every frame is read once."""
        before: _Frame | None = None
        for raw in self.frames:
            frame = _read_or_skip(raw, settings, skipped)
            if before is not None:
                yield _record(before, frame, settings)
            before = frame
            tick()
        if before is not None:
            # The frame behind the last one is the next shard's: that one reports it if it is bad.
            behind = self.next_frame and _read_or_skip(self.next_frame, settings, [])
            yield _record(before, behind, settings)


@dataclass(frozen=True)
class _Frame:
    raw: RawFrame
    coded: records.Coded
    image_read: np.ndarray  # the real one, as a reader of the record gets it


def _record(first: _Frame, second: _Frame | None, settings: Settings) -> tuple[bytes, bool]:
    place = {"sequence": first.raw.sequence, "frame": first.raw.number}
    if second is None or not second.raw.follows(first.raw):
        return records.serialize([first.coded], None, **place), False
    flow = dense_flow(first.image_read, second.image_read, **settings.flow)
    return records.serialize([first.coded, second.coded], flow, **place), True


def _read_or_skip(
    raw: RawFrame, settings: Settings, skipped: list[dict[str, str]]
) -> _Frame | None:
    try:
        return _read(raw, settings)
    except UserError as error:
        if not settings.skip_bad:
            raise UserError(f"{error} (--skip-bad leaves such frames out)") from None
        file, _, reason = str(error).partition(": ")
        skipped.append({"file": file, "reason": reason})
        return None


def _read(raw: RawFrame, settings: Settings) -> _Frame:
    labels = read_labels(raw.labels, settings.table)
    real = _read_like(raw.image_real, labels, raw.labels, settings.size)
    cg = raw.image_cg and _read_like(raw.image_cg, labels, raw.labels, settings.size)
    coded = records.code(
        resize(labels, settings.size),
        _edges(real, settings),
        real,
        cg,
        None if cg is None else _edges(cg, settings),
    )
    return _Frame(raw, coded, records.real_image(coded))


def _read_like(
    file: Path, labels: np.ndarray, labels_file: Path, size: tuple[int, int]
) -> np.ndarray:
    image = read_image(file)
    if image.shape[:2] != labels.shape:
        found, expected = (f"{a.shape[1]}x{a.shape[0]}" for a in (image, labels))
        raise UserError(
            f"{file}: is {found}, but its label map {labels_file} is {expected}; expected one size"
        )
    return resize(image, size)


def _edges(image: np.ndarray, settings: Settings) -> np.ndarray:
    """(height, width, 1) uint8 in {0, 1}."""
    return np.asarray(laplacian_edges(image[None], **settings.edges))[0].astype(np.uint8)
