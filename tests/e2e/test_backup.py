"""A local system is backed up while it runs and while it is stopped, and restored into another folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.local_system import LocalSystem, boxes, tiny_system


def ketav(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run `ketav` on the system of a data folder as an operator does; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KETAV_")}
    ran = subprocess.run(
        [sys.executable, "-m", "ketav_local.command", *arguments],
        env=environment | {"KETAV_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    printed = ran.stdout + ran.stderr
    assert ran.returncode == status, printed
    assert "Traceback" not in printed
    return printed


@pytest.fixture
def old(tmp_path: Path, tiny_models: Path) -> LocalSystem:
    """Return a system that is not started."""
    return tiny_system(tmp_path / "old", tiny_models)


def test_a_local_system_moves_to_another_folder(old: LocalSystem, tmp_path: Path, tiny_models: Path) -> None:
    """Pages and keys are there; the new folder has a key of its own for the same user."""
    old.start()
    try:
        with old.client() as client:
            client.post("/ocr/", files={"file": boxes(4)}).raise_for_status()
        assert "WRONG" not in ketav(old.data_dir, "admin", "doctor")
        running = ketav(old.data_dir, "admin", "backup", str(tmp_path / "running"))
    finally:
        assert old.stop() == 0, old.printed
    assert "does not run. Start it with `make run`." in ketav(
        old.data_dir, "admin", "users", "list", status=1
    )
    assert "WRONG" in ketav(old.data_dir, "admin", "doctor", status=1)
    stopped = ketav(old.data_dir, "admin", "backup", str(tmp_path / "stopped"))
    assert running.partition("running: ")[2] == stopped.partition("stopped: ")[2]
    new = tiny_system(tmp_path / "new", tiny_models)
    ketav(new.data_dir, "admin", "restore", str(tmp_path / "stopped"))
    assert "is not empty" in ketav(new.data_dir, "admin", "restore", str(tmp_path / "stopped"), status=1)
    new.start()
    try:
        for key in (old.api_key, new.api_key):
            with new.client(key) as client:
                assert len(client.get("/projects/").json()["projects"]) == 1
    finally:
        assert new.stop() == 0, new.printed
