"""Private directories for the pages and models of a training, deleted when training or worker end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ketav_common.private_directory import locked_directory
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
    with suppress(FileNotFoundError):
        for checkpoint in parent.glob(f"*{_CHECKPOINT_SUFFIX}*"):
            _delete_if_abandoned(checkpoint)
    with locked_directory(parent, _PREFIX) as directory:
        yield directory


def _delete_if_abandoned(checkpoint: Path) -> None:
    """Delete a checkpoint that has not changed for a day; another worker may delete it, too."""
    with suppress(FileNotFoundError):
        if time.time() - checkpoint.stat().st_mtime > _ABANDONED_CHECKPOINT_S:
            checkpoint.unlink()
