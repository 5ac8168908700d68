"""How far the versions of a scene lie apart, beside how far scenes do.

From the repository's root, of a trained model and records that it was not trained on:

    python -m benchmarks.versions MODEL --data RECORDS [--segmenter NAME]

The distances are those of `evaluate --metrics diversity`: mean perceptual distance by HED's
features between two pictures. The table's rows:

- scenes: between pictures of different scenes, each painted as `translate` does if nothing is said.
- DNED's weights: between versions of a scene whose weights are drawn.
- appearance: between versions of a scene whose colours are drawn, `translate --appearance random`.
- both: both are drawn.

Its columns: the distance, the distance as a share of that between scenes and, with a segmenter, the
mIoU of the pictures against the scenes' labels.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from sflowgan_tf.utils import cli
from sflowgan_tf.utils.quiet import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from sflowgan_tf.data.dataset import Records  # noqa: E402
from sflowgan_tf.data.pipeline import evenly_spaced  # noqa: E402
from sflowgan_tf.evaluation.metrics.diversity import diversity  # noqa: E402
from sflowgan_tf.evaluation.metrics.segmentation import Confusion  # noqa: E402
from sflowgan_tf.evaluation.segmenting import judges  # noqa: E402
from sflowgan_tf.loading import load  # noqa: E402
from sflowgan_tf.networks.hed import HEDFeatures  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble_weights  # noqa: E402
from sflowgan_tf.translation.model import Model  # noqa: E402

KINDS = {"DNED's weights": (True, False), "appearance": (False, True), "both": (True, True)}


def versions(
    model: Model, frame: dict[str, Any], count: int, *, weights: bool, colors: bool
) -> np.ndarray:
    """Pictures of a scene, (count, height, width, 3) uint8 RGB; seeds of the draws are 0, 1, ..."""
    drawn = ensemble_weights(count, 0)
    palette = model.palette if colors else None
    return np.stack(
        [
            model.translate(
                frame["labels"],
                frame["image_cg"],
                drawn[seed] if weights else None,
                appearance=None if palette is None else palette.drawn(seed),
            )
            for seed in range(count)
        ]
    )


def flags() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versions",
        description="Measures how far the versions of scenes lie apart.",
    )
    parser.add_argument("model", help="run, exported or released model")
    parser.add_argument("--data", type=Path, required=True, help="records with simulator's frames")
    parser.add_argument("--segmenter", help="run of `segment fit`")
    several = partial(cli.natural, least=2)
    parser.add_argument("--scenes", type=several, default=16)
    parser.add_argument("--versions", type=several, default=6)
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Paints, and prints the table."""
    model, records = load(parsed.model), Records(parsed.data, "validation")
    features = HEDFeatures(slices=5)
    features.build((None, None, None, 3))
    judge = parsed.segmenter and judges.find(parsed.segmenter, records.classes)
    kinds = {kind: drawn for kind, drawn in KINDS.items() if model.palette or not drawn[1]}
    confusions = {kind: Confusion(records.classes.num_classes) for kind in ("scenes", *kinds)}

    def judged(kind: str, frame: dict[str, Any], pictures: np.ndarray) -> None:
        if judge:
            for seen in judge.segment(pictures):
                confusions[kind].update(frame["labels"], seen)

    scenes: list[np.ndarray] = []
    distances: dict[str, list[float]] = {kind: [] for kind in kinds}
    count = min(parsed.scenes, len(records))
    chosen = evenly_spaced(records.folder, records.manifest, "validation", count)
    for tensors in tqdm(chosen, total=count, unit="scene"):
        frame = {name: value.numpy() for name, value in tensors.items()}
        scenes.append(model.translate(frame["labels"], frame["image_cg"]))
        judged("scenes", frame, scenes[-1][None])
        for kind, (weights, colors) in kinds.items():
            pictures = versions(model, frame, parsed.versions, weights=weights, colors=colors)
            distances[kind].append(diversity(pictures, features))
            judged(kind, frame, pictures)
    between = diversity(np.stack(scenes), features)
    means = {"scenes": between, **{kind: float(np.mean(d)) for kind, d in distances.items()}}
    print(f"{'':<16}{'distance':>10}{'of scenes':>12}{'mIoU':>8}")
    for kind, mean in means.items():
        mean_iou = confusions[kind].scores(void_wrong=False).mean_iou if judge else None
        seen = "" if mean_iou is None else f"{100 * mean_iou:.1f}"
        print(f"{kind:<16}{mean:>10.3f}{mean / between:>12.2f}{seen:>8}")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
