"""Trains: records in, a run with checkpoints, curves and pictures out."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli


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
    """Epoch after epoch from the latest checkpoint on, on records that are found or made."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training import resuming
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.locks import locked
    from sflowgan_tf.utils.quiet import import_tensorflow

    flagged = {"task": "translation", "seed": parsed.seed, "start_run": parsed.start}
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides, **flagged)
    run = Run.named(cli.configuration_name(parsed) if parsed.run is None else parsed.run)
    resuming.check_start(config, run)  # before the lock makes the run's folder
    with locked(run.folder, "or choose another --run"):
        resuming.check_same(config, run)
        resuming.check_start(config, run)

        import_tensorflow()
        from sflowgan_tf.training.gan_training import GANTraining
        from sflowgan_tf.training.loop import train

        folder = parsed.data or Path("datasets") / parsed.dataset
        train(GANTraining, config, folder, run)
        released = Run.released(parsed.dataset)
        if released is not None:
            from sflowgan_tf.evaluation import beside_released

            for line in beside_released.compare(run, released, folder, config.samples):
                print(line)
    resuming.say_where(run, GANTraining.SHEET)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
