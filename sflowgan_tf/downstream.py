"""Says what painted frames are worth: trains segmenters on them, tests these on real frames."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli


def flags() -> argparse.ArgumentParser:
    """What `downstream` takes."""
    parser = cli.parser(
        "downstream",
        "Trains a segmenter on a simulator's frames, one on what a model paints of them and one on "
        "real frames, of the same scenes or of others, all alike, and tests each on real frames. "
        "The same command again goes on where it stopped.",
        "--run first --dataset synthia --seeds 3 segmenter.epochs=20",
    )
    add = parser.add_argument
    add("--run", required=True, metavar="NAME", help="that paints: a folder in runs/, or its path")
    add("--dataset", required=True, metavar="NAME", help="finds configs/NAME.yaml, datasets/NAME")
    add("--data", type=Path, metavar="DIR", help="records; datasets/NAME by default")
    add(
        "--real",
        type=Path,
        metavar="DIR",
        help="records of real frames; if not given, those in --data; with it, --data may hold a "
        "simulator's frames as its photos",
    )
    add("--config", type=Path, metavar="FILE", help="another YAML file, or the name of one")
    add("--output", type=Path, metavar="DIR", help="runs/NAME-downstream by default")
    add("--seeds", type=cli.positive, default=1, metavar="N", help="segmenters of each kind; 1")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Figures and a sheet."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.quiet import import_tensorflow

    config = settings.load(parsed.dataset, parsed.config, parsed.overrides, task="segmentation")
    painter = Run.existing(parsed.run)

    import_tensorflow()
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.evaluation import downstream
    from sflowgan_tf.evaluation.reference import Reference
    from sflowgan_tf.training import assembly

    folder = parsed.data or Path("datasets") / parsed.dataset
    manifest = assembly.records(config, folder)
    output = parsed.output or Path("runs") / f"{painter.folder.name}-downstream"
    scenes = real = Reference(folder=folder, manifest=manifest, split="train")
    if parsed.real is not None:
        real = Reference(folder=parsed.real, manifest=Manifest.load(parsed.real), split="train")
    compared = downstream.Downstream(config, scenes, real, painter, output)
    print("\n".join(downstream.report(compared.work(parsed.seeds))))
    print(f"Figures: {output / downstream.FIGURES}")
    print(f"Sheet:   {output / downstream.SHEET}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
