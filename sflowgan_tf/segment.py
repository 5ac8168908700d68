"""Trains the segmenter that scores pictures: records in, a run with its mean IoU out."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli


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
    """Epoch after epoch from the latest checkpoint on, on records that are found or made."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training import resuming
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.locks import locked
    from sflowgan_tf.utils.quiet import import_tensorflow

    flagged = {"task": "segmentation", "seed": parsed.seed}
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides, **flagged)
    default = f"{cli.configuration_name(parsed)}-segmenter"
    run = Run.named(default if parsed.run is None else parsed.run)
    with locked(run.folder, "or choose another --run"):
        resuming.check_same(config, run)

        import_tensorflow()
        from sflowgan_tf.evaluation.segmenting.training import SegmenterTraining
        from sflowgan_tf.training.loop import train

        folder = parsed.data or Path("datasets") / parsed.dataset
        training = train(SegmenterTraining, config, folder, run)
        print(training.report())
    resuming.say_where(run, SegmenterTraining.SHEET)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
