"""The exceptions that speak to the user."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something the user can mend: bad input, a wrong flag, a missing file.

    Its message is one line that says what was wrong, in which file or argument, what was expected,
    and what to do. The commands print that line without a traceback and exit with 2 (`cli.run`).
    """


class Failure(Exception):
    """The work could not be done though the user made no mistake: a loss that is no number.

    Printed like a UserError; the command exits with 1.
    """


@contextmanager
def prefixed(prefix: str) -> Iterator[None]:
    """Makes user's errors of the refusals inside, their messages behind `prefix`.

    For settings that a part knows by the end of their keys alone.
    """
    try:
        yield
    except (UserError, ValueError) as error:
        raise UserError(f"{prefix}{error}") from None
