"""What a training writes is private and does not outlive it."""

from pathlib import Path

import pytest

from ketav_trainer.scratch import private_directory


def test_the_directory_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    """Nobody else may look in, and an error deletes it too."""
    with pytest.raises(RuntimeError), private_directory(tmp_path / "training") as directory:
        assert directory.stat().st_mode & 0o077 == 0
        (directory / "page").write_bytes(b"somebody's page")
        raise RuntimeError
    assert not directory.exists()


def test_what_a_killed_worker_left_is_deleted_and_a_living_worker_s_is_not(tmp_path: Path) -> None:
    """The lock tells them apart: the kernel drops it with the process."""
    left = tmp_path / "run-left"
    left.mkdir()
    (left / "page").write_bytes(b"somebody's page")
    with private_directory(tmp_path) as mine, private_directory(tmp_path) as other:
        assert not left.exists()
        assert mine.exists()
        assert other.exists()
