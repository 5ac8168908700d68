"""Fields of settings that know the numbers they take."""

import math
from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from typing import Any


def bounded(default: float | list[int], least: float, most: float | None = None) -> Any:
    """A dataclass field for a number, or a list of them, from `least` to `most`, both included."""
    bounds = {"least": least, "most": most}
    if isinstance(default, list):
        return field(default_factory=lambda: [*default], metadata=bounds)
    return field(default=default, metadata=bounds)


def violations(settings: Any, prefix: str = "") -> Iterator[str]:
    """What is wrong in a tree of dataclasses whose keys begin with `prefix`.

    Yields a clause such as "samples=0: expected 1 or more" for each setting of which a number is
    out of its bounds or not finite.
    """
    for each in fields(settings):
        key, value = f"{prefix}{each.name}", getattr(settings, each.name)
        if is_dataclass(value):
            yield from violations(value, f"{key}.")
            continue
        elements = value if isinstance(value, list) else [value]
        numbers = [one for one in elements if isinstance(one, int | float)]
        least, most = each.metadata.get("least"), each.metadata.get("most")
        if not all(math.isfinite(number) for number in numbers if isinstance(number, float)):
            yield f"{key}={value}: expected a finite number"
        elif least is not None and any(number < least for number in numbers):
            yield f"{key}={value}: expected {least} or more"
        elif most is not None and any(number > most for number in numbers):
            yield f"{key}={value}: expected {most} or less"
