"""Exports a run for use elsewhere: a SavedModel for TensorFlow Serving, TFLite for devices."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf.device.precisions import PRECISIONS
from sflowgan_tf.utils import cli

if TYPE_CHECKING:
    from sflowgan_tf.deployment.exported import Exported
    from sflowgan_tf.translation.card import Card


def flags() -> argparse.ArgumentParser:
    """What `export` takes."""
    parser = cli.parser(
        "export",
        "Writes a run's model as a SavedModel, saved_models/NAME/VERSION/, or as TFLite files, "
        "saved_models/NAME/*.tflite, loads it back and compares what it paints with what the run "
        "paints.",
        "--run synthia",
    )
    add = parser.add_argument
    add("--run", required=True, metavar="NAME", help="a folder in runs/, or its path")
    add("--name", metavar="MODEL", help="of the model; the run's by default")
    add("--data", type=Path, metavar="DIR", help="records with validation frames; the run's")
    add("--output", type=Path, default=Path("saved_models"), metavar="DIR", help="saved_models")
    add("--tflite", nargs="+", choices=PRECISIONS, metavar="P", help=", ".join(PRECISIONS))
    add("--size", metavar="WxH", help="of TFLite's pictures; that of the run's records by default")
    add(
        "--release",
        action="store_true",
        help="a small folder instead, OUTPUT/NAME/: float16 weights, taken as a run is",
    )
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Exports and says where the artefact is."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.training.runs import Run
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.quiet import import_tensorflow

    if parsed.size and not parsed.tflite:
        raise UserError("--size: is for --tflite; a SavedModel takes any size")
    if parsed.release and parsed.tflite:
        raise UserError("--release and --tflite: choose one; run the command once for each")
    size = settings.size(parsed.size, "--size") if parsed.size else None
    run = Run.existing(parsed.run)
    name = parsed.name or run.folder.resolve().name
    if name != Path(name).name or name.startswith("."):
        raise UserError(f"--name {name}: expected a name without slashes, no dot in front")
    import_tensorflow()
    from sflowgan_tf.deployment.exported import Exported

    exported = Exported.of(run, parsed.data)
    card = exported.card(name, parsed.command)
    if parsed.tflite:
        _tflite(parsed, exported, card, size or exported.manifest.size)
    elif parsed.release:
        _release(parsed, exported, card)
    else:
        _saved_model(parsed, exported, card)


def _saved_model(parsed: argparse.Namespace, exported: "Exported", card: "Card") -> None:
    from sflowgan_tf.deployment import saved_model

    folder, differences = saved_model.write(exported, parsed.output, card)
    print(
        f"Difference to run {exported.run.folder}, step {exported.step}, on "
        f"{len(exported.frames)} frames:"
    )
    for signature, difference in differences.items():
        mean, largest = (255 * difference[kind] for kind in ("mean", "largest"))
        print(f"  {signature:17} mean {mean:.4f}, largest {largest:.0f} (of 255)")
    print(f"SavedModel: {folder}")


def _release(parsed: argparse.Namespace, exported: "Exported", card: "Card") -> None:
    from sflowgan_tf.deployment import release

    new, difference = release.write(exported, parsed.output, card)
    size = sum(file.stat().st_size for file in new.folder.iterdir())
    print(
        f"Released model: {new.folder}, {size / 1e6:.2f} MB; its pictures differ by "
        f"{difference:.4f} of 255 on average from those of run {exported.run.folder}, step "
        f"{exported.step}, on {len(exported.frames)} frames"
    )


def _tflite(
    parsed: argparse.Namespace, exported: "Exported", card: "Card", size: tuple[int, int]
) -> None:
    from sflowgan_tf.deployment import tflite

    precisions = [*dict.fromkeys(parsed.tflite)]
    for report in tflite.write(exported, parsed.output, card, precisions, size):
        print(f"TFLite: {report.file}, {report.file.stat().st_size / 1e6:.2f} MB")
        print(
            f"  to run {exported.run.folder}, step {exported.step}, on {len(exported.frames)} "
            f"frames: PSNR {report.psnr:.1f} dB, largest difference {report.levels} of 255"
        )
        operations = ", ".join(f"{count} {name}" for name, count in report.operations.items())
        print(f"  ops: {operations}")
        if report.in_float:
            print(f"  in float, since int8 would differ too much: {', '.join(report.in_float)}")
        print(f"  GPU delegate: {'; '.join(report.violations) or 'may run all of them'}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
