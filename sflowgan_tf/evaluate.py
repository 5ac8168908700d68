"""Scores pictures: a run's, or those in a folder, against the real frames of records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sflowgan_tf.evaluation.result import FOLDER, GROUPS, METRICS
from sflowgan_tf.utils import cli
from sflowgan_tf.utils.errors import UserError

FEATURES = ("hed", "segmenter")


def flags() -> argparse.ArgumentParser:
    """The flags of `evaluate`."""
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
    all_of_them = "all that there are networks for, by default"
    add("--metrics", nargs="+", choices=GROUPS, help=all_of_them)
    add("--segmenter", metavar="S", help="run of segment, SavedModel, or hub:PRESET (KerasHub)")
    add(
        "--segmenter-classes",
        metavar="C",
        help="what the outputs of a SavedModel or preset are: a class table, or a YAML list",
    )
    add("--features", choices=FEATURES, help="for FID, KID and FVD: whose; hed, or --inception's")
    add("--inception", metavar="I", help="for FID: SavedModel, imagenet or a weights file of it")
    add("--i3d", type=Path, metavar="DIR", help="for FVD: SavedModel")
    add("--vgg", default="hed", metavar="V", help="for distances: hed, imagenet, a file, or random")
    add("--edges", choices=("laplacian", "dned"), help="who draws them; the DNED where it can")
    cli.add_history_flag(parser)
    add("--output", type=Path, metavar="DIR", help="runs/NAME/evaluation, DIR/evaluation")
    add("--seed", type=cli.natural, default=0, metavar="N", help="of intervals and variations; 0")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Measures, prints the figures and says where the rest is."""
    from sflowgan_tf.utils.quiet import import_tensorflow

    _check(parsed)
    import_tensorflow()
    from sflowgan_tf.data.manifest import Manifest
    from sflowgan_tf.evaluation import unmeasurable
    from sflowgan_tf.evaluation.evaluation import Evaluation
    from sflowgan_tf.evaluation.networks import instruments
    from sflowgan_tf.evaluation.reference import Reference
    from sflowgan_tf.evaluation.result import summary
    from sflowgan_tf.evaluation.segmenting import judges
    from sflowgan_tf.evaluation.subjects import Files, Painted
    from sflowgan_tf.training import assembly
    from sflowgan_tf.training.runs import Run

    if parsed.images:
        folder, manifest = parsed.reference, Manifest.load(parsed.reference)
        reference = Reference(folder=folder, manifest=manifest, split=parsed.split)
        subject = Files.find(parsed.images, reference.places(), manifest.size)
        output = parsed.output or parsed.images / FOLDER
    else:
        run = Run.existing(parsed.run)
        if parsed.output is None and run == Run.released(parsed.run):
            raise UserError(
                f"--run {parsed.run}: comes with the package, where no results belong; say with "
                "--output where to write them"
            )
        folder, manifest = assembly.records_of(run, parsed.reference, "--reference")
        reference = Reference(folder=folder, manifest=manifest, split=parsed.split)
        subject = Painted.of_run(parsed.run, reference, edges=parsed.edges, weight=parsed.history)
        output = parsed.output or run.folder / FOLDER
    judge = None
    if parsed.segmenter:
        judge = judges.find(parsed.segmenter, manifest.classes, parsed.segmenter_classes)
    groups = frozenset(parsed.metrics or GROUPS)
    chosen = {"inception": parsed.inception, "i3d": parsed.i3d, "vgg": parsed.vgg}
    features = parsed.features or "hed"
    networks = instruments(reference, groups, judge=judge, features=features, **chosen)
    unmeasurable.refuse(parsed.metrics or (), subject, reference, networks)
    evaluation = Evaluation(
        subject=subject,
        reference=reference,
        instruments=networks,
        judge=judge,
        groups=groups,
        seed=parsed.seed,
    )
    result = evaluation.run(output, parsed.command)
    print(summary(result))
    for warning in result.warnings:
        print(f"Note: {warning}")
    print(f"Figures: {output / METRICS}")
    print(f"Report:  {output / 'report.html'}")


def _check(parsed: argparse.Namespace) -> None:
    """Refuses flags that do not go together."""
    if parsed.images and parsed.reference is None:
        raise UserError("--images: needs --reference, the records of the real frames")
    for flag in ("edges", "history"):
        if parsed.images and getattr(parsed, flag):
            raise UserError(f"--{flag}: is for --run; pictures in a folder are scored as they are")
    if parsed.segmenter_classes and not parsed.segmenter:
        raise UserError("--segmenter-classes: is for --segmenter; name one")
    if parsed.features and parsed.inception:
        raise UserError(
            f"--features {parsed.features}: --inception names another network for the same "
            "figures; leave one of the two out"
        )


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
