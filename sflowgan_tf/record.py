"""Records a simulator's drives: frames, label maps and instances, as `prepare` reads them."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from sflowgan_tf.utils import cli

_SIZE = "512x256"


def flags() -> argparse.ArgumentParser:
    """What `record` takes."""
    parser = cli.parser(
        "record",
        "Records a drive of a simulator. An interrupted drive of minicity goes on when the same "
        "command runs again; CARLA's is begun anew beside it. Another --seed adds a drive.",
        "--simulator carla --frames 500 --output drives --size 1024x512",
    )
    cli.add_simulator_flags(parser, size=_SIZE)
    add = parser.add_argument
    add("--frames", type=cli.positive, required=True, metavar="N", help="of each camera")
    add("--output", type=Path, required=True, metavar="DIR", help="of all drives")
    add("--depth", action="store_true", help="also depth, in centimetres")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Records and says how it is prepared."""
    from sflowgan_tf.utils.quiet import import_tensorflow
    from sflowgan_tf.utils.sizes import size

    frame_size = size(parsed.size or _SIZE, "--size")

    import_tensorflow()
    from sflowgan_tf import simulators
    from sflowgan_tf.simulators.recording import Recording

    extras = ("instances", "depth") if parsed.depth else ("instances",)
    simulator = simulators.find(
        parsed.simulator,
        host=parsed.host,
        port=parsed.port,
        seed=parsed.seed,
        frames=parsed.frames,
        fps=parsed.fps,
        size=frame_size,
        rig=parsed.rig,
        extras=extras,
    )
    settings = {
        key: getattr(parsed, key) for key in ("simulator", "seed", "frames", "fps", "depth")
    }
    settings["cameras"] = [asdict(camera) for camera in simulator.cameras]
    recording = Recording(simulator, settings, parsed.output, depth=parsed.depth)
    try:
        recording.make()
    except KeyboardInterrupt:
        onward = "goes on with" if simulator.repeats else "begins another drive beside"
        print(f"\nStopped; the same command {onward} {recording.drive}.")
        raise
    names = ", ".join(camera.name for camera in simulator.cameras)
    print(f"Recorded: {parsed.output}, {recording.drive}, {parsed.frames} frames of {names}")
    width, height = simulator.cameras[0].size
    prepare = (
        f"python -m sflowgan_tf.prepare --dataset folder --source {parsed.output} "
        f"--output {Path('datasets') / parsed.output.name} --size {width}x{height}"
    )
    if not recording.drives[1:]:
        prepare += " records.validation_fraction=0"
        print(
            "With another --seed there is a second drive, and `prepare` keeps one for validation."
        )
    print(f"Then:     {prepare}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
