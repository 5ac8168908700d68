"""Trained runs on films of minicity that they have not seen: how steady, how close to the real one.

Each frame's labels and simulator's picture are painted as `translate` does by default, with equal
ensemble weights. From the repository's root:

    python -m benchmarks.steadiness --run NAME [--run NAME ...]

The table's columns:

- warping error, flicker: `metrics.temporal`, with the exact flow and mask; of the range.
- excess: what the two exceed the real rendering's by. Its film is the floor: shading, resampling,
  what the mask misses, and the sensor's noise, which no painter draws anew in each frame; so the
  excess may be negative.
- change: of the error itself, against the first run.
- L1, SSIM: to the real rendering; L1 of the range, in the mean of pixels and channels.
- Frechet: distance between the sets of both films' patches of 32x32 pixels, each described by the
  means of 56 fixed random VGG features over it (relu1_1, relu2_1, relu3_1). Patches are many more
  than features, as whole frames would not be. It compares only within one table.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sflowgan_tf import cli
from sflowgan_tf import config as settings
from sflowgan_tf.errors import UserError
from sflowgan_tf.quiet import import_tensorflow
from sflowgan_tf.runs import Run

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tqdm import tqdm  # noqa: E402

from sflowgan_tf import build  # noqa: E402
from sflowgan_tf.data import minicity  # noqa: E402
from sflowgan_tf.metrics.frechet import frechet_distance  # noqa: E402
from sflowgan_tf.metrics.temporal import Steadiness  # noqa: E402
from sflowgan_tf.networks.vgg import VGG19Features  # noqa: E402
from sflowgan_tf.ops import images  # noqa: E402
from sflowgan_tf.ops.ensemble import ensemble_weights  # noqa: E402

REAL, CG = "real rendering", "simulator's frames"
PATCH, SLICES, FILTERS = 32, 3, 8

Painter = Callable[[minicity.Frame], np.ndarray]


@dataclass
class Film:
    """What is kept of a film while it runs by."""

    steadiness: Steadiness = field(default_factory=Steadiness)
    l1: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    patches: list[np.ndarray] = field(default_factory=list)

    def add(self, picture: np.ndarray, real: np.ndarray, vgg: VGG19Features) -> None:
        """Compares a frame with the real rendering; both (height, width, 3) uint8."""
        self.l1.append(float(np.abs(picture / 255 - real / 255).mean()))
        self.ssim.append(float(tf.image.ssim(tf.constant(picture), tf.constant(real), 255)))
        self.patches.append(patch_features(vgg, picture))


def patch_features(vgg: VGG19Features, picture: np.ndarray) -> np.ndarray:
    """(patches, features): each feature's mean over each patch of a picture."""
    means = [
        tf.nn.avg_pool2d(values, PATCH >> level, PATCH >> level, "VALID")
        for level, values in enumerate(vgg(images.to_signed(picture[None])))
    ]
    features = tf.concat(means, -1).numpy()
    return features.reshape(-1, features.shape[-1])


def painter(name: str) -> Painter:
    """What a run makes of a frame."""
    translator, manifest, _ = build.restored_translator(Run.existing(name))
    equal = tf.constant(ensemble_weights(1, 0))

    def paint(frame: minicity.Frame) -> np.ndarray:
        edges = translator.redraw(translator.laplacian(tf.constant(frame.image_cg[None])), equal)
        labels = manifest.classes.encode(frame.labels)
        return translator.paint(tf.constant(labels[None]), edges)[0].numpy()

    return paint


def films(
    painters: dict[str, Painter], parsed: argparse.Namespace, size: tuple[int, int]
) -> dict[str, Film]:
    """Draws the sequences and shows them to all painters; nothing but the measures is kept."""
    vgg = VGG19Features("random", slices=SLICES, filters=FILTERS)
    vgg.build((None, None, None, 3))
    shown = {name: Film() for name in painters}
    bar = tqdm(total=parsed.sequences * parsed.frames, unit="frame")
    for index in range(parsed.sequences):
        earlier: Any = None
        before: dict[str, np.ndarray] = {}
        for frame in minicity.sequence(parsed.seed, index, parsed.frames, size):
            pictures = {name: paint(frame) for name, paint in painters.items()}
            for name, film in shown.items():
                film.add(pictures[name], pictures[REAL], vgg)
                if earlier:
                    film.steadiness.update(
                        before[name], pictures[name], earlier.flow, earlier.flow_valid
                    )
            earlier, before = frame, pictures
            bar.update()
    bar.close()
    return shown


def rows(shown: dict[str, Film], first: str) -> list[list[str]]:
    """The table's cells, one row a film."""
    errors = {name: film.steadiness.result() for name, film in shown.items()}
    table = []
    for name, film in shown.items():
        cells = [name]
        for kind, value in errors[name].items():
            change = value / errors[first][kind] - 1
            cells += [f"{value:.4f}", f"{value - errors[REAL][kind]:+.4f}", f"{change:+.1%}"]
        distance = frechet_distance(
            np.concatenate(shown[REAL].patches), np.concatenate(film.patches)
        )
        cells += [f"{np.mean(film.l1):.4f}", f"{np.mean(film.ssim):.4f}", f"{distance:.4f}"]
        table.append(cells)
    return table


def flags() -> argparse.ArgumentParser:
    """What the benchmark takes."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.steadiness",
        description="Measures how steady trained runs are on unseen films.",
    )
    add = parser.add_argument
    add("--run", required=True, action="append", metavar="NAME", help="of minicity; repeatable")
    add("--sequences", type=int, default=6, metavar="N", help="streets to drive along; 6")
    add("--frames", type=int, default=12, metavar="N", help="of each, at least 2; 12")
    add("--seed", type=int, default=1000, metavar="S", help="of the streets; 1000")
    return parser


def size_of(runs: list[str], seed: int) -> tuple[int, int]:
    """The size that all runs were trained with, if none was with these streets."""
    configs = {name: settings.read(Run.existing(name).config) for name in runs}
    for name, config in configs.items():
        if config.dataset != "minicity":
            raise UserError(f"--run {name}: trained on {config.dataset}, expected minicity")
        if config.minicity.seed == seed:
            raise UserError(f"--seed {seed}: run {name} was trained on these streets; take another")
    sizes = {config.records.size for config in configs.values()}
    if len(sizes) > 1:
        raise UserError(f"--run: expected runs of one size, got {', '.join(sorted(sizes))}")
    return settings.size(sizes.pop(), "records.size")


def work(parsed: argparse.Namespace) -> None:
    """Prints the table."""
    if parsed.sequences < 1 or parsed.frames < 2:
        raise UserError("--sequences, --frames: expected at least 1 sequence of 2 frames")
    size = size_of(parsed.run, parsed.seed)
    painters: dict[str, Painter] = {
        REAL: lambda frame: frame.image_real,
        CG: lambda frame: frame.image_cg,
    }
    painters |= {name: painter(name) for name in parsed.run}
    shown = films(painters, parsed, size)
    error = ["excess", "change"]
    titles = ["film", "warping error", *error, "flicker", *error, "L1", "SSIM", "Frechet"]
    print(f"{parsed.sequences} sequences of {parsed.frames} frames, {size[0]}x{size[1]}\n")
    for cells in (titles, ["---"] * len(titles), *rows(shown, parsed.run[0])):
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(cli.run(flags(), work))
