"""Raw frames to shards of records: in parallel, resumable, the same bytes however often interrupted.

The plan (which frame goes into which shard) is a function of the source and the settings. A shard is
written beside its place and then renamed, after a small file that says what it holds. So a shard that
is there is whole, and a second start makes only those that are missing. The manifest comes last.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from sflowgan_tf.data import manifest as manifests
from sflowgan_tf.data import records
from sflowgan_tf.data.files import read_image, read_labels, resize
from sflowgan_tf.data.flow import dense_flow
from sflowgan_tf.data.manifest import Manifest, Split, write_json
from sflowgan_tf.data.sources.base import RawFrame, Source
from sflowgan_tf.errors import Failure, UserError
from sflowgan_tf.ops.edges import laplacian_edges
from sflowgan_tf.ops.labels import ClassTable
from sflowgan_tf.quiet import import_tensorflow

_PLAN = "plan.json"  # of an unfinished preparation; says for which settings its shards were made


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the bytes of a record besides its frame."""

    size: tuple[int, int]
    table: ClassTable
    edges: dict[str, float]
    flow: dict[str, Any]
    skip_bad: bool


@dataclass(frozen=True)
class Job:
    """One shard: its file, its frames, and the frame behind its last one, if consecutive."""

    file: Path
    frames: list[RawFrame]
    next_frame: RawFrame | None


def prepare(
    source: Source,
    output: Path,
    *,
    dataset: str,
    size: tuple[int, int],
    edges: dict[str, float],
    flow: dict[str, Any],
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
        edges: threshold and blur of `ops.edges.laplacian_edges`.
        flow: parameters of `data.flow.dense_flow`.
        validation_fraction: of the groups, where the source has no split of its own.
        validation_sequences: names of groups or sequences for validation, instead of a fraction.
        frames_per_shard: at most.
        seed: of the choice of validation groups.
        workers: processes; 1 works in this one.
        skip_bad: leave out bad frames and go on; the frame before has no successor then.

    Returns:
        The manifest, which is also written.

    Raises:
        UserError: bad input without `skip_bad`; `output` was begun with other settings; the source
            can't be split.
    """
    split = split_frames(source.frames, validation_fraction, validation_sequences, seed)
    jobs = {name: list(_jobs(name, frames, frames_per_shard, output)) for name, frames in split.items()}
    settings = Settings(size=size, table=source.table, edges=edges, flow=flow, skip_bad=skip_bad)
    output.mkdir(parents=True, exist_ok=True)
    _remember_plan(output, dataset, settings, jobs)
    _run([job for shards in jobs.values() for job in shards], settings, workers)

    done = {name: [_summary(job) for job in shards] for name, shards in jobs.items()}
    manifest = Manifest(
        dataset=dataset,
        size=size,
        classes=source.table,
        edges=edges,
        flow=flow,
        seed=seed,
        has_cg=source.has_cg,
        splits={
            name: _split([summary["shard"] for summary in done[name]], frames)
            for name, frames in split.items()
        },
        skipped=[bad for summaries in done.values() for s in summaries for bad in s["skipped"]],
    )
    if not manifest.splits["train"].records:
        raise UserError(f"{output}: no frame is left for training; every one of them was bad")
    manifest.save(output / manifests.NAME)
    return manifest


def _split(shards: list[dict[str, Any]], frames: list[RawFrame]) -> Split:
    return Split(
        records=sum(shard["records"] for shard in shards),
        pairs=sum(shard["pairs"] for shard in shards),
        shards=shards,
        sequences=sorted({frame.sequence for frame in frames}),
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
            known = ", ".join(sorted(named)[:20])
            raise UserError(f"records.validation_sequences: no sequence {name!r}; there are {known}")
    return {named[name] for name in chosen}


def _jobs(split: str, frames: list[RawFrame], per_shard: int, output: Path) -> Iterator[Job]:
    count = -(-len(frames) // per_shard)
    for index in range(count):
        start = index * per_shard
        part = frames[start : start + per_shard]
        behind = frames[start + per_shard : start + per_shard + 1]
        follows = bool(behind) and _consecutive(part[-1], behind[0])
        file = output / f"{split}-{index:05d}-of-{count:05d}.tfrecord"
        yield Job(file, part, behind[0] if follows else None)


def _consecutive(first: RawFrame, second: RawFrame) -> bool:
    return first.sequence == second.sequence and second.number == first.number + 1


def _remember_plan(
    output: Path, dataset: str, settings: Settings, jobs: dict[str, list[Job]]
) -> None:
    """Refuses a folder whose shards were made for other frames or settings."""
    listed = [
        [job.file.name, [[str(path) for path in _files(frame)] for frame in job.frames]]
        for shards in jobs.values()
        for job in shards
    ]
    plan = {
        "dataset": dataset,
        "size": list(settings.size),
        "classes": settings.table.name,
        "edges": settings.edges,
        "flow": settings.flow,
        "skip_bad": settings.skip_bad,
        "frames": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
    }
    file = output / _PLAN
    if file.is_file():
        before = json.loads(file.read_text())
        differing = [
            f"{key}: {before.get(key)} -> {plan[key]}" for key in plan if before.get(key) != plan[key]
        ]
        if differing:
            raise UserError(
                f"{output} holds records made otherwise ({'; '.join(differing)}); choose another "
                "--output or delete that folder's records"
            )
    write_json(file, plan)


def _files(frame: RawFrame) -> list[Path]:
    return [path for path in (frame.labels, frame.image_real, frame.image_cg) if path is not None]


def _run(jobs: list[Job], settings: Settings, workers: int) -> None:
    """Makes the shards that are missing, with a bar of frames."""
    missing = [job for job in jobs if not (job.file.is_file() and _sidecar(job).is_file())]
    total = sum(len(job.frames) for job in jobs)
    left = sum(len(job.frames) for job in missing)
    with tqdm(
        desc="preparing", total=total, initial=total - left, unit="frame", disable=not missing
    ) as bar:
        if workers == 1 or len(missing) < 2:
            for job in missing:
                bar.update(write_shard(job, settings))
        else:
            _run_parallel(missing, settings, workers, bar)


def _run_parallel(jobs: list[Job], settings: Settings, workers: int, bar: tqdm) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=import_tensorflow) as pool:
        running = [pool.submit(write_shard, job, settings) for job in jobs]
        try:
            for done in as_completed(running):
                bar.update(done.result())
        except BrokenProcessPool:
            raise Failure("a worker died, perhaps of too little memory; try fewer --workers") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _sidecar(job: Job) -> Path:
    return job.file.with_suffix(".json")


def _summary(job: Job) -> dict[str, Any]:
    return json.loads(_sidecar(job).read_text())


def write_shard(job: Job, settings: Settings) -> int:
    """Writes one shard and what it holds; returns how many frames were looked at.

    Raises:
        UserError: a bad frame, unless `skip_bad`.
    """
    partial = job.file.with_name(f"{job.file.name}.partial")
    count, pairs, skipped = 0, 0, []
    with tf.io.TFRecordWriter(str(partial)) as writer:
        for record, is_pair in _records(job, settings, skipped):
            writer.write(record)
            count, pairs = count + 1, pairs + is_pair
    shard = {"file": job.file.name, "records": count, "pairs": pairs}
    write_json(_sidecar(job), {"shard": shard, "skipped": skipped})
    partial.rename(job.file)
    return len(job.frames)


@dataclass(frozen=True)
class _Prepared:
    raw: RawFrame
    image: np.ndarray
    coded: records.Coded


def _records(
    job: Job, settings: Settings, skipped: list[dict[str, str]]
) -> Iterator[tuple[bytes, bool]]:
    """Each frame's record and whether it has a successor; every frame is read once."""
    before: _Prepared | None = None
    for raw in [*job.frames, job.next_frame]:
        # The frame behind the last one belongs to the next shard, which reports it if it is bad.
        reported = skipped if raw is not job.next_frame else []
        prepared = raw and _read_or_skip(raw, settings, reported)
        if before is not None:
            pair = prepared is not None and _consecutive(before.raw, prepared.raw)
            yield _record(before, prepared if pair else None, settings), pair
        before = prepared


def _record(first: _Prepared, second: _Prepared | None, settings: Settings) -> bytes:
    place = {"sequence": first.raw.sequence, "frame": first.raw.number}
    if second is None:
        return records.serialize([first.coded], None, **place)
    flow = dense_flow(first.image, second.image, **settings.flow)
    return records.serialize([first.coded, second.coded], flow, **place)


def _read_or_skip(
    raw: RawFrame, settings: Settings, skipped: list[dict[str, str]]
) -> _Prepared | None:
    try:
        return _read(raw, settings)
    except UserError as error:
        if not settings.skip_bad:
            raise UserError(f"{error} (--skip-bad leaves such frames out)") from None
        skipped.append({"file": str(raw.labels), "reason": str(error)})
        return None


def _read(raw: RawFrame, settings: Settings) -> _Prepared:
    labels = read_labels(raw.labels, settings.table)
    real = _read_fitting(raw.image_real, labels, raw.labels)
    cg = None if raw.image_cg is None else _read_fitting(raw.image_cg, labels, raw.labels)
    real, cg = resize(real, settings.size), cg if cg is None else resize(cg, settings.size)
    coded = records.code(
        resize(labels, settings.size),
        _edges(real, settings),
        real,
        cg,
        None if cg is None else _edges(cg, settings),
    )
    return _Prepared(raw, real, coded)


def _read_fitting(file: Path, labels: np.ndarray, labels_file: Path) -> np.ndarray:
    image = read_image(file)
    if image.shape[:2] != labels.shape:
        sizes = [f"{a.shape[1]}x{a.shape[0]}" for a in (image, labels)]
        raise UserError(
            f"{file} is {sizes[0]}, but its label map {labels_file} is {sizes[1]}; expected one size"
        )
    return image


def _edges(image: np.ndarray, settings: Settings) -> np.ndarray:
    return np.asarray(laplacian_edges(image[None], **settings.edges))[0].astype(np.uint8)
