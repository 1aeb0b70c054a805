"""The process groups that the supervisor started, listed where a later start and the guardian see them."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from ketav_local import guardian

PATIENCE_S = 5.0


class Ledger:
    """Process groups now running, told to the guardian and kept in a file with their start times.

    A context: leaving it lets the guardian go.
    """

    def __init__(self, path: Path) -> None:
        """Take the file that the pids are kept in."""
        self.path = path
        self.groups: dict[str, tuple[int, float]] = {}
        self.guardian = subprocess.Popen(
            [sys.executable, "-I", guardian.__file__],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Nothing to do: the guardian runs from construction."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the guardian's input; it ends what is left and exits."""
        self.guardian.communicate()

    def _tell(self, line: str) -> None:
        """Pass one line to the guardian and rewrite the file."""
        assert self.guardian.stdin is not None  # noqa: S101  # opened as a pipe above
        self.guardian.stdin.write(line)
        self.guardian.stdin.flush()
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.groups))
        part.replace(self.path)

    def add(self, name: str, group: int) -> None:
        """Note a started process, the leader of its group."""
        self.groups[name] = (group, started_at(group))
        self._tell(f"+{group}\n")

    def remove(self, name: str, group: int) -> None:
        """Forget a process that has ended."""
        if self.groups.get(name, (None,))[0] == group:
            del self.groups[name]
            self._tell(f"-{group}\n")


def started_at(pid: int) -> float:
    """Give when a process started, seconds since the epoch; 0 when it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def end_leftovers(path: Path) -> list[str]:
    """End processes that a killed supervisor left and the file still lists; give their names.

    A process counts only when its start time matches, so a reused id is left alone.
    """
    if not path.exists():
        return []
    listed: dict[str, tuple[int, float]] = json.loads(path.read_text() or "{}")
    left = {name: pid for name, (pid, start) in listed.items() if start and started_at(pid) == start}
    processes = []
    for pid in left.values():
        with contextlib.suppress(psutil.NoSuchProcess):  # the guardian may be ending the same ones
            processes.append(psutil.Process(pid))
            processes[-1].terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=PATIENCE_S)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=PATIENCE_S)
    path.unlink()
    return sorted(left)
