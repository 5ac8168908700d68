"""Trains: records in, a run with checkpoints, curves and pictures out."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf import cli

if TYPE_CHECKING:
    from sflowgan_tf.config import Config
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.runs import Run


def flags() -> argparse.ArgumentParser:
    """What `fit` takes."""
    parser = cli.parser(
        "fit",
        "Trains on a dataset. The same command again goes on where it stopped.",
        "--dataset synthia --run streets optimizer.learning_rate=1e-4",
    )
    add = parser.add_argument
    add("--dataset", required=True, metavar="NAME", help="finds configs/NAME.yaml, datasets/NAME")
    add("--data", type=Path, metavar="DIR", help="records; datasets/NAME by default")
    add("--config", type=Path, metavar="FILE", help="another YAML file, or the name of one")
    add("--run", metavar="NAME", help="a folder in runs/; the configuration's name by default")
    add("--from", dest="start", metavar="RUN", help="short for start_run=RUN: takes its networks")
    add("--seed", type=int, metavar="N", help="short for seed=N")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Finds or makes the records, then trains."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.quiet import import_tensorflow
    from sflowgan_tf.runs import Run

    short = {"seed": parsed.seed, "start_run": parsed.start}
    given = [f"{key}={value}" for key, value in short.items() if value is not None]
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides + given)
    run = Run.named(parsed.run or _run_name(parsed))
    _check_same(config, run)

    import_tensorflow()
    from sflowgan_tf import build

    folder = parsed.data or Path("datasets") / parsed.dataset
    manifest = build.records(config, folder)
    _remember(config, manifest, folder, run)
    _train(config, manifest, folder, run)


def _run_name(parsed: argparse.Namespace) -> str:
    return parsed.dataset if parsed.config is None else parsed.config.name.removesuffix(".yaml")


def _check_same(config: "Config", run: "Run") -> None:
    """Refuses to go on under another configuration with a run that has trained something."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.errors import UserError

    if not run.is_begun:
        return
    differing = settings.differences(settings.read(run.config), config)
    if differing:
        raise UserError(
            f"{run.folder} was begun with another configuration ({'; '.join(differing)}); "
            "go on with the same one, choose another --run, or delete that folder"
        )


def _remember(config: "Config", manifest: "Manifest", folder: Path, run: "Run") -> None:
    """Writes down what the run is; UserError where it has trained on other records already."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.errors import UserError

    run.folder.mkdir(parents=True, exist_ok=True)
    if not run.is_begun:
        manifest.save(run.manifest)
        settings.save(config, run.config)
    elif Manifest.load(run.manifest) != manifest:
        raise UserError(
            f"{run.folder} was begun on other records than those in {folder}; name the same ones "
            "with --data, choose another --run, or delete the run's folder"
        )


def _train(config: "Config", manifest: "Manifest", folder: Path, run: "Run") -> None:
    """Epoch after epoch from the latest checkpoint on."""
    import tensorflow as tf

    from sflowgan_tf import build
    from sflowgan_tf.data import pipeline
    from sflowgan_tf.training import Training

    build.reproducible(config.seed)
    training = Training(config, manifest, folder, run)
    try:
        training.run()
    except KeyboardInterrupt:
        training.checkpoints.save()
        print(f"\nStopped at step {int(training.gan.step)} and saved; the same command goes on.")
        raise
    except tf.errors.OpError:
        pipeline.blame(folder, manifest)
        raise
    print(f"Sample sheet:  {max(run.samples.glob('scenes-*.png'), default=run.samples)}")
    print(f"Run:           {run.folder}")
    print(f"Curves:        {run.logs}")
    print(f"Look at them:  {sys.executable} -m tensorboard.main --logdir {run.logs}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
