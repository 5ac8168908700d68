"""Fields of settings that know the numbers they take."""

from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from typing import Any


def bounded(default: float, least: float, most: float | None = None) -> Any:
    """A dataclass field for a number from `least` to `most`, both included."""
    return field(default=default, metadata={"least": least, "most": most})


def violations(settings: Any, prefix: str = "") -> Iterator[str]:
    """What is wrong in a tree of settings.

    Args:
        settings: a dataclass, of which fields may be dataclasses.
        prefix: of its keys, with the dot.

    Yields:
        A clause such as "samples=0: expected 1 or more" for each number out of its bounds, and for
        one that is not a number.
    """
    for each in fields(settings):
        key, value = f"{prefix}{each.name}", getattr(settings, each.name)
        if is_dataclass(value):
            yield from violations(value, f"{key}.")
        elif "least" in each.metadata:
            least, most = each.metadata["least"], each.metadata["most"]
            if not value >= least:  # nor is "not a number"
                yield f"{key}={value}: expected {least} or more"
            elif most is not None and not value <= most:
                yield f"{key}={value}: expected {most} or less"
