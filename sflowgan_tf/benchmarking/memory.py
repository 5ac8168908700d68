"""The memory that this process has, and the most that it has had."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> int | None:
    """The largest resident set of this process so far, bytes; None where the system does not say.

    On Linux it is VmHWM: what `getrusage` says would begin with the memory of the process that
    started this one.
    """
    if _STATUS.exists():
        return _status("VmHWM")
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def resident() -> int | None:
    """The resident set of this process now, bytes; None where the system does not say."""
    return _status("VmRSS") if _STATUS.exists() else None


def _status(field: str) -> int:
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(fields[field].removesuffix("kB")) * 1024
