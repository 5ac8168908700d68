"""What all commands share: how they start, what they print when they fail, what they exit with.

Exit codes: 0 done, 1 failure, 2 the user's mistake, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from sflowgan_tf.errors import Failure, UserError


def parser(command: str, purpose: str, example: str) -> argparse.ArgumentParser:
    """A parser that shows an example below its flags.

    Args:
        command: the module's name, such as "fit".
        purpose: one sentence.
        example: the flags of a typical call.
    """
    name = f"python -m sflowgan_tf.{command}"
    return argparse.ArgumentParser(
        prog=name, description=purpose, epilog=f"example: {name} {example}", allow_abbrev=False
    )


def run(
    flags: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parses the flags, does the work, turns exceptions into a line and an exit code.

    `work` imports TensorFlow itself, so that `--help` and a wrong flag answer at once. A full disk
    or a missing permission is a line too; any other exception is a bug and keeps its traceback.
    """
    parsed = flags.parse_intermixed_args(arguments)
    try:
        work(parsed)
    except UserError as error:
        return _say(flags, error, 2)
    except (Failure, OSError) as error:
        return _say(flags, error, 1)
    except KeyboardInterrupt:
        return _say(flags, "interrupted", 130)
    return 0


def _say(flags: argparse.ArgumentParser, error: object, code: int) -> int:
    print(
        f"{flags.prog}: error: {error}" if code < 3 else f"{flags.prog}: {error}", file=sys.stderr
    )
    return code
