"""The pid file: the process groups that the supervisor started, for the watchdog and for the next start."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from ketav_local import watchdog

STOP_TIMEOUT_S = 5.0


class PidFile:
    """The running process groups with their start times, in a file and reported to the watchdog.

    A context: leaving it ends the watchdog.
    """

    def __init__(self, path: Path) -> None:
        """Take the path of the file and start the watchdog."""
        self.path = path
        self.groups: dict[str, tuple[int, float]] = {}
        self.watchdog = subprocess.Popen(
            [sys.executable, "-I", watchdog.__file__],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Return the pid file; the watchdog already runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the watchdog's input; it ends the groups that are left and exits."""
        self.watchdog.communicate()

    def _report(self, line: str) -> None:
        """Send one line to the watchdog and write the file again."""
        assert self.watchdog.stdin is not None  # noqa: S101  # opened as a pipe above
        self.watchdog.stdin.write(line)
        self.watchdog.stdin.flush()
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.groups))
        part.replace(self.path)

    def add(self, name: str, group: int) -> None:
        """Add a started process, the leader of its group."""
        self.groups[name] = (group, started_at(group))
        self._report(f"+{group}\n")

    def remove(self, name: str, group: int) -> None:
        """Remove a process that has ended."""
        if self.groups.get(name, (None,))[0] == group:
            del self.groups[name]
            self._report(f"-{group}\n")


def started_at(pid: int) -> float:
    """Return when a process started, in seconds since the epoch; 0 when it has ended."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def running_processes(path: Path) -> dict[str, int]:
    """Return the process ids of the listed processes that run, by name; empty without a file.

    A process counts only when its start time matches, so a process with a reused id is left out.
    """
    if not path.exists():
        return {}
    listed: dict[str, tuple[int, float]] = json.loads(path.read_text() or "{}")
    return {name: pid for name, (pid, start) in listed.items() if start and started_at(pid) == start}


def end_left_processes(path: Path) -> list[str]:
    """End the processes of a killed supervisor that the file still lists; return their names."""
    if not path.exists():
        return []
    pids = running_processes(path)
    processes = []
    for pid in pids.values():
        with contextlib.suppress(psutil.NoSuchProcess):  # the watchdog may end the same ones
            processes.append(psutil.Process(pid))
            processes[-1].terminate()
    _, running = psutil.wait_procs(processes, timeout=STOP_TIMEOUT_S)
    for process in running:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(running, timeout=STOP_TIMEOUT_S)
    path.unlink()
    return sorted(pids)
