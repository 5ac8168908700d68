"""Translates scenes with a trained model: label maps and frames in, photo-like pictures out."""

import argparse
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sflowgan_tf.utils import cli

if TYPE_CHECKING:
    from sflowgan_tf.data.media.scenes import Scenes
    from sflowgan_tf.translation.painting import Painter

_FPS = Fraction(25)
_PIECE = 50  # frames of a film that an interruption costs at most; two seconds between key frames


def flags() -> argparse.ArgumentParser:
    """The flags of `translate`."""
    parser = cli.parser(
        "translate",
        "Paints scenes, as pictures or as a film; frames give the edges, label maps the classes. "
        "An interrupted film goes on where it stopped when the same command runs again.",
        "--run synthia --labels labels.mkv --frames cg.mp4 --output film.mp4 --side-by-side",
    )
    add = parser.add_argument
    cli.add_model_flags(parser)
    source = {"required": True, "type": Path, "metavar": "PATH"}
    add("--labels", **source, help="label maps: a folder of PNGs, a PNG, or a lossless video")
    add("--frames", **source, help="CG or real frames: a folder, a picture, or a video")
    add("--output", **source, help="FILE.mp4 for a film, else a folder for PNGs")
    add("--size", metavar="WxH", help="of the pictures; what the model was trained for by default")
    cli.add_classes_flag(parser, "the label maps; the model's by default")
    cli.add_label_flags(parser)
    add("--variations", type=cli.positive, default=1, metavar="N", help="versions of each scene; 1")
    add("--seed", type=cli.natural, default=0, metavar="S", help="of variations and colours; 0")
    add("--edges", choices=("laplacian", "dned"), help="who draws them; the DNED where it can")
    add(
        "--appearance",
        metavar="A",
        help="colours: given, like:PICTURE[,LABELS], cluster:N or random; given",
    )
    add("--fps", type=cli.rate, metavar="R", help=f"of the film; that of the video, else {_FPS}")
    cli.add_history_flag(parser)
    add("--side-by-side", action="store_true", help="film: frame, labels and result in a row")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Translates and says where the pictures are."""
    from sflowgan_tf import config as settings
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.quiet import import_tensorflow

    is_drawn = parsed.appearance == "random"
    if parsed.variations > 1 and parsed.edges == "laplacian" and not is_drawn:
        raise UserError("--variations: only --edges dned has versions; leave one of the two out")
    is_film = _is_film(parsed)
    size = settings.size(parsed.size, "--size") if parsed.size else None

    import_tensorflow()
    from sflowgan_tf import loading
    from sflowgan_tf.data.media.scenes import pair_up
    from sflowgan_tf.data.sources.folder import chosen_classes
    from sflowgan_tf.translation.appearance import AppearanceChoice
    from sflowgan_tf.translation.painting import Painter

    appearance = None if parsed.appearance is None else AppearanceChoice.parse(parsed.appearance)
    scenes = pair_up(parsed.labels, parsed.frames, in_order=is_film)
    with loading.chosen(parsed) as model:
        several = parsed.variations > 1 and not is_drawn
        for flag, needs in (("--variations", several), ("--edges", parsed.edges)):
            if needs and parsed.edges != "laplacian" and not model.redraws:
                drawn = ", or add --appearance random" if several and model.palette else ""
                raise UserError(
                    f"{flag}: {parsed.run or parsed.model or parsed.server} has one version of a "
                    f"scene, without a DNED or never trained on its edges; leave {flag} out{drawn}"
                )
        painter = Painter(
            model,
            size=size or model.size,
            table=model.classes.reading(
                chosen_classes(parsed.classes),
                coding=parsed.coding,
                snap_colors=parsed.snap_colors,
            ),
            variations=parsed.variations,
            seed=parsed.seed,
            redraw=parsed.edges != "laplacian",
            appearance=appearance,
        )
        if is_film:
            _films(parsed, painter, scenes)
        else:
            _pictures(parsed, painter, scenes)


def _is_film(parsed: argparse.Namespace) -> bool:
    """Whether a film is asked for; UserError where the flags don't fit together."""
    from sflowgan_tf.utils.errors import UserError

    output, suffix = parsed.output, parsed.output.suffix.lower()
    is_film = suffix == ".mp4"
    if suffix in (".avi", ".gif", ".m4v", ".mkv", ".mov", ".webm"):
        raise UserError(f"--output {output}: films are MP4; expected {output.with_suffix('.mp4')}")
    if suffix in (".png", ".jpg", ".jpeg"):
        raise UserError(
            f"--output {output}: pictures get their names from the scenes; name a folder"
        )
    if is_film and output.is_dir():
        raise UserError(f"--output {output}: is a folder; expected a file for the film")
    if not is_film and (parsed.fps or parsed.side_by_side or parsed.history):
        raise UserError(
            "--fps, --history and --side-by-side are for films; expected --output FILE.mp4"
        )
    if output.resolve() in (parsed.labels.resolve(), parsed.frames.resolve()):
        raise UserError(f"--output {output}: would overwrite the scenes; choose another")
    return is_film


def _films(parsed: argparse.Namespace, painter: "Painter", scenes: "Scenes") -> None:
    from sflowgan_tf.translation.films import Films
    from sflowgan_tf.translation.history import History

    films = Films(
        painter,
        file=parsed.output,
        fps=parsed.fps or scenes.fps or _FPS,
        side_by_side=parsed.side_by_side,
        piece=_PIECE,
        history=History(parsed.history, painter.model.flow),
    )
    try:
        frames = films.make(scenes)
    except KeyboardInterrupt:
        print(f"\nStopped; the same command goes on with {parsed.output}.")
        raise
    for file in films.files:
        width, height = films.size
        print(f"Film: {file}, {frames} frames, {width}x{height}, {float(films.fps):g} a second")


def _pictures(parsed: argparse.Namespace, painter: "Painter", scenes: "Scenes") -> None:
    from sflowgan_tf.translation.painting import Pictures

    pictures = Pictures(painter, parsed.output)
    count = pictures.make(scenes)
    print(f"{count} pictures: {parsed.output}")
    print(f"Contact sheet: {pictures.sheet_file}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
