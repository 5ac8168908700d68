"""What made a result: when, with which command and which state of this program."""

import subprocess
from datetime import datetime
from pathlib import Path

import sflowgan_tf


def made(command: str) -> dict[str, str]:
    """Date, command, version and commit, the last one empty where there is no git.

    Args:
        command: how it was called.
    """
    root = Path(sflowgan_tf.__file__).parent
    git = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    try:
        commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = ""  # installed, or without git
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "version": sflowgan_tf.__version__,
        "commit": commit,
    }
