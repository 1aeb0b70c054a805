"""The files of a training are private and are deleted with it."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ketav_trainer.domain import Claim, ModelRef
from ketav_trainer.scratch import checkpoint_of, delete_checkpoint, private_directory


def test_the_directory_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    """No other user may read it, and an error deletes it too."""
    with pytest.raises(RuntimeError), private_directory(tmp_path / "training") as directory:
        assert directory.stat().st_mode & 0o077 == 0
        (directory / "page").write_bytes(b"a user's page")
        raise RuntimeError
    assert not directory.exists()


def test_a_checkpoint_outlives_the_attempt_and_not_the_run(tmp_path: Path) -> None:
    """It is deleted with its run, half-written or not, or after a day."""
    parent = ModelRef("base-1", "ab" * 32, 1)
    claim = Claim("run", 1, uuid4(), parent, parent, parent, 30)
    checkpoint, old = checkpoint_of(tmp_path, claim), tmp_path / "other.checkpoint"
    for path in (checkpoint, old):
        path.write_bytes(b"weights")
    os.utime(old, (1, 1))
    with private_directory(tmp_path):
        assert checkpoint.exists()
        assert not old.exists()
    assert checkpoint_of(tmp_path, replace(claim, parent=replace(parent, sha256="cd" * 32))) != checkpoint
    half = tmp_path / f"{checkpoint.name}.part"
    half.write_bytes(b"half of the weig")
    delete_checkpoint(tmp_path, claim)
    assert not checkpoint.exists()
    assert not half.exists()


def test_what_a_killed_worker_left_is_deleted_and_a_living_worker_s_is_not(tmp_path: Path) -> None:
    """The lock tells them apart: the kernel drops it with the process."""
    left = tmp_path / "run-left"
    left.mkdir()
    (left / "page").write_bytes(b"a user's page")
    with private_directory(tmp_path) as own, private_directory(tmp_path) as other:
        assert not left.exists()
        assert own.exists()
        assert other.exists()
