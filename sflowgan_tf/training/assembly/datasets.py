"""The records that a configuration asks for: read and checked, or prepared from raw frames."""

from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from sflowgan_tf import config as settings
from sflowgan_tf import minicity
from sflowgan_tf.config import Config
from sflowgan_tf.data.manifest import NAME, Manifest
from sflowgan_tf.data.preparing.preparation import prepare
from sflowgan_tf.data.record_settings import RecordSettings
from sflowgan_tf.data.sources import find
from sflowgan_tf.ops.classes import ClassTable, table
from sflowgan_tf.training.assembly.class_comparison import class_differences
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.errors import UserError

_RAW = "raw"  # minicity's frames, beside its records


def records(config: Config, folder: Path) -> Manifest:
    """The manifest of the records that a training is configured for; minicity makes its own.

    Raises:
        UserError: there are none, or they were made with other settings.
    """
    if config.dataset == "minicity" and not (folder / NAME).is_file():
        return raw_records(config, None, folder, workers=None, skip_bad=False)
    manifest = Manifest.load(folder, config.dataset)
    differing = manifest.differences(record_settings(config.records, manifest.classes))
    if config.dataset == "minicity" and manifest.has_cg:  # without: replaced, perhaps by others
        differing += _drawn_otherwise(config.minicity, manifest, folder)
    is_shared = config.records.classes == "cityscapes"
    if is_shared and manifest.classes.names != table("cityscapes").names:
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


def record_settings(c: settings.Preparation, classes: ClassTable) -> RecordSettings:
    """The configured settings of records with the classes of their source.

    Raises:
        UserError: records.size is no size.
    """
    return RecordSettings(
        size=settings.size(c.size, "records.size"),
        classes=classes,
        edges=c.edges,
        flow=c.flow,
        validation_fraction=c.validation_fraction,
        validation_sequences=tuple(c.validation_sequences),
        frames_per_shard=c.frames_per_shard,
        seed=c.seed,
    )


def _drawn_otherwise(c: settings.Minicity, manifest: Manifest, folder: Path) -> list[str]:
    """In what the configured street differs from that of the records, as far as they tell."""
    splits = manifest.splits.values()
    sequences = sum(len(split.sequences) for split in splits)
    drawn = {"sequences": sequences, "frames": sum(split.records for split in splits) / sequences}
    raw = minicity.sequence_settings(folder / _RAW)
    if raw is not None:
        drawn["seed"] = raw["seed"]
    return [
        f"minicity.{key}: {getattr(c, key)} here, but {value:g} in the records"
        for key, value in drawn.items()
        if getattr(c, key) != value
    ]


def raw_records(
    config: Config, source: Path | None, output: Path, *, workers: int | None, skip_bad: bool
) -> Manifest:
    """Raw frames to records; see `data.preparing.preparation.prepare`.

    Minicity has no `source`: it draws itself into `output`/raw. `workers` of None: as many
    processes as pay for their start.

    Raises:
        UserError: no source, bad input, settings that do not fit what `output` holds, or another
            process is at work there.
    """
    if config.dataset == "minicity":
        if source is not None:
            raise UserError("--source: minicity draws its own raw frames; leave it out")
        source = _drawn_minicity(config, output / _RAW)
    if source is None:
        raise UserError(f"--source: say where the raw frames of {config.dataset} lie")
    raw = find(config.dataset, source, config.records.classes, config.records.left_out)
    table = replace(raw.table, snap_colors=config.records.snap_colors)
    how = record_settings(config.records, table)
    return prepare(raw, output, how, dataset=config.dataset, workers=workers, skip_bad=skip_bad)


def _drawn_minicity(config: Config, root: Path) -> Path:
    c = config.minicity
    size = settings.size(config.records.size, "records.size")
    with tqdm(desc="drawing", total=c.sequences * c.frames, unit="frame") as bar:

        def progress(done: int, total: int) -> None:
            bar.update(done - bar.n)

        street = {"sequences": c.sequences, "frames": c.frames, "seed": c.seed}
        minicity.write(root, size=size, progress=progress, **street)
    return root


def records_of(run: Run, chosen: Path | None, flag: str) -> tuple[Path, Manifest]:
    """Folder and manifest of records to evaluate or export a run of `fit` with.

    `chosen` is the folder that `flag` names; None for datasets/NAME, which must hold what the run
    was trained on.

    Raises:
        UserError: there are none, they are others, or their classes are.
    """
    dataset = settings.read(run.config).dataset
    folder = chosen or Path("datasets") / dataset
    manifest, trained = Manifest.load(folder, dataset), Manifest.load(run.manifest)
    differing = class_differences(trained.classes, manifest.classes)
    if differing:
        raise UserError(
            f"{flag} {folder}: run {run.folder} was trained on other classes ({differing}); name "
            "records of its classes"
        )
    if chosen is None and manifest != trained:
        raise UserError(
            f"{folder} holds other records than those that run {run.folder} was trained on; name "
            f"those with {flag}, or {flag} {folder} if you mean them"
        )
    return folder, manifest
