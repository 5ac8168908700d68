"""The palette of a run: measured on its training records once, then kept in its folder."""

import json
from pathlib import Path

import numpy as np
from scipy.cluster import vq
from tqdm import tqdm

from sflowgan_tf.config import Config
from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest, write_json
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.palette import ClassColors, ColorInput, Palette, frame_means
from sflowgan_tf.ops.settings import Regions
from sflowgan_tf.training.runs import Run
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError

_FRAMES = 2000  # of the training records, at most
_CLUSTERS = 8
_KEPT = 32  # frames whose colours can be drawn


def appearance(config: Config, folder: Path, manifest: Manifest, run: Run) -> ColorInput | None:
    """What a training gives its generator as colours; measured, where the run has no palette yet.

    Args:
        config: of the run.
        folder: where its records lie.
        manifest: theirs.
        run: whose palette is kept; one that is not begun gets a new one, as its records may have
            changed.

    Returns:
        None for `appearance.kind=none`.

    Raises:
        UserError: a record, or the run's palette, is damaged.
        Failure: the disk refuses the palette.
    """
    averaged = regions(config, manifest.classes)
    if averaged is None:
        return None
    if not (run.is_begun and run.palette.is_file()):
        measured = palette(folder, manifest, config.seed)
        with writing(run.palette):
            write_json(run.palette, measured.to_dict())
    return restored_appearance(config, manifest.classes, run)


def restored_appearance(config: Config, classes: ClassTable, run: Run) -> ColorInput | None:
    """What the generator of a run on disk is given as colours.

    Args:
        config: of the run.
        classes: of its label maps.
        run: with its palette.

    Returns:
        None for `appearance.kind=none`.

    Raises:
        UserError: the palette is missing or damaged.
    """
    averaged = regions(config, classes)
    if averaged is None:
        return None
    try:
        measured = Palette.from_dict(json.loads(run.palette.read_text()))
    except FileNotFoundError:
        raise UserError(
            f"{run.palette}: this run's palette is missing; the command that trained the run makes "
            "it anew"
        ) from None
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{run.palette}: damaged; delete it, and the command that trained the run makes it anew"
        ) from None
    return ColorInput(regions=averaged, palette=measured)


def regions(config: Config, classes: ClassTable) -> Regions | None:
    """Over which the colours of a configuration are averaged; None for `appearance.kind=none`.

    Raises:
        UserError: `appearance.fine` names a class that the table lacks.
    """
    if config.appearance.kind == "none":
        return None
    unknown = [name for name in config.appearance.fine if name not in classes.names]
    if unknown:
        raise UserError(
            f"appearance.fine: class table {classes.name!r} has no class {unknown[0]!r}; expected "
            f"some of {', '.join(classes.names)}"
        )
    fine = tuple(classes.names.index(name) for name in config.appearance.fine)
    return Regions(cell=config.appearance.cell, fine=fine)


def palette(folder: Path, manifest: Manifest, seed: int) -> Palette:
    """Measures the colours of the training frames.

    Args:
        folder: where the records lie.
        manifest: theirs.
        seed: from which the clusters begin, and of the frames that are kept.

    Raises:
        UserError: a record is damaged.
    """
    num_classes, split = manifest.classes.num_classes, manifest.splits["train"]
    real, simulator = [], []
    frames = pipeline.evenly_spaced(folder, manifest, "train", _FRAMES)
    count = min(split.records, _FRAMES)
    for frame in tqdm(frames, "measuring colours", count, unit="frame", leave=False):
        labels = frame["labels"].numpy()
        real.append(frame_means(labels, frame["image_real"].numpy(), num_classes))
        if manifest.has_cg:
            simulator.append(frame_means(labels, frame["image_cg"].numpy(), num_classes))
    means = np.stack(real)
    return Palette(
        real=ClassColors.of(means),
        simulator=ClassColors.of(np.stack(simulator)) if simulator else None,
        clusters=_clusters(means, seed),
        frames=np.random.default_rng(seed).permutation(means)[:_KEPT],
    )


def _clusters(means: np.ndarray, seed: int) -> np.ndarray:
    """The classes' colours in eight kinds of light, the commonest first, (8, C + 1, 3) float32.

    Args:
        means: (frames, C + 1, 3) of the frames, NaN where one lacks the class.
        seed: of the first centres.

    Returns:
        NaN where no frame of a kind has the class; the same ones over again where there are few.
    """
    absent = np.isnan(means)
    usual = ClassColors.of(means).mean
    whole = np.nan_to_num(np.where(absent, usual, means)).reshape(len(means), -1)
    whole = whole.astype(np.float64)
    number = min(_CLUSTERS, len(np.unique(whole, axis=0)))
    centres, _ = vq.kmeans(whole, number, rng=np.random.default_rng(seed))
    nearest, _ = vq.vq(whole, centres)
    kinds, sizes = np.unique(nearest, return_counts=True)
    ordered = kinds[np.argsort(-sizes, kind="stable")]
    return np.stack(
        [ClassColors.of(means[nearest == ordered[n % len(ordered)]]).mean for n in range(_CLUSTERS)]
    )
