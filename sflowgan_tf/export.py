"""Exports a run for use elsewhere: a SavedModel for TensorFlow Serving."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf import cli


def flags() -> argparse.ArgumentParser:
    """What `export` takes."""
    parser = cli.parser(
        "export",
        "Writes a run's model as a SavedModel, saved_models/NAME/VERSION/, loads it back and "
        "compares what it paints with what the run paints.",
        "--run synthia",
    )
    add = parser.add_argument
    add("--run", required=True, metavar="NAME", help="a folder in runs/, or its path")
    add("--name", metavar="MODEL", help="of the model; the run's by default")
    add("--data", type=Path, metavar="DIR", help="records with validation frames; the run's")
    add("--output", type=Path, default=Path("saved_models"), metavar="DIR", help="saved_models")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Exports and says where the artefact is."""
    from sflowgan_tf.errors import UserError
    from sflowgan_tf.quiet import import_tensorflow
    from sflowgan_tf.runs import Run

    run = Run.existing(parsed.run)
    name = parsed.name or run.folder.resolve().name
    if name != Path(name).name or name.startswith("."):
        raise UserError(f"--name {name}: expected a name without slashes, no dot in front")
    import_tensorflow()
    from sflowgan_tf import deployment

    exported = deployment.Exported.of(run, parsed.data)
    told = exported.card(name, parsed.command)
    folder, differences = deployment.saved_model(exported, parsed.output, told)
    print(
        f"Difference to run {run.folder}, step {exported.step}, on {len(exported.frames)} frames:"
    )
    for signature, found in differences.items():
        mean, largest = (255 * found[kind] for kind in ("mean", "largest"))
        print(f"  {signature:17} mean {mean:.4f}, largest {largest:.0f} (of 255)")
    print(f"SavedModel: {folder}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
