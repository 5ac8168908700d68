"""Translates scenes with a trained model: label maps and frames in, photo-like pictures out."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf import cli


def flags() -> argparse.ArgumentParser:
    """What `translate` takes."""
    parser = cli.parser(
        "translate",
        "Paints every scene of a folder; frames give the edges, label maps the classes.",
        "--run synthia --labels GT/LABELS --frames RGB --output painted --variations 4",
    )
    add = parser.add_argument
    add("--run", required=True, metavar="NAME", help="a folder in runs/, or its path")
    add("--labels", required=True, type=Path, metavar="DIR", help="label maps, as PNG")
    add("--frames", required=True, type=Path, metavar="DIR", help="CG or real frames")
    add("--output", required=True, type=Path, metavar="DIR", help="for the pictures")
    add("--size", metavar="WxH", help="of the pictures; that of the run's records by default")
    add("--classes", metavar="TABLE", help="class table of the label maps; the run's by default")
    add("--variations", type=_positive, default=1, metavar="N", help="versions of each scene; 1")
    add("--seed", type=int, default=0, metavar="S", help="of the variations; 0")
    add("--edges", choices=("laplacian", "dned"), default="dned", help="who draws them; dned")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def work(parsed: argparse.Namespace) -> None:
    """Translates and says where the pictures are."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.errors import UserError
    from sflowgan_tf.quiet import import_tensorflow
    from sflowgan_tf.runs import Run

    if parsed.variations > 1 and parsed.edges == "laplacian":
        raise UserError("--variations: only --edges dned has versions; leave one of the two out")
    size = settings.size(parsed.size, "--size") if parsed.size else None
    run = Run.existing(parsed.run)

    import_tensorflow()
    from sflowgan_tf import export
    from sflowgan_tf.translation import Translation, pair_up

    scenes = pair_up(parsed.labels, parsed.frames)
    translator, manifest, step = export.load(run)
    translation = Translation(
        translator,
        output=parsed.output,
        size=size or manifest.size,
        table=manifest.classes.reading(parsed.classes),
        variations=parsed.variations,
        seed=parsed.seed,
        redraw=parsed.edges == "dned",
        origin={"run": parsed.run, "step": str(step)},
    )
    translation.check(scenes)
    translation.run(scenes)
    print(f"{len(scenes) * parsed.variations} pictures: {parsed.output}")
    print(f"Contact sheet: {translation.sheet_file}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
