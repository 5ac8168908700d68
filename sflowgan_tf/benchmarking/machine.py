"""What is measured on, and how busy it is."""

import os
import platform
from importlib.metadata import version
from typing import Any


def description() -> dict[str, Any]:
    """Hardware and software, for JSON."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": cores(),
        "load": load(),
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "keras": version("keras"),
    }


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float | None:
    """How many processes wanted to run, mean of the last minute; None where nobody says."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy() -> str:
    """A sentence for a machine on which others work; else empty."""
    now = load()
    if now is None or now < cores() / 2:
        return ""
    return (
        f"Other work keeps this machine busy (load {now:.1f} on {cores()} cores): seconds and "
        "shares are not those of an idle one; ratios and CPU seconds say more."
    )
