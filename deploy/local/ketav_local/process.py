"""One supervised process: its description, its start in a process group of its own, and the group's end."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Probe = Callable[[], Awaitable[bool]]
"""Returns whether a process is ready."""


async def always_ready() -> bool:
    """Return True: the process is ready as soon as it runs."""
    return True


@dataclass(frozen=True)
class Spec:
    """One process of the system."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment of the process."""
    needs: tuple[str, ...] = ()
    """Names of the processes that must be ready before this one counts as ready."""
    ready: Probe = always_ready
    alive: Probe | None = None
    """Whether the process, once ready, still answers; one that does not is killed and started again."""
    beat_file: Path | None = None
    """The file that it touches while it runs; removed before each start."""
    once: bool = False
    """Whether it is a step that must end with status 0, and not a service."""
    start_at_once: bool = False
    """Whether it is started before its needs are ready, so that it loads meanwhile."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 15.0
    """Seconds that it may take to stop before it is killed."""
    sandbox: tuple[str, ...] = ()
    """Prefix of the command (see `postgres.unprivileged`)."""


def parent_death_prefix(stop: signal.Signals) -> tuple[str, ...]:
    """Return the command prefix that sends `stop` when the supervisor dies; empty without setpriv."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or sys.platform != "linux":
        return ()
    return (setpriv, "--pdeathsig", stop.name.removeprefix("SIG"), "--")


async def spawn(spec: Spec, log: Path) -> Process:
    """Start the process as leader of a new session; its output is appended to the log file."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *spec.sandbox,
            *parent_death_prefix(spec.stop_signal),
            *spec.command,
            env=dict(spec.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to every process of a group; return whether the group has a process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def end(process: Process, stop_signal: signal.Signals, timeout_s: float) -> None:
    """Signal the process to stop, then kill its group after `timeout_s` seconds."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), timeout_s)
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()
