"""A named point stops a process when a test has ordered it, once, and is nothing otherwise."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ketav_common import faults


def test_a_point_without_orders_is_passed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Production sets no folder; a folder without an order for the point stops no process either."""
    monkeypatch.delenv(faults.DIRECTORY, raising=False)
    faults.reached("after-claim")
    monkeypatch.setenv(faults.DIRECTORY, str(tmp_path))
    faults.reached("after-claim")
    assert list(tmp_path.iterdir()) == []


def test_an_ordered_stop_happens_once_and_says_who_stopped(tmp_path: Path) -> None:
    """The process stops by SIGSTOP with its id and the run's in the order; let go on, it passes the point."""
    (tmp_path / "after-claim").mkdir()
    order = tmp_path / "after-claim" / "1.armed"
    order.touch()
    code = "from ketav_common.faults import reached\nfor _ in range(2): reached('after-claim', 'run')"
    environment = os.environ | {faults.DIRECTORY: str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert order.with_suffix(".taken").read_text() == f"{process.pid} run\n"
    process.send_signal(signal.SIGCONT)
    assert process.wait(10) == 0
