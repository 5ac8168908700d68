"""What an evaluation can't measure, for want of a network or of frames: refused or noted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict

from sflowgan_tf.evaluation.measuring import Instruments
from sflowgan_tf.evaluation.metrics.appearance import SMALLEST_SIDE
from sflowgan_tf.evaluation.networks import FEWEST_OF_I3D
from sflowgan_tf.evaluation.reference import Reference
from sflowgan_tf.evaluation.subjects import Files, Painted
from sflowgan_tf.ops.settings import EdgeSettings
from sflowgan_tf.utils.errors import UserError


def refuse(
    groups: Collection[str],
    subject: Painted | Files,
    reference: Reference,
    instruments: Instruments,
) -> None:
    """Refuses to leave out groups of metrics that were asked for by name with --metrics.

    Raises:
        UserError: one can't be measured, or the frames are too small for any.
    """
    width, height = reference.manifest.size
    if min(width, height) < SMALLEST_SIDE:
        raise UserError(
            f"--reference {reference.folder}: frames of {width}x{height}; pictures are scored from "
            f"{SMALLEST_SIDE} pixels a side on: prepare records of a larger --size"
        )
    if "segmentation" in groups and instruments.segment is None:
        raise UserError("--metrics segmentation: needs a --segmenter")
    if "diversity" in groups and not subject.varies:
        raise UserError(
            "--metrics diversity: needs a --run that paints from the DNED's edges, which alone "
            "give a scene several versions"
        )
    if "temporal" in groups and not reference.pairs:
        raise UserError(
            "--metrics temporal: the reference holds no two consecutive frames; prepare records "
            "of sequences"
        )


def notes(
    groups: Collection[str],
    subject: Painted | Files,
    reference: Reference,
    instruments: Instruments,
) -> Iterator[str]:
    """Sentences on wanted metrics that were left out, and on edges unlike those of training."""
    if "segmentation" in groups and instruments.segment is None:
        yield "Segmentation was left out: name a --segmenter."
    if "distribution" in groups and instruments.clip_features is None:
        yield (
            f"FVD was left out: the clips of the reference have {instruments.window} frames; "
            f"it takes {FEWEST_OF_I3D} with --i3d, or else 2."
        )
    if not isinstance(subject, Painted):
        return
    if not reference.manifest.has_cg:
        yield "The reference has no simulator's frames: edges are the real frames' own."
    translator, edges = subject.translator, reference.manifest.edges
    sees_edges = translator.dned_sees == "edges" or not translator.redraws
    trained = translator.edge_settings
    if sees_edges and translator.edge_map == "laplacian" and trained != edges:
        yield (
            f"The reference's edges were made with {_in_words(edges)}, those of the run's "
            f"training and of `translate` with {_in_words(trained)}; for the pictures that "
            "`translate` paints, prepare the reference with these."
        )


def _in_words(edges: EdgeSettings) -> str:
    return ", ".join(f"records.edges.{name}={value:g}" for name, value in asdict(edges).items())
