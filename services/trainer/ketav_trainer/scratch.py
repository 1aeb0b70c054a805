"""Private directories for pages and models at work, gone when the work or the worker has ended."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ketav_trainer.domain import Claim

_PREFIX: Final = "run-"

_CHECKPOINT: Final = ".checkpoint"
_OLD_S: Final = 24 * 3600
"""Seconds after which a checkpoint belongs to a run that was finished elsewhere."""


def checkpoint_of(parent: Path, claim: Claim) -> Path:
    """Return where a run's training, from this parent model, keeps what it needs to go on."""
    return parent / f"{claim.run_id}-{claim.parent.sha256[:16]}{_CHECKPOINT}"


def forget_checkpoint(parent: Path, claim: Claim) -> None:
    """Delete a run's checkpoint: it has ended."""
    checkpoint = checkpoint_of(parent, claim)
    for file in parent.glob(f"{checkpoint.name}*"):  # also one that was killed half-written
        file.unlink(missing_ok=True)


@contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Make a directory that only this user can read, locked while in the context and deleted afterwards.

    Directories that a killed worker left behind, which nobody locks any more, are deleted first.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in parent.glob(f"{_PREFIX}*"):
        _sweep(left)
    for old in parent.glob(f"*{_CHECKPOINT}*"):
        with suppress(FileNotFoundError):  # another worker of this machine sweeps as well
            if time.time() - old.stat().st_mtime > _OLD_S:
                old.unlink()
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
