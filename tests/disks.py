"""Disks that run full."""

import resource
from contextlib import contextmanager


@contextmanager
def disk_with_room_for(size):
    """Files of this process grow to `size` bytes: writing fails beyond, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
