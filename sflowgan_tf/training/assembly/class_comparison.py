"""How two class tables differ, in words."""

from itertools import zip_longest

from sflowgan_tf.ops.classes import ClassTable

_NAMES = 6  # that are listed at most


def class_differences(there: ClassTable, here: ClassTable) -> str | None:
    """A clause with the numbers and names of classes that differ; None where all are the same."""
    a, b = there.names, here.names
    if a == b:
        return None
    alone = {"there": [name for name in a if name not in b], "here": [x for x in b if x not in a]}
    clauses = [f"only {place}: {_listed(names)}" for place, names in alone.items() if names]
    if not clauses:
        pairs = enumerate(zip_longest(a, b))
        clauses = [_listed([f"{i} is {x} there, {y} here" for i, (x, y) in pairs if x != y])]
    numbers = f"{len(a)} there, {len(b)} here"
    return f"classes: {numbers}; {'; '.join(clauses)}"


def _listed(names: list[str]) -> str:
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {rest} more" if rest > 0 else "")
