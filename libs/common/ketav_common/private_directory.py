"""Private directories of workers; those of a killed worker are deleted by the next one."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked_directory(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a directory that only this user can read, locked in the context and deleted afterwards.

    Directories of killed workers, which have the same prefix and are locked by no process, are deleted first.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for directory in parent.glob(f"{prefix}*"):
        _delete_unless_locked(directory)
    with tempfile.TemporaryDirectory(dir=parent, prefix=prefix) as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(handle)


def _delete_unless_locked(directory: Path) -> None:
    """Delete a directory unless a running worker has locked it."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(handle)
