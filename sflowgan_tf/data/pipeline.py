"""Records to batches: parallel reading, shuffling, aligned augmentation, prefetching.

The order of the records and every random draw are functions of (seed, epoch, place in the epoch)
alone, so that a training that was interrupted goes on at its step without saved state of its input.
Everything stays uint8 until it is on the device, where labels become one-hot.
"""

import functools
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from sflowgan_tf.data import records
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.utils import sampling
from sflowgan_tf.utils.errors import UserError

_PLANAR = ("labels", "instances")  # fields without an axis of channels
_NEAREST = (*_PLANAR, "edges")
_TRAINING_FIELDS = (*_NEAREST, "image_real", "flow_real")
_PARALLEL = min(os.cpu_count() or 1, 16)  # records that are read and augmented at once

Frames = dict[str, Any]  # of tensors


def steps_per_epoch(split: Split, batch_size: int, *, pair: bool = False) -> int:
    """Whole batches in an epoch.

    Raises:
        UserError: there are fewer records than one batch holds.
    """
    count = split.pairs if pair else split.records
    if pair and not count:
        raise UserError(
            "phase video trains on pairs of consecutive frames; the training records hold none: "
            "no frame has one of the next number in its sequence; set phases.video=0, or prepare "
            "sequences whose frames are numbered without gaps"
        )
    if count < batch_size:
        kind = "pairs of frames" if pair else "frames"
        raise UserError(
            f"pipeline.batch_size={batch_size}: the training records hold {count} {kind} only; "
            "set a smaller batch size or prepare more data"
        )
    return split.batches(batch_size, pair=pair)


def training(
    folder: Path,
    manifest: Manifest,
    *,
    seed: int,
    epoch: int,
    skip: int = 0,
    batch_size: int,
    length: int = 1,
    instances: bool = False,
    crop: tuple[int, int] | None,
    flip: bool,
    max_scale: float,
    shuffle_buffer: int,
) -> tf.data.Dataset:
    """The batches of one epoch.

    Args:
        folder: where the manifest and the shards lie.
        manifest: what `prepare` wrote there.
        seed: of the run.
        epoch: from 0; every epoch has its own order and augmentation.
        skip: number of batches at the beginning of the epoch to leave out, since a run was trained
            on them already.
        batch_size: examples in a batch; an incomplete last batch is dropped.
        length: consecutive frames in an example, with their flows; 1 reads every frame by itself.
            An epoch has as many examples of two or more as there are pairs; of three or more some
            come again, enough of them.
        instances: whether instance numbers are read too; the records must hold them.
        crop: (width, height) of the examples; None for the records' size.
        flip: mirror half of the examples; dx changes its sign.
        max_scale: examples are enlarged by up to this factor, >= 1, then cropped at random; flow
            grows with them.
        shuffle_buffer: records kept in memory to draw from.

    Returns:
        Batches of a dict: labels (batch, height, width) uint8, edges (batch, height, width, 1)
        uint8 in {0, 1}, image_real (batch, height, width, 3) uint8 RGB and, with `instances`,
        instances (batch, height, width) uint16. With `length` over 1 each has an axis of so many
        frames behind the batch's. Of 2 there is flow_real (batch, height, width, 2) float32, in
        pixels of the example per frame, channel 0 dx (right), 1 dy (down).

    Raises:
        UserError: the crop does not fit into the records, or there are no so many consecutive ones.
    """
    split = manifest.splits["train"]
    batches = steps_per_epoch(split, batch_size, pair=length > 1) - skip
    crop = crop or manifest.size
    _check_crop(crop, manifest.size, max_scale)
    order_seed, draw_seed = np.random.SeedSequence([seed, epoch]).generate_state(2).tolist()

    def read(serialized: tf.Tensor, *, pair: bool) -> Frames:
        wanted = {"has_cg": False, "has_instances": instances, "has_motion": False}
        frames = records.parse(serialized, size=manifest.size, **wanted, pair=pair)
        return {name: frames[name] for name in _TRAINING_FIELDS if name in frames}

    def example(index: tf.Tensor, serialized: tf.Tensor) -> Frames:
        if length < 3:
            frames = read(serialized, pair=length == 2)
        else:
            *firsts, last = tf.unstack(serialized, length - 1)
            parts = [read(first, pair=False) for first in firsts] + [read(last, pair=True)]
            frames = {
                name: tf.stack([*(p[name] for p in parts[:-1]), *tf.unstack(parts[-1][name])])
                for name in parts[0]
            }
        key = tf.stack([tf.constant(draw_seed, tf.int64), index])
        return augment(frames, key, crop=crop, flip=flip, max_scale=max_scale)

    dataset = _serialized(folder, split, order_seed, max(1, length - 1))
    if length > 1:
        dataset = dataset.filter(records.has_successor)
    if length > 2:
        _check_clips(dataset, length)
    dataset = dataset.shuffle(shuffle_buffer, seed=order_seed)
    if length > 2:
        dataset = dataset.repeat()
    dataset = dataset.enumerate().skip(skip * batch_size)
    dataset = dataset.map(example, num_parallel_calls=_PARALLEL)
    dataset = dataset.batch(batch_size, drop_remainder=True).take(batches)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(2)


def _check_clips(dataset: tf.data.Dataset, length: int) -> None:
    if not any(True for _ in dataset.take(1)):
        raise UserError(
            f"phase video of generator.kind=sequential trains on {length} consecutive frames; the "
            f"training records hold no {length} in one file; prepare longer sequences, or more "
            "frames in a file (records.frames_per_shard)"
        )


def _serialized(folder: Path, split: Split, seed: int, run: int) -> tf.data.Dataset:
    """Serialized records of all shards, the shards in an order drawn from `seed`.

    A `run` over 1 gives so many consecutive records of a shard at once, (run,) strings.
    """
    files = np.array([str(folder / shard["file"]) for shard in split.shards])
    files = files[np.random.default_rng(seed).permutation(len(files))]
    at_once = min(8, len(files))
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        functools.partial(_shard, run=run),
        cycle_length=at_once,
        num_parallel_calls=min(_PARALLEL, at_once),
        deterministic=True,
    )


def _shard(file: tf.Tensor, run: int) -> tf.data.Dataset:
    dataset = tf.data.TFRecordDataset(file)
    if run == 1:
        return dataset
    windows = dataset.window(run, shift=1, drop_remainder=True)
    return windows.flat_map(lambda window: window.batch(run, drop_remainder=True))


def to_device(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The batches without tf.data's tuner; with a GPU, two of them ahead in its memory."""
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        ahead = tf.data.experimental.prefetch_to_device(gpus[0].name, buffer_size=2)
        dataset = dataset.apply(ahead)
    return records.untuned(dataset)


def frames(folder: Path, manifest: Manifest, split: str, count: int | None = None) -> list[Frames]:
    """`count` evenly spaced frames of a split, all by default, as `records.parse` gives them."""
    records_there = manifest.splits[split].records
    return [*evenly_spaced(folder, manifest, split, count or records_there)]


def evenly_spaced(folder: Path, manifest: Manifest, split: str, count: int) -> Iterator[Frames]:
    """The frames of `frames`, one in memory at a time; the arguments are the same."""
    chosen = manifest.splits[split]
    picked = {*sampling.evenly_spaced(chosen.records, count)}
    for index, stored in enumerate(stored_records(folder, chosen)):
        if index in picked:
            yield decoded(stored, manifest)


def every_frame(folder: Path, manifest: Manifest, split: str) -> Iterator[Frames]:
    """All frames of a split in order, in the form of `frames`, one in memory at a time."""
    for stored in stored_records(folder, manifest.splits[split]):
        yield decoded(stored, manifest)


def places(folder: Path, manifest: Manifest, split: str) -> list[tuple[str, int]]:
    """Sequence and number of each frame of a split, in the order of `sequences`."""
    return [records.place(s.serialized) for s in stored_records(folder, manifest.splits[split])]


def class_pixels(folder: Path, manifest: Manifest, split: str) -> np.ndarray:
    """How many pixels each class has in a split, (classes,) int64; void is left out.

    The manifest says so; records of a version that did not count are read.
    """
    counted = manifest.splits[split].class_pixels
    if counted:
        return np.array(counted[:-1], np.int64)
    pixels = np.zeros(256, np.int64)
    for frame in every_frame(folder, manifest, split):
        pixels += np.bincount(frame["labels"].numpy().ravel(), minlength=256)
    return pixels[: manifest.classes.num_classes]


def sequences(folder: Path, manifest: Manifest, split: str) -> Iterator[Iterator[Frames]]:
    """The clips of a split in order, each as an iterator of its frames, unaugmented.

    A clip is a run of consecutive frames; it ends with its sequence or at a gap in the frame
    numbers. One frame is in memory at a time. A clip must be read before the next one is asked for:
    its unread frames are skipped then. Frames have the form of `frames`; all but a clip's last one
    have the fields of `records.flows` too, the flow to the next frame.
    """
    ends = 0

    def clip(stored: Stored) -> int:
        nonlocal ends
        number, goes_on = ends, bool(records.has_successor(stored.serialized))
        ends += not goes_on
        return number

    stored = stored_records(folder, manifest.splits[split])
    for _, of_clip in itertools.groupby(stored, clip):
        yield (decoded(record, manifest, with_flows=True) for record in of_clip)


class Stored(NamedTuple):
    """A record as it is stored: its shard, its number there from 0, and its bytes."""

    file: Path
    number: int
    serialized: tf.Tensor


def stored_records(folder: Path, split: Split) -> Iterator[Stored]:
    """The records of a split of the manifest in `folder`, in order, not decoded.

    Raises:
        UserError: a shard is missing, truncated or overwritten.
        Failure: the system can't read a shard.
    """
    for shard in split.shards:
        file = folder / shard["file"]
        for number, serialized in enumerate(records.read(file)):
            yield Stored(file, number, serialized)


def decoded(
    stored: Stored, manifest: Manifest, *, pair: bool = False, with_flows: bool = False
) -> Frames:
    """All that a record holds, as `records.parse` gives it.

    `with_flows` adds the fields of `records.flows` to a single frame that has a successor.

    Raises:
        UserError: it is no record of the manifest's, or a picture in it can't be decoded.
    """
    m, serialized = manifest, stored.serialized
    holds = {"has_cg": m.has_cg, "has_instances": m.has_instances, "has_motion": m.has_motion}
    with records.decoding(stored.file, stored.number):
        frame = records.parse(serialized, size=m.size, **holds, pair=pair)
        if with_flows and records.has_successor(serialized):
            frame |= records.flows(serialized, size=m.size, has_motion=m.has_motion)
    return frame


def drive(folder: Path, manifest: Manifest, split: str, count: int) -> list[Frames]:
    """The first `count` frames of the first clip of two or more, in the form of `sequences`.

    Where the split has no consecutive frames, there are none.
    """
    for clip in sequences(folder, manifest, split):
        frames = list(itertools.islice(clip, count))
        if "flow_real" in frames[0]:
            return frames
    return []


def _check_crop(crop: tuple[int, int], size: tuple[int, int], max_scale: float) -> None:
    if crop[0] > size[0] or crop[1] > size[1]:
        raise UserError(
            f"pipeline.crop={crop[0]}x{crop[1]} is larger than the records' {size[0]}x{size[1]}; "
            "set a smaller crop or prepare larger records"
        )
    if max_scale < 1:
        raise UserError(
            f"pipeline.max_scale={max_scale}: expected 1 or more; frames are enlarged, then cropped"
        )


def augment(
    frames: Frames, key: tf.Tensor, *, crop: tuple[int, int], flip: bool, max_scale: float
) -> Frames:
    """Cuts one box out of all fields, enlarges it to the crop's size, mirrors it or not.

    Labels, instances and edges are resized to the nearest pixel, so that no values are mixed;
    images and flow bilinearly.

    Args:
        frames: fields as in the batches of `training`, without the batch axis.
        key: (2,) int64 from which the draws are made; the same key gives the same result.
        crop: (width, height) of the result.
        flip: whether half of the keys mirror.
        max_scale: the largest factor by which a box is enlarged.
    """
    draws = tf.unstack(tf.random.stateless_uniform([4], key))
    size = frames["labels"].shape[:-3:-1]
    if tuple(size) != crop or max_scale > 1:
        frames = _boxed(frames, draws[:3], crop, max_scale)
    if not flip:
        return frames
    # of the branches one alone is worked out, of `tf.where` both would be
    return tf.cond(draws[3] < 0.5, lambda: _mirrored(frames), lambda: frames)


def _boxed(frames: Frames, draws: Any, crop: tuple[int, int], max_scale: float) -> Frames:
    """One box cut out of all fields, enlarged to the crop's size.

    `draws` are three numbers in [0, 1): of the box's scale, row and column.
    """
    height, width = frames["labels"].shape[-2:]
    scale = 1 + draws[0] * (max_scale - 1)
    box = tf.cast(tf.round(tf.cast(crop[::-1], tf.float32) / scale), tf.int32)
    room = tf.cast(tf.stack([height, width]) - box + 1, tf.float32)
    corner = tf.cast(tf.floor(tf.stack(draws[1:3]) * room), tf.int32)

    def field(name: str, value: Any) -> Any:
        value = value[..., None] if name in _PLANAR else value
        value = value[..., corner[0] : corner[0] + box[0], corner[1] : corner[1] + box[1], :]
        if max_scale > 1:
            value = _resize(value, crop, "nearest" if name in _NEAREST else "bilinear")
        value = tf.ensure_shape(value, [*value.shape[:-3], crop[1], crop[0], value.shape[-1]])
        if name == "flow_real":
            value *= tf.cast(crop, tf.float32) / tf.cast(box[::-1], tf.float32)
        return value[..., 0] if name in _PLANAR else value

    return {name: field(name, value) for name, value in frames.items()}


def _mirrored(frames: Frames) -> Frames:
    """All fields, left and right exchanged; dx changes its sign."""

    def field(name: str, value: Any) -> Any:
        across = len(value.shape) - (1 if name in _PLANAR else 2)
        value = tf.reverse(value, [across])
        return value * [-1.0, 1.0] if name == "flow_real" else value

    return {name: field(name, value) for name, value in frames.items()}


def _resize(value: tf.Tensor, size: tuple[int, int], method: str) -> tf.Tensor:
    resized = tf.image.resize(value, size[::-1], method)
    return tf.cast(tf.round(resized), tf.uint8) if value.dtype == tf.uint8 else resized


def find_damage(folder: Path, manifest: Manifest) -> None:
    """Reads all records to find the damaged one, which an error inside the pipeline does not name.

    Raises:
        UserError: a shard is missing, truncated or overwritten, or a picture can't be decoded.
        Failure: the system can't read a shard.
    """
    for shard in (shard for split in manifest.splits.values() for shard in split.shards):
        path, count = folder / shard["file"], 0
        for count, serialized in enumerate(records.read(path), start=1):
            pair = bool(records.has_successor(serialized))
            decoded(Stored(path, count - 1, serialized), manifest, pair=pair)
        if count != shard["records"]:
            raise UserError(
                f"{path}: record {count} is damaged (missing; expected {shard['records']} records);"
                f" {records.REMEDY}"
            )
