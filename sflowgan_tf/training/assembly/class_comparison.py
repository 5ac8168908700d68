"""How two class tables differ, in words."""

from itertools import zip_longest

from sflowgan_tf.ops.classes import ClassTable

_NAMES = 6  # that are listed at most


def class_differences(there: ClassTable, here: ClassTable) -> str | None:
    """In what the classes of two tables differ, for a message.

    Args:
        there: the one that is named first.
        here: the other.

    Returns:
        A clause with both numbers and the names that differ; None where the names are the same.
    """
    if there.names == here.names:
        return None
    pairs = enumerate(zip_longest(there.names, here.names))
    clauses = []
    for names, place in (
        ([name for name in there.names if name not in here.names], "only there"),
        ([name for name in here.names if name not in there.names], "only here"),
    ):
        if names:
            clauses.append(f"{place}: {_listed(names)}")
    if not clauses:
        moved = [f"{index} is {a} there, {b} here" for index, (a, b) in pairs if a != b]
        clauses.append(_listed(moved))
    numbers = f"{len(there.names)} there, {len(here.names)} here"
    return f"classes: {numbers}; {'; '.join(clauses)}"


def _listed(names: list[str]) -> str:
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {rest} more" if rest > 0 else "")
