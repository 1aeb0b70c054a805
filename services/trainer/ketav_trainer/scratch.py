"""Private directories for the pages and models of a training, deleted when training or worker end."""

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
_CHECKPOINT_SUFFIX: Final = ".checkpoint"
_ABANDONED_CHECKPOINT_S: Final = 24 * 3600
"""Seconds after which a checkpoint belongs to a run that ended on another machine."""


def checkpoint_of(parent: Path, claim: Claim) -> Path:
    """Return the path of the checkpoint of a run's training from this parent model."""
    return parent / f"{claim.run_id}-{claim.parent.sha256[:16]}{_CHECKPOINT_SUFFIX}"


def delete_checkpoint(parent: Path, claim: Claim) -> None:
    """Delete the checkpoint of a run that has ended, also one that was killed while it was written."""
    checkpoint = checkpoint_of(parent, claim)
    for file in parent.glob(f"{checkpoint.name}*"):
        file.unlink(missing_ok=True)


@contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Make a directory that only this user can read, locked in the context and deleted afterwards.

    Directories of killed workers, which no process locks any more, are deleted first.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for directory in parent.glob(f"{_PREFIX}*"):
        _delete_unless_locked(directory)
    for checkpoint in parent.glob(f"*{_CHECKPOINT_SUFFIX}*"):
        with suppress(FileNotFoundError):  # another worker of this machine may delete it too
            if time.time() - checkpoint.stat().st_mtime > _ABANDONED_CHECKPOINT_S:
                checkpoint.unlink()
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as name:
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
