"""The records that a configuration asks for: found, checked, or made from raw frames."""

import os
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from sflowgan_tf import config as settings
from sflowgan_tf import minicity
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import NAME, Manifest
from sflowgan_tf.data.preparing.preparation import prepare
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import table
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError

_RAW = "raw"  # minicity's frames, beside its records


def records(config: Config, folder: Path) -> Manifest:
    """The manifest of the records that a training is configured for; minicity makes its own.

    Raises:
        UserError: there are none, or they were made with other settings.
    """
    if config.dataset == "minicity" and not (folder / NAME).is_file():
        return raw_records(config, None, folder, workers=os.cpu_count() or 1, skip_bad=False)
    manifest = Manifest.load(folder, config.dataset)
    c = config.records
    expected = {"size": c.size, "edges": asdict(c.edges), "flow": asdict(c.flow), "seed": c.seed}
    found = {
        "size": f"{manifest.size[0]}x{manifest.size[1]}",
        "edges": asdict(manifest.edges),
        "flow": asdict(manifest.flow),
        "seed": manifest.seed,
    }
    differing = [
        f"records.{key}: {value} here, but {found[key]} in the records"
        for key, value in expected.items()
        if found[key] != value
    ]
    if config.dataset == "minicity":
        differing += _drawn_otherwise(config.minicity, manifest, folder)
    if c.classes == "cityscapes" and manifest.classes.names != table("cityscapes").names:
        differing.append(f"records.classes: cityscapes here, but {manifest.classes.name} there")
    if differing:
        raise UserError(
            f"{folder} was prepared with other settings ({'; '.join(differing)}); set them alike, "
            "or prepare into another folder and name it with --data"
        )
    if config.edge_map == "instances" and not manifest.has_instances:
        raise UserError(
            f"edge_map=instances: the records in {folder} hold no instances; prepare them from a "
            "source that has instance maps (see datasets/README.md), or set another edge_map"
        )
    return manifest


def _drawn_otherwise(c: settings.Minicity, manifest: Manifest, folder: Path) -> list[str]:
    """In what minicity's records are not those that are configured; of what can be seen of it."""
    splits = manifest.splits.values()
    sequences = sum(len(split.sequences) for split in splits)
    found = {"sequences": sequences, "frames": sum(split.records for split in splits) / sequences}
    raw = minicity.made_with(folder / _RAW)
    if raw is not None:
        found["seed"] = raw["seed"]
    return [
        f"minicity.{key}: {getattr(c, key)} here, but {value:g} in the records"
        for key, value in found.items()
        if getattr(c, key) != value
    ]


def raw_records(
    config: Config, source: Path | None, output: Path, *, workers: int, skip_bad: bool
) -> Manifest:
    """Raw frames to records; see `data.preparation.prepare`.

    Args:
        config: its `records`, and for minicity what is drawn.
        source: the raw dataset; minicity draws itself into `output`/raw without one.
        output: for the records.
        workers: processes.
        skip_bad: leave out bad frames instead of stopping.

    Raises:
        UserError: no source, bad input, or settings that do not fit what `output` holds.
    """
    if config.dataset == "minicity":
        if source is not None:
            raise UserError("--source: minicity draws its own raw frames; leave it out")
        source = _drawn_minicity(config, output / _RAW)
    if source is None:
        raise UserError(f"--source: say where the raw frames of {config.dataset} lie")
    c = config.records
    return prepare(
        find(config.dataset, source, c.classes),
        output,
        dataset=config.dataset,
        size=settings.size(c.size, "records.size"),
        edges=c.edges,
        flow=c.flow,
        validation_fraction=c.validation_fraction,
        validation_sequences=c.validation_sequences,
        frames_per_shard=c.frames_per_shard,
        seed=c.seed,
        workers=workers,
        skip_bad=skip_bad,
    )


def _drawn_minicity(config: Config, root: Path) -> Path:
    c = config.minicity
    with tqdm(desc="drawing", total=c.sequences * c.frames, unit="frame") as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done - bar.n)

        minicity.write(
            root,
            sequences=c.sequences,
            frames=c.frames,
            size=settings.size(config.records.size, "records.size"),
            seed=c.seed,
            progress=progress,
        )
    return root


def records_of(run: Run, given: Path | None, flag: str) -> tuple[Path, Manifest]:
    """Records to look at what a run learnt.

    Args:
        run: of `fit`.
        given: their folder; None for datasets/NAME, which must hold what the run was trained on.
        flag: that names the folder.

    Returns:
        The folder and its manifest.

    Raises:
        UserError: there are none, they are others, or their classes are.
    """
    dataset = settings.read(run.config).dataset
    folder = given or Path("datasets") / dataset
    manifest, trained = Manifest.load(folder, dataset), Manifest.load(run.manifest)
    if manifest.classes.names != trained.classes.names:
        raise UserError(
            f"{flag} {folder}: has the classes of table {manifest.classes.name}; run "
            f"{run.folder} was trained on those of {trained.classes.name}"
        )
    if given is None and manifest != trained:
        raise UserError(
            f"{folder} holds other records than those that run {run.folder} was trained on; name "
            f"those with {flag}, or {flag} {folder} if you mean them"
        )
    return folder, manifest
