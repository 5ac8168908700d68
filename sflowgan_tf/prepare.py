"""Turns a raw dataset into the TFRecords that `fit` reads."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli


def flags() -> argparse.ArgumentParser:
    """What `prepare` takes."""
    parser = cli.parser(
        "prepare",
        "Turns a raw dataset into records. The same command again goes on where it stopped.",
        "--dataset cityscapes --source cityscapes-raw --size 512x256",
    )
    add = parser.add_argument
    add("--dataset", required=True, metavar="NAME", help="which layout: see datasets/README.md")
    add("--source", type=Path, metavar="RAW_DIR", help="the raw dataset; minicity draws its own")
    add("--output", type=Path, metavar="DIR", help="for the records; datasets/NAME by default")
    add("--config", type=Path, metavar="FILE", help="another YAML file, or the name of one")
    add("--size", metavar="WxH", help="of the records, such as 512x256; short for records.size=WxH")
    add("--snap-colors", metavar="N", help="levels from a class' colour: records.snap_colors=N")
    add(
        "--workers", type=cli.positive, metavar="N", help="processes; one a core at most by default"
    )
    add("--skip-bad", action="store_true", help="leave bad frames out and list them at the end")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Prepares and says what there is now."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.utils.quiet import import_tensorflow

    flagged = [] if parsed.size is None else [f"records.size='{parsed.size}'"]
    if parsed.snap_colors is not None:
        flagged.append(f"records.snap_colors={parsed.snap_colors}")
    config = settings.load(parsed.dataset, parsed.config, parsed.overrides + flagged)
    settings.size(config.records.size, "records.size")
    output = parsed.output or Path("datasets") / parsed.dataset

    import_tensorflow()
    from sflowgan_tf.data.preparing import overview
    from sflowgan_tf.training import assembly

    manifest = assembly.raw_records(
        config,
        parsed.source,
        output,
        workers=parsed.workers,
        skip_bad=parsed.skip_bad,
    )
    for skipped in manifest.skipped:
        print(f"skipped: {skipped['file']}: {skipped['reason']}")
    if manifest.stride > 1:
        print(f"consecutive frames: numbers {manifest.stride} apart")
    for name, split in manifest.splits.items():
        print(
            f"{name}: {split.records} frames, {split.pairs} pairs, {len(split.sequences)} sequences"
        )
    print(*overview.lines(manifest), sep="\n")
    print(f"Overview: {output / overview.NAME}")
    print(f"Records: {output}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
