"""Private directories for pages and models at work, gone when the work or the worker has ended."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "run-"


@contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Make a directory that only this user can read, locked while in the context and deleted afterwards.

    Directories that a killed worker left behind, which nobody locks any more, are deleted first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_PREFIX}*"):
        _sweep(left)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(handle)


def _sweep(directory: Path) -> None:
    """Delete a directory unless a living worker holds its lock."""
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
