"""Raw frames to shards of records: in parallel, the same bytes however often interrupted.

The plan (which frame goes into which shard) is a function of the source and the settings. A second
start makes only the shards that are missing. The manifest comes last.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sflowgan_tf.data import manifest as manifests
from sflowgan_tf.data.manifest import Manifest, Split, write_json
from sflowgan_tf.data.preparing import workers as processes
from sflowgan_tf.data.preparing.shards import Settings, Shard
from sflowgan_tf.data.sources.base import RawFrame, Source
from sflowgan_tf.ops.settings import EdgeSettings, Farneback
from sflowgan_tf.utils.errors import UserError

_PLAN = "plan.json"  # what the shards beside it are made for


def prepare(
    source: Source,
    output: Path,
    *,
    dataset: str,
    size: tuple[int, int],
    edges: EdgeSettings,
    flow: Farneback,
    validation_fraction: float,
    validation_sequences: Sequence[str],
    frames_per_shard: int,
    seed: int,
    workers: int,
    skip_bad: bool,
) -> Manifest:
    """Makes the records that are not there yet.

    Args:
        source: of `data.sources.find`.
        output: folder for shards and manifest.
        dataset: name for the manifest.
        size: (width, height) of the records.
        edges: settings of the edge maps.
        flow: settings of flow_real.
        validation_fraction: of the groups, where the source has no split of its own.
        validation_sequences: names of groups or sequences for validation, before all else.
        frames_per_shard: at most.
        seed: of the choice of validation groups.
        workers: processes; 1 works in this one.
        skip_bad: leave out bad frames and go on; the frame before has no successor then.

    Returns:
        The manifest, which is also written.

    Raises:
        UserError: bad input without `skip_bad`; `output` was begun with other settings; the source
            can't be split; no workers.
        Failure: a worker process died, or the disk is full.
    """
    if workers < 1:
        raise UserError(f"--workers {workers}: expected 1 or more")
    if not skip_bad:
        _check_complete(source.frames)
    parts = split_frames(source.frames, validation_fraction, validation_sequences, seed)
    shards = {
        name: list(_shards(name, frames, frames_per_shard, output))
        for name, frames in parts.items()
    }
    plan = {
        "schema version": manifests.SCHEMA_VERSION,
        "dataset": dataset,
        "size": list(size),
        "edges": asdict(edges),
        "flow": asdict(flow),
        "validation_fraction": validation_fraction,
        "validation_sequences": list(validation_sequences),
        "frames_per_shard": frames_per_shard,
        "seed": seed,
        "classes": source.table.to_dict(),
        "raw frames": _fingerprint(parts),
    }
    _remember(output, plan)
    _clear(output)
    settings = Settings(size=size, table=source.table, edges=edges, flow=flow, skip_bad=skip_bad)
    _make([shard for part in shards.values() for shard in part], settings, workers)
    manifest = Manifest(
        dataset=dataset,
        size=size,
        classes=source.table,
        edges=edges,
        flow=flow,
        seed=seed,
        has_cg=source.has_cg,
        has_instances=source.has_instances,
        has_motion=source.has_motion,
        splits={name: _split(part, parts[name]) for name, part in shards.items()},
        skipped=[bad for part in shards.values() for s in part for bad in s.summary["skipped"]],
    )
    if not manifest.splits["train"].records:
        raise UserError(
            f"{output}: no frame is left for training, every one was bad; the first: "
            f"{' '.join(manifest.skipped[0].values())}"
        )
    manifest.save(output / manifests.NAME)
    return manifest


def _check_complete(frames: list[RawFrame]) -> None:
    """Finds missing files before any work is done."""
    missing = [file for frame in frames for file in frame.files if not file.is_file()]
    if missing:
        others = f" (and {len(missing) - 1} others)" if missing[1:] else ""
        raise UserError(
            f"{missing[0]}: no such file{others}; expected a label map for each image and the "
            "other way round; --skip-bad leaves such frames out"
        )


def split_frames(
    frames: list[RawFrame], fraction: float, chosen: Sequence[str], seed: int
) -> dict[str, list[RawFrame]]:
    """Frames for "train" and "validation", no group in both.

    The names in `chosen` come first, then the source's own split, then a drawn fraction of the
    groups, at least one.

    Raises:
        UserError: a chosen name does not exist, or there are too few groups.
    """
    groups = sorted({frame.group for frame in frames})
    if chosen:
        held = _chosen_groups(frames, chosen)
    elif frames[0].split is not None:
        held = {frame.group for frame in frames if frame.split == "validation"}
    elif fraction:
        count = max(1, round(fraction * len(groups)))
        held = set(np.random.default_rng(seed).permutation(groups)[:count].tolist())
    else:
        held = set()
    if len(held) == len(groups):
        raise UserError(
            f"nothing is left for training: all {len(groups)} sequences are for validation; add "
            "sequences, or set records.validation_fraction=0 to train without validation"
        )
    return {
        "train": [frame for frame in frames if frame.group not in held],
        "validation": [frame for frame in frames if frame.group in held],
    }


def _chosen_groups(frames: list[RawFrame], chosen: Sequence[str]) -> set[str]:
    named: dict[str, str] = {}
    for frame in frames:
        named[frame.group] = named[frame.sequence] = frame.group
    for name in chosen:
        if name not in named:
            some = ", ".join(sorted(named)[:20])
            raise UserError(
                f"records.validation_sequences: no sequence {name!r}; the {len(named)} names that "
                f"there are begin with {some}"
            )
    return {named[name] for name in chosen}


def _shards(split: str, frames: list[RawFrame], size: int, output: Path) -> Iterator[Shard]:
    count = -(-len(frames) // size)
    for index in range(count):
        *part, last = frames[index * size : (index + 1) * size]
        behind = frames[(index + 1) * size : (index + 1) * size + 1]
        follows = bool(behind) and behind[0].follows(last)
        file = output / f"{split}-{index:05d}-of-{count:05d}.tfrecord"
        yield Shard(file, [*part, last], behind[0] if follows else None)


def _fingerprint(parts: dict[str, list[RawFrame]]) -> str:
    """Of the frames by name, so that a moved raw folder is the same one."""
    names = [
        [part, frame.sequence, frame.number, *(file.name for file in frame.files)]
        for part, frames in parts.items()
        for frame in frames
    ]
    return f"{len(names)} ({hashlib.sha256(json.dumps(names).encode()).hexdigest()[:8]})"


def _remember(output: Path, plan: dict[str, Any]) -> None:
    """Refuses a folder whose shards were made for another plan."""
    output.mkdir(parents=True, exist_ok=True)
    file = output / _PLAN
    now = json.loads(json.dumps(plan))
    before = json.loads(file.read_text()) if file.is_file() else now
    differing = list(_differences(before, now))
    if differing:
        raise UserError(
            f"{output}: holds records made otherwise ({'; '.join(differing[:5])}); set it alike, "
            "choose another --output, or delete that folder"
        )
    write_json(file, plan)


def _clear(output: Path) -> None:
    """Removes what a killed preparation left half written."""
    for partial in output.glob("*.partial"):
        partial.unlink(missing_ok=True)


def _differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif before != now:
        yield f"{name}: {before} there, {now} now"


def _make(shards: list[Shard], settings: Settings, workers: int) -> None:
    """Makes the shards that are missing, with a bar of frames."""
    missing = [shard for shard in shards if not shard.is_done]
    frames, left = (sum(len(shard.frames) for shard in some) for some in (shards, missing))
    with tqdm(
        desc="preparing", total=frames, initial=frames - left, unit="frame", disable=not missing
    ) as bar:
        processes.run(functools.partial(_write, settings), missing, workers, bar)


def _write(settings: Settings, shard: Shard, tick: Any) -> None:
    shard.write(settings, tick)


def _split(shards: list[Shard], frames: list[RawFrame]) -> Split:
    held = [shard.summary["shard"] for shard in shards]
    return Split(
        records=sum(shard["records"] for shard in held),
        pairs=sum(shard["pairs"] for shard in held),
        shards=held,
        sequences=sorted({frame.sequence for frame in frames}),
    )
