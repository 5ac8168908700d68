"""Trains the segmenter that scores pictures: records in, a run with its mean IoU out."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf.utils import cli

if TYPE_CHECKING:
    from sflowgan_tf.config import Config
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.training.runs import Run


def flags() -> argparse.ArgumentParser:
    """What `segment` takes."""
    parser = cli.parser(
        "segment",
        "Trains a PSPNet on a dataset's real frames. The same command again goes on where it "
        "stopped.",
        "fit --dataset cityscapes segmenter.epochs=50",
    )
    parser.add_argument("action", choices=["fit"], help="train")
    cli.add_training_flags(parser, run="the configuration's name with -segmenter")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Finds or makes the records, then trains and scores."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training import resuming
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.quiet import import_tensorflow

    given = ["task=segmentation"] + ([f"seed={parsed.seed}"] if parsed.seed is not None else [])
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides + given)
    run = Run.named(parsed.run or f"{cli.configuration_name(parsed)}-segmenter")
    resuming.check_same(config, run)

    import_tensorflow()
    from sflowgan_tf.training import assembly

    folder = parsed.data or Path("datasets") / parsed.dataset
    manifest = assembly.records(config, folder)
    resuming.remember(config, manifest, folder, run)
    _train(config, manifest, folder, run)


def _train(config: "Config", manifest: "Manifest", folder: Path, run: "Run") -> None:
    """Epoch after epoch from the latest checkpoint on, then the scores."""
    from sflowgan_tf.evaluation.segmenting.training import SegmenterTraining
    from sflowgan_tf.training import assembly, resuming

    assembly.reproducible(config.seed)
    training = SegmenterTraining(config, manifest, folder, run)
    with resuming.saved_when_stopped(training.checkpoints, folder, manifest):
        training.run()
        print(training.report())
    resuming.say_where(run, "segments")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
