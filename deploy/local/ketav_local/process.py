"""One supervised process: what it is, how it is started in a group of its own, how the group is ended."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Probe = Callable[[], Awaitable[bool]]


async def always_ready() -> bool:
    """Answer for a process that is ready as soon as it runs."""
    return True


@dataclass(frozen=True)
class Spec:
    """One process of the system.

    It is started when its needs are up; an `eager` one at once, so that it loads meanwhile, but it is not up
    before them. `once` marks a step that must end with status 0 instead of a service that stays.
    `env` is the whole environment of the process; `sandbox` goes before the command (see `unprivileged`).
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    needs: tuple[str, ...] = ()
    ready: Probe = always_ready
    once: bool = False
    eager: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 15.0
    sandbox: tuple[str, ...] = field(default=())


def follow_parent(stop: signal.Signals) -> tuple[str, ...]:
    """Give the prefix by which a process gets `stop` when the supervisor dies; empty without setpriv."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or sys.platform != "linux":
        return ()
    return (setpriv, "--pdeathsig", stop.name.removeprefix("SIG"), "--")


async def spawn(spec: Spec, log: Path) -> Process:
    """Start the process as leader of a new session, its output appended to the log file."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *spec.sandbox,
            *follow_parent(spec.stop_signal),
            *spec.command,
            env=dict(spec.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to every process of a group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def end(process: Process, stop_signal: signal.Signals, patience_s: float) -> None:
    """Ask the process to stop, then after patience_s kill what is left of its group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_s)
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()
