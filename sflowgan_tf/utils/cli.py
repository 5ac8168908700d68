"""What all commands share: how they start, what they print when they fail, what they exit with.

Exit codes: 0 done, 1 failure, 2 the user's mistake, 130 interrupted.
"""

import argparse
import math
import shlex
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from sflowgan_tf.utils import disk
from sflowgan_tf.utils.errors import Failure, UserError


def parser(command: str, purpose: str, example: str) -> argparse.ArgumentParser:
    """A parser of a module such as "fit", with the flags of a typical call as its example."""
    name = f"python -m sflowgan_tf.{command}"
    return argparse.ArgumentParser(
        prog=name, description=purpose, epilog=f"example: {name} {example}", allow_abbrev=False
    )


def add_training_flags(flags: argparse.ArgumentParser, run: str) -> None:
    """What every training takes; `run` is the default of --run in words."""
    add = flags.add_argument
    add("--dataset", required=True, metavar="NAME", help="finds configs/NAME.yaml, datasets/NAME")
    add("--data", type=Path, metavar="DIR", help="records; datasets/NAME by default")
    add("--config", type=Path, metavar="FILE", help="another YAML file, or the name of one")
    add("--run", metavar="NAME", help=f"a folder in runs/; {run} by default")
    add("--seed", type=natural, metavar="N", help="short for seed=N")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")


def add_history_flag(flags: argparse.ArgumentParser) -> None:
    """What every command that paints films takes: how much of its past a picture keeps."""
    purpose = "film: weight of the past, brought along the given frames' motion; 0, steady: 0.9"
    flags.add_argument("--history", type=share, default=0.0, metavar="W", help=purpose)


def add_model_flags(flags: argparse.ArgumentParser) -> None:
    """What every command that paints with a trained model takes; `loading.chosen` reads them."""
    model = flags.add_mutually_exclusive_group(required=True)
    model.add_argument("--run", metavar="NAME", help="a folder in runs/, or its path")
    model.add_argument(
        "--model", type=Path, metavar="PATH", help="what export wrote; or minicity, of the package"
    )
    model.add_argument(
        "--server", metavar="URL", help="http://HOST:8501/v1/models/NAME, or grpc://HOST:8500/NAME"
    )


def add_label_flags(flags: argparse.ArgumentParser) -> None:
    """What every command that reads label maps for a model takes; `ClassTable.reading` has them."""
    add = flags.add_argument
    codings = ("ids", "colors")
    add("--coding", choices=codings, help="what label maps hold; as the model's did by default")
    add("--snap-colors", type=levels, metavar="N", help="levels to a class' colour; the model's")


def add_classes_flag(parser: argparse.ArgumentParser, of: str) -> None:
    """Adds --classes, as `data.sources.folder.chosen_classes` reads it; `of` what, for its help."""
    parser.add_argument(
        "--classes", metavar="TABLE", help=f"class table, or a YAML with `classes`, of {of}"
    )


def add_simulator_flags(flags: argparse.ArgumentParser, size: str) -> None:
    """What every command that drives a simulator takes; `size` is the default size in words."""
    add = flags.add_argument
    add("--simulator", required=True, metavar="NAME", help="minicity, or carla")
    add("--host", default="127.0.0.1", help="of CARLA's server; 127.0.0.1")
    add("--port", type=positive, default=2000, metavar="N", help="of CARLA's server; 2000")
    add("--size", metavar="WxH", help=f"of the frames; {size}")
    add("--fps", type=rate, default=Fraction(10), metavar="R", help="simulated frames a second; 10")
    add("--seed", type=natural, default=0, metavar="S", help="of the drive; 0")
    add("--rig", type=Path, metavar="FILE", help="a YAML of cameras: see docs/simulators.md")


def natural(text: str, least: int = 0) -> int:
    """The type of a seed."""
    if not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} on, got {text!r}")
    return int(text)


positive = partial(natural, least=1)  # the type of a flag that counts


def rate(text: str) -> Fraction:
    """The type of frames a second."""
    try:
        number = Fraction(text).limit_denominator(1001)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"expected 25, 29.97 or 30000/1001, got {text!r}")
    return number


def share(text: str) -> float:
    """The type of a share below the whole, in [0, 1)."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to below 1, got {text!r}")
    return number


def levels(text: str) -> float:
    """The type of a distance between colours, in levels."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of levels from 0 on, got {text!r}")
    return number


def configuration_name(parsed: argparse.Namespace) -> str:
    """How the configuration that a training's flags choose is called."""
    return parsed.dataset if parsed.config is None else parsed.config.name.removesuffix(".yaml")


def run(
    flags: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parses the flags, does the work, turns exceptions into a line and an exit code.

    `work` imports TensorFlow itself, so that `--help` and a wrong flag answer at once. A full disk
    or a missing permission is a line too; any other exception is a bug and keeps its traceback.
    `work` gets the whole call as `command` beside the flags.
    """
    words = sys.argv[1:] if arguments is None else [*arguments]
    parsed = flags.parse_intermixed_args(words)
    parsed.command = f"{flags.prog} {shlex.join(words)}"
    try:
        work(parsed)
    except UserError as error:
        return _say(flags, error, 2)
    except Failure as error:
        return _say(flags, error, 1)
    except OSError as error:
        return _say(flags, disk.description(error), 1)
    except KeyboardInterrupt:
        return _say(flags, "interrupted", 130)
    return 0


def _say(flags: argparse.ArgumentParser, error: object, code: int) -> int:
    print(
        f"{flags.prog}: error: {error}" if code < 3 else f"{flags.prog}: {error}", file=sys.stderr
    )
    return code
