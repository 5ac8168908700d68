"""Scores pictures: a run's, or those in a folder, against the real frames of records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf.evaluation.result import GROUPS
from sflowgan_tf.utils import cli

if TYPE_CHECKING:
    from sflowgan_tf.evaluation.evaluation import Judging


def flags() -> argparse.ArgumentParser:
    """What `evaluate` takes."""
    parser = cli.parser(
        "evaluate",
        "Scores what a run paints, or pictures in a folder, against the real frames of records.",
        "--run synthia --segmenter cityscapes-segmenter",
    )
    add = parser.add_argument
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument("--run", metavar="NAME", help="a folder in runs/, or its path")
    subject.add_argument(
        "--images", type=Path, metavar="DIR", help="pictures of any system, of the records' size"
    )
    add("--reference", type=Path, metavar="DATA", help="records; those of the run by default")
    add("--split", choices=("validation", "train"), default="validation", help="validation")
    add(
        "--metrics",
        nargs="+",
        choices=GROUPS,
        help="all that there are networks for, by default",
    )
    add("--segmenter", metavar="S", help="run of segment, SavedModel, or hub:PRESET (KerasHub)")
    add(
        "--segmenter-classes",
        metavar="C",
        help="what the outputs of a SavedModel or preset are: a class table, or a YAML list",
    )
    add("--inception", metavar="I", help="for FID: SavedModel, imagenet or a weights file of it")
    add("--i3d", type=Path, metavar="DIR", help="for FVD: SavedModel")
    add("--vgg", default="random", metavar="V", help="for distances: random, imagenet or a file")
    add("--edges", choices=("laplacian", "dned"), help="who draws them; the DNED where it can")
    cli.add_history_flag(parser)
    add("--output", type=Path, metavar="DIR", help="runs/NAME/evaluation, DIR/evaluation")
    add("--seed", type=cli.natural, default=0, metavar="N", help="of intervals and variations; 0")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Measures, prints the figures and says where the rest is."""
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.quiet import import_tensorflow

    if parsed.images and parsed.reference is None:
        raise UserError("--images: needs --reference, the records of the real frames")
    if parsed.images and parsed.edges:
        raise UserError("--edges: is for --run; pictures in a folder are painted already")
    if parsed.images and parsed.history:
        raise UserError("--history: is for --run; pictures in a folder are scored as they are")
    if parsed.segmenter_classes and not parsed.segmenter:
        raise UserError("--segmenter-classes: is for --segmenter; name one")
    import_tensorflow()
    from sflowgan_tf.evaluation.evaluation import Judging

    judging = Judging.of(parsed)
    evaluation = judging.evaluate(parsed.command)
    _say(judging, evaluation)


def _say(judging: Judging, evaluation) -> None:
    from sflowgan_tf.evaluation.result import summary

    print(summary(evaluation))
    for warning in evaluation.warnings:
        print(f"Note: {warning}")
    print(f"Figures: {judging.output / 'metrics.json'}")
    print(f"Report:  {judging.output / 'report.html'}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
