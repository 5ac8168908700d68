"""What made a result: when, with which command and which state of this program."""

import subprocess
from datetime import datetime
from pathlib import Path

import sflowgan_tf

KEYS = {"provenance": "made"}  # fields of dataclasses whose key in JSON files is another


def provenance(command: str) -> dict[str, str]:
    """Date, command, version and commit.

    The commit ends with "-dirty" where files were changed since, and is empty where this program
    does not run from a checkout of its own. `command` is how it was called.
    """
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "version": sflowgan_tf.__version__,
        "commit": _commit(Path(sflowgan_tf.__file__).resolve().parent.parent),
    }


def _commit(checkout: Path) -> str:
    if not (checkout / ".git").exists():
        return ""
    git = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
