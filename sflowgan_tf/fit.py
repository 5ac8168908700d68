"""Trains: records in, a run with checkpoints, curves and pictures out."""

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
    """What `fit` takes."""
    parser = cli.parser(
        "fit",
        "Trains on a dataset. The same command again goes on where it stopped.",
        "--dataset synthia --run streets optimizer.learning_rate=1e-4",
    )
    cli.add_training_flags(parser, run="the configuration's name")
    parser.add_argument(
        "--from", dest="start", metavar="RUN", help="short for start_run=RUN: takes its networks"
    )
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Finds or makes the records, then trains."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training import resuming
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.quiet import import_tensorflow

    short = {"seed": parsed.seed, "start_run": parsed.start}
    given = [f"{key}={value}" for key, value in short.items() if value is not None]
    given.append("task=translation")
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides + given)
    run = Run.named(parsed.run or cli.configuration_name(parsed))
    resuming.check_same(config, run)
    resuming.check_start(config, run)

    import_tensorflow()
    from sflowgan_tf.training import assembly

    folder = parsed.data or Path("datasets") / parsed.dataset
    manifest = assembly.records(config, folder)
    resuming.remember(config, manifest, folder, run)
    _train(config, manifest, folder, run)


def _train(config: "Config", manifest: "Manifest", folder: Path, run: "Run") -> None:
    """Epoch after epoch from the latest checkpoint on."""
    from sflowgan_tf.training import assembly, resuming
    from sflowgan_tf.training.loop import Training

    assembly.reproducible(config.seed)
    training = Training(config, manifest, folder, run)
    with resuming.saved_when_stopped(training.checkpoints, folder, manifest):
        training.run()
    resuming.say_where(run, "scenes")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
