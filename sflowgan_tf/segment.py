"""Trains the segmenter that scores pictures; labels real frames with one that is trained."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli


def flags() -> argparse.ArgumentParser:
    """What `segment fit` takes."""
    parser = cli.parser(
        "segment",
        "Trains a PSPNet on a dataset's real frames. The same command again goes on where it "
        "stopped. `segment label --help` says how frames without label maps get some.",
        "fit --dataset cityscapes segmenter.epochs=50",
    )
    parser.add_argument("action", choices=["fit"], help="train; or label, which has its own --help")
    cli.add_training_flags(parser, run="the configuration's name with -segmenter")
    return parser


def label_flags() -> argparse.ArgumentParser:
    """What `segment label` takes."""
    parser = cli.parser(
        "segment",
        "Labels real frames that have no label maps, for training. Writes what `prepare --dataset "
        "folder` reads. The same command again goes on where it stopped.",
        "label --segmenter cityscapes-segmenter --images drive.mp4 --output labelled",
    )
    parser.add_argument("action", choices=["label"], help="label")
    add = parser.add_argument
    add(
        "--segmenter",
        required=True,
        metavar="S",
        help="a run of `segment fit`, a SavedModel's folder, or hub:PRESET of KerasHub",
    )
    add("--segmenter-classes", metavar="C", help="its outputs: a class table, or a YAML list")
    add("--images", type=Path, required=True, metavar="PATH", help="frames: a folder, or a video")
    add("--output", type=Path, required=True, metavar="DIR", help="of frames and label maps")
    add(
        "--classes",
        metavar="T",
        help="of the label maps: a class table, or a YAML with `classes`; the segmenter's",
    )
    add(
        "--threshold",
        type=cli.share,
        default=0.5,
        metavar="P",
        help="pixels whose likeliest class is less probable are void; 0.5",
    )
    add("--size", metavar="WxH", help="at which it sees frames; what it was trained on, or theirs")
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


def label(parsed: argparse.Namespace) -> None:
    """Label maps, and what the segmenter was sure of."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.locks import locked
    from sflowgan_tf.utils.quiet import import_tensorflow

    size = settings.size(parsed.size, "--size") if parsed.size else None
    output = parsed.output.resolve()
    if parsed.images.resolve() in (output, *output.parents):
        raise UserError(f"--output {parsed.output}: lies in --images; choose another folder")

    import_tensorflow()
    from sflowgan_tf.data.media.scenes import source
    from sflowgan_tf.evaluation.segmenting import labelling

    frames = source(parsed.images, "--images")
    labeller = labelling.Labeller.find(
        parsed.segmenter,
        parsed.segmenter_classes,
        parsed.classes,
        threshold=parsed.threshold,
        size=size,
    )
    with locked(parsed.output, "or choose another --output"):
        made = labelling.Labelling(labeller, frames, parsed.output).make()
    print("\n".join(labelling.report(made)))
    print(f"Look at: {parsed.output / labelling.CONTACT_SHEET}")
    print(f"Then:    python -m sflowgan_tf.prepare --dataset folder --source {parsed.output}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    words = sys.argv[1:] if arguments is None else arguments
    if "label" in words[:1]:
        return cli.run(label_flags(), label, arguments)
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
