"""Raw frames to shards of records: in parallel, the same bytes however often interrupted.

The plan (which frame goes into which shard) is a function of the source and the settings. A second
start makes only the shards that are missing or damaged. The manifest comes last.
"""

import functools
import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sflowgan_tf.data import manifest as manifests
from sflowgan_tf.data.manifest import Manifest, Split, write_json
from sflowgan_tf.data.preparing import overview
from sflowgan_tf.data.preparing import workers as processes
from sflowgan_tf.data.preparing.shards import Shard
from sflowgan_tf.data.record_settings import RecordSettings, differences
from sflowgan_tf.data.sources.base import RawFrame, Source
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.locks import locked

_PLAN = "plan.json"  # what the shards beside it are made for
_FRAMES_A_WORKER = 100  # that take longer than it takes to start a process with TensorFlow


def prepare(
    source: Source,
    output: Path,
    settings: RecordSettings,
    *,
    dataset: str,
    workers: int | None,
    skip_bad: bool,
) -> Manifest:
    """Makes the records that are not there yet.

    Args:
        source: of `data.sources.find`.
        output: folder for shards and manifest; locked meanwhile.
        settings: of the records; its classes are the source's.
        dataset: name for the manifest, which is written and returned.
        workers: processes, 1 or more; 1 works in this one. None: as many as pay for their start,
            at most one a core.
        skip_bad: leave out bad frames and go on; the frame before has no successor then.

    Raises:
        UserError: bad input without `skip_bad`; `output` was begun with other settings or is locked
            by another process; the source can't be split.
        Failure: a worker process died, or a shard can't be written.
    """
    if not skip_bad:
        _check_complete(source.frames)
    s = settings
    with locked(output, "or use another folder"):
        parts = split_frames(source.frames, s.validation_fraction, s.validation_sequences, s.seed)
        shards = {
            name: list(_shards(name, frames, s.frames_per_shard, output))
            for name, frames in parts.items()
        }
        every = [shard for part in shards.values() for shard in part]
        plan = {"schema version": manifests.SCHEMA_VERSION, "dataset": dataset} | s.to_dict()
        _keep_plan(output, plan | {"raw frames": _fingerprint(parts)})
        _make(every, s, workers, skip_bad)
        manifest = Manifest(
            dataset=dataset,
            size=s.size,
            classes=s.classes,
            edges=s.edges,
            flow=s.flow,
            seed=s.seed,
            has_cg=source.has_cg,
            has_instances=source.has_instances,
            has_motion=source.has_motion,
            splits={name: _split(part, parts[name]) for name, part in shards.items()},
            skipped=[bad for shard in every for bad in shard.summary["skipped"]],
            stride=source.stride,
        )
        if not manifest.splits["train"].records:
            raise UserError(
                f"{output}: no frame is left for training, every one was bad; the first: "
                f"{' '.join(manifest.skipped[0].values())}"
            )
        manifest.save(output / manifests.NAME)
        overview.write(output, manifest)
        return manifest


def _check_complete(frames: list[RawFrame]) -> None:
    """Finds missing files before any work is done."""
    missing = [file for frame in frames for file in frame.files if not file.is_file()]
    if missing:
        others = f" (and {len(missing) - 1} others)" if missing[1:] else ""
        raise UserError(
            f"{missing[0]}: no such file{others}{_beside(missing[0])}; expected a label map for "
            "each image and the other way round; --skip-bad leaves such frames out"
        )


def _beside(missing: Path) -> str:
    """A clause about a file that has a missing one's name, but is of another kind."""
    alike = missing.parent.glob(f"{glob.escape(missing.stem)}.*")
    others = sorted(file.name for file in alike if file.name != missing.name)
    return f", only {others[0]}: convert it to PNG" if others else ""


def split_frames(
    frames: list[RawFrame], fraction: float, chosen: Sequence[str], seed: int
) -> dict[str, list[RawFrame]]:
    """Frames for "train" and "validation", no group in both.

    The names in `chosen`, of groups or sequences, come first, then the source's own split, then a
    drawn fraction of the groups, in [0, 1], at least one; 0 is none.

    Raises:
        UserError: a chosen name does not exist, or there are too few groups.
    """
    groups = sorted({frame.group for frame in frames})
    if chosen:
        group_of = {frame.group: frame.group for frame in frames}
        group_of |= {frame.sequence: frame.group for frame in frames}
        unknown = next((name for name in chosen if name not in group_of), None)
        if unknown is not None:
            raise UserError(
                f"records.validation_sequences: no sequence {unknown!r}; the {len(group_of)} names "
                f"that there are begin with {', '.join(sorted(group_of)[:20])}"
            )
        validation = {group_of[name] for name in chosen}
    elif frames[0].split is not None:
        validation = {frame.group for frame in frames if frame.split == "validation"}
    elif fraction:
        count = max(1, round(fraction * len(groups)))
        validation = set(np.random.default_rng(seed).permutation(groups)[:count].tolist())
    else:
        validation = set()
    if len(validation) == len(groups):
        raise UserError(
            f"nothing is left for training: all {len(groups)} sequences are for validation; add "
            "sequences, or set records.validation_fraction=0 to train without validation"
        )
    return {
        "train": [frame for frame in frames if frame.group not in validation],
        "validation": [frame for frame in frames if frame.group in validation],
    }


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


def _keep_plan(output: Path, plan: dict[str, Any]) -> None:
    """Refuses a folder whose shards were made for another plan."""
    file = output / _PLAN
    try:
        before = json.loads(file.read_text()) if file.is_file() else plan
    except ValueError:
        raise UserError(f"{file}: damaged, no JSON; prepare into another --output") from None
    for key in ("edges", "classes"):  # may be of a version that had fewer settings
        usual = asdict(EdgeSettings()) if key == "edges" else plan["classes"]
        if isinstance(before.get(key), dict):
            before[key] = usual | before[key]
    differing = list(differences(plan, before, prefix=""))
    if differing:
        raise UserError(
            f"{output}: holds records that were made otherwise ({'; '.join(differing[:5])}); set "
            "it alike, or prepare into another folder"
        )
    write_json(file, plan)
    for partial in output.glob("*.partial"):  # which earlier versions left where they were killed
        if partial.is_file():
            partial.unlink(missing_ok=True)


def _make(
    shards: list[Shard], settings: RecordSettings, workers: int | None, skip_bad: bool
) -> None:
    """Makes the shards that are missing or damaged, with a bar of frames."""
    checked = tqdm(shards, desc="checking", unit="file", leave=False)
    missing = [shard for shard in checked if not shard.is_whole]
    frames, left = (sum(len(shard.frames) for shard in some) for some in (shards, missing))
    with tqdm(
        desc="preparing", total=frames, initial=frames - left, unit="frame", disable=not missing
    ) as bar:
        if workers is None:
            workers = min(os.cpu_count() or 1, max(1, left // _FRAMES_A_WORKER))
        work = functools.partial(Shard.write, settings=settings, skip_bad=skip_bad)
        processes.run(work, missing, workers, bar)


def _split(shards: list[Shard], frames: list[RawFrame]) -> Split:
    summaries = [shard.summary for shard in shards]
    entries = [summary["shard"] for summary in summaries]
    counts = [summary["class pixels"] for summary in summaries if "class pixels" in summary]
    is_counted = counts and len(counts) == len(summaries)
    return Split(
        records=sum(entry["records"] for entry in entries),
        pairs=sum(entry["pairs"] for entry in entries),
        shards=entries,
        sequences=sorted({frame.sequence for frame in frames}),
        class_pixels=np.sum(counts, axis=0).tolist() if is_counted else [],
    )
