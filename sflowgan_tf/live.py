"""Paints a simulator's drive as it goes on, and says how fast and how late."""

import argparse
import sys
from pathlib import Path

from sflowgan_tf.utils import cli

_FRAMES = 250


def flags() -> argparse.ArgumentParser:
    """What `live` takes."""
    parser = cli.parser(
        "live",
        "Paints a simulator's frames as they come. What comes while a picture is painted is "
        "dropped but for the newest frame, so the pictures never lag behind.",
        "--simulator minicity --model minicity --output live.mp4",
    )
    cli.add_model_flags(parser)
    cli.add_simulator_flags(parser, size="what the model was trained for by default")
    add = parser.add_argument
    add("--output", type=Path, metavar="FILE.mp4", help="a film of the pictures")
    cli.add_classes_flag(parser, "the simulator's labels; its own by default")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--frames", type=cli.positive, metavar="N", help=f"of the drive; {_FRAMES}")
    length.add_argument("--seconds", type=cli.positive, metavar="S", help="of the drive, instead")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Paints and reports."""
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.quiet import import_tensorflow
    from sflowgan_tf.utils.sizes import size

    output = parsed.output
    if output is not None and (output.suffix.lower() != ".mp4" or output.is_dir()):
        raise UserError(f"--output {output}: expected a file for the film, {output.stem}.mp4")
    frame_size = size(parsed.size, "--size") if parsed.size else None

    import_tensorflow()
    from sflowgan_tf import loading, simulators
    from sflowgan_tf.data.sources.folder import chosen_classes
    from sflowgan_tf.simulators.live_painting import LivePainting

    frames = parsed.frames or _FRAMES
    if parsed.seconds:
        frames = max(round(parsed.seconds * parsed.fps), 1)
    with loading.chosen(parsed) as model:
        simulator = simulators.find(
            parsed.simulator,
            host=parsed.host,
            port=parsed.port,
            seed=parsed.seed,
            frames=frames,
            fps=parsed.fps,
            size=frame_size or model.size,
            rig=parsed.rig,
        )
        if simulator.cameras[1:]:
            names = ", ".join(camera.name for camera in simulator.cameras)
            raise UserError(f"--rig {parsed.rig}: has the cameras {names}; expected one alone")
        painting = LivePainting(model, simulator, chosen_classes(parsed.classes))
        painting.make(output, parsed.fps)
    print(painting.report)
    if output is not None:
        print(f"Film: {output}")
    if painting.stopped is not None:
        raise painting.stopped


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
