"""Records to batches: parallel reading, shuffling, aligned augmentation, prefetching.

The order of the records and every random draw are functions of (seed, epoch, place in the epoch)
alone. So a training that was interrupted goes on at its step without any state of its input.
Everything stays uint8 until it is on the device, where labels become one-hot.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from sflowgan_tf.data import records
from sflowgan_tf.data.manifest import Manifest, Split
from sflowgan_tf.errors import UserError

_NEAREST = ("labels", "edges")
_TRAINING_FIELDS = ("labels", "edges", "image_real", "flow_real")

Frames = dict[str, Any]  # of tensors


def steps_per_epoch(split: Split, batch_size: int, *, pair: bool = False) -> int:
    """Whole batches in an epoch.

    Raises:
        UserError: there are fewer records than one batch holds.
    """
    count = split.pairs if pair else split.records
    if count < batch_size:
        kind = "pairs of frames" if pair else "frames"
        raise UserError(
            f"pipeline.batch_size={batch_size}: the training records hold {count} {kind} only; "
            "set a smaller batch size or prepare more data"
        )
    return count // batch_size


def training(
    folder: Path,
    manifest: Manifest,
    *,
    seed: int,
    epoch: int,
    skip: int = 0,
    batch_size: int,
    pair: bool = False,
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
        skip: batches of this epoch that were trained on already.
        batch_size: examples in a batch; what is left of an epoch is dropped.
        pair: False reads every frame by itself, True pairs of consecutive frames with their flow.
        crop: (width, height) of what comes out; None for the records' size.
        flip: mirror half of the examples; dx changes its sign.
        max_scale: examples are enlarged by up to this factor, >= 1, then cropped at random; flow
            grows with them.
        shuffle_buffer: records kept in memory to draw from.

    Returns:
        Batches of a dict: labels (batch, height, width) uint8, edges (batch, height, width, 1)
        uint8 in {0, 1}, image_real (batch, height, width, 3) uint8; with `pair` each has an axis of
        two frames behind the batch's, and flow_real (batch, height, width, 2) float32 is in pixels
        per frame of what comes out.

    Raises:
        UserError: the crop does not fit into the records.
    """
    split = manifest.splits["train"]
    batches = steps_per_epoch(split, batch_size, pair=pair) - skip
    crop = crop or manifest.size
    _check_crop(crop, manifest.size, max_scale)
    order_seed, draw_seed = (
        int(s) for s in np.random.SeedSequence([seed, epoch]).generate_state(2)
    )

    def example(index: tf.Tensor, serialized: tf.Tensor) -> Frames:
        frames = records.parse(serialized, size=manifest.size, has_cg=manifest.has_cg, pair=pair)
        frames = {name: frames[name] for name in _TRAINING_FIELDS if name in frames}
        key = tf.stack([tf.constant(draw_seed, tf.int64), index])
        return augment(frames, key, crop=crop, flip=flip, max_scale=max_scale)

    dataset = _serialized(folder, split, order_seed)
    if pair:
        dataset = dataset.filter(records.has_successor)
    dataset = dataset.shuffle(shuffle_buffer, seed=order_seed).enumerate().skip(skip * batch_size)
    dataset = dataset.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.batch(batch_size, drop_remainder=True)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(2)


def _serialized(folder: Path, split: Split, seed: int) -> tf.data.Dataset:
    """Serialized records of all shards, the shards in an order drawn from `seed`."""
    files = np.array([str(folder / shard["file"]) for shard in split.shards])
    files = files[np.random.default_rng(seed).permutation(len(files))]
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset,
        cycle_length=min(8, len(files)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def to_device(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Copies batches to the first GPU ahead of their use; without a GPU the dataset as it is."""
    gpus = tf.config.list_logical_devices("GPU")
    device = gpus[0].name if gpus else "/CPU:0"
    return dataset.apply(tf.data.experimental.prefetch_to_device(device, buffer_size=2))


def frames(folder: Path, manifest: Manifest, split: str, count: int | None = None) -> list[Frames]:
    """Evenly spaced single frames of a split as they are at test time, unaugmented.

    Args:
        folder: where the shards lie.
        manifest: what `prepare` wrote there.
        split: "train" or "validation".
        count: how many; all by default.

    Returns:
        For each frame a dict of `records.parse`, without a batch axis.
    """
    chosen = manifest.splits[split]
    wanted = np.linspace(0, chosen.records - 1, min(count or chosen.records, chosen.records))
    picked = set(wanted.round().astype(int).tolist())
    files = [str(folder / shard["file"]) for shard in chosen.shards]
    return [
        records.parse(serialized, size=manifest.size, has_cg=manifest.has_cg, pair=False)
        for index, serialized in enumerate(tf.data.TFRecordDataset(files))
        if index in picked
    ]


def every_frame(folder: Path, manifest: Manifest, split: str) -> Iterator[Frames]:
    """All frames of a split in their order as `frames` gives them, one in memory at a time.

    Args:
        folder: where the shards lie.
        manifest: what `prepare` wrote there.
        split: "train" or "validation".
    """
    for shard in manifest.splits[split].shards:
        for serialized in tf.data.TFRecordDataset(str(folder / shard["file"])):
            yield records.parse(serialized, size=manifest.size, has_cg=manifest.has_cg, pair=False)


def drive(folder: Path, manifest: Manifest, split: str, count: int) -> list[Frames]:
    """The first consecutive frames of a split, as `frames` gives them.

    Args:
        folder: where the shards lie.
        manifest: what `prepare` wrote there.
        split: "train" or "validation".
        count: at most so many; fewer where the sequence is shorter.
    """
    files = [str(folder / shard["file"]) for shard in manifest.splits[split].shards]
    found: list[Frames] = []
    for serialized in tf.data.TFRecordDataset(files):
        goes_on = bool(records.has_successor(serialized))
        if found or goes_on:
            size, has_cg = manifest.size, manifest.has_cg
            found.append(records.parse(serialized, size=size, has_cg=has_cg, pair=False))
        if len(found) == count or (found and not goes_on):
            break
    return found


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

    Labels and edges are resized to the nearest pixel, so they stay what they are; images and flow
    bilinearly.

    Args:
        frames: as `training` describes them, without the batch axis.
        key: (2,) int64 from which the draws are made; the same key gives the same result.
        crop: (width, height) of the result.
        flip: whether half of the keys mirror.
        max_scale: the largest factor by which a box is enlarged.

    Returns:
        The same fields, their height and width those of `crop`.
    """
    height, width = frames["labels"].shape[-2:]
    draws = tf.unstack(tf.random.stateless_uniform([4], key))
    scale = 1 + draws[0] * (max_scale - 1)
    box = tf.cast(tf.round(tf.cast(crop[::-1], tf.float32) / scale), tf.int32)
    room = tf.cast(tf.stack([height, width]) - box + 1, tf.float32)
    corner = tf.cast(tf.floor(tf.stack(draws[1:3]) * room), tf.int32)
    mirrored = tf.logical_and(flip, draws[3] < 0.5)

    def field(name: str, value: Any) -> Any:
        value = value[..., None] if name == "labels" else value
        value = value[..., corner[0] : corner[0] + box[0], corner[1] : corner[1] + box[1], :]
        if max_scale > 1:
            value = _resize(value, crop, "nearest" if name in _NEAREST else "bilinear")
        value = tf.ensure_shape(value, [*value.shape[:-3], crop[1], crop[0], value.shape[-1]])
        value = tf.where(mirrored, value[..., ::-1, :], value)
        if name == "flow_real":
            growth = tf.cast(crop, tf.float32) / tf.cast(box[::-1], tf.float32)
            value *= growth * tf.where(mirrored, [-1.0, 1.0], [1.0, 1.0])
        return value[..., 0] if name == "labels" else value

    return {name: field(name, value) for name, value in frames.items()}


def _resize(value: tf.Tensor, size: tuple[int, int], method: str) -> tf.Tensor:
    resized = tf.image.resize(value, size[::-1], method)
    return tf.cast(tf.round(resized), tf.uint8) if value.dtype == tf.uint8 else resized


def blame(folder: Path, manifest: Manifest) -> None:
    """Finds what an error inside the pipeline cannot name: the damaged shard and record.

    Raises:
        UserError: a shard is truncated or corrupted, or a record's pictures can't be decoded.
    """
    for shard in (shard for split in manifest.splits.values() for shard in split.shards):
        path, count = folder / shard["file"], 0
        try:
            for serialized in _read(path):
                pair = bool(records.has_successor(serialized))
                records.parse(serialized, size=manifest.size, has_cg=manifest.has_cg, pair=pair)
                count += 1
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            raise UserError(_damage(path, count, str(error.message))) from None
        if count != shard["records"]:
            raise UserError(_damage(path, count, f"expected {shard['records']} records"))


def _read(path: Path) -> Iterator[tf.Tensor]:
    yield from tf.data.TFRecordDataset(str(path))


def _damage(path: Path, record: int, found: str) -> str:
    reason = found.partition("\n")[0][:120]
    return f"{path}: record {record} is damaged ({reason}); delete this file and run prepare again"
