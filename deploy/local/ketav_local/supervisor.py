"""Starts processes in the order of their needs, restarts those that die, stops them in reverse order."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ketav_local.errors import StartError
from ketav_local.pid_file import PidFile
from ketav_local.process import Spec, end, signal_group, spawn

POLL_S = 0.2
"""Seconds between two readiness probes of a starting process."""
FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 10.0
HEALTHY_S = 30.0
"""Seconds after which a process that dies is restarted with the first backoff again."""
LIVENESS_S = 3.0
"""Seconds between two liveness probes of a process."""
UNANSWERED = 3
"""Unanswered liveness probes in a row after which a process is killed."""
MAX_LOG_BYTES = 8 * 2**20
LOG_CHECK_INTERVAL_S = 10
START_ATTEMPTS = 3
"""Failed attempts to start a process after which the system does not start."""
LOG_TAIL_LINES = 3
"""Lines of a process's log that are printed when it does not start: a wrong setting takes one."""


class Supervisor:
    """Runs the given specs as an asynchronous context: entered when all are ready, left when all have ended.

    A process that dies is restarted after a pause that doubles from 0.2 s to 10 s and starts over
    after 30 healthy seconds. `say` gets one short line for each event.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        logs: Path,
        pid_file: PidFile,
        say: Callable[[str], None],
        start_timeout_s: float,
    ) -> None:
        """Take the processes in starting order, the logs' directory, the pid file and a time limit."""
        self.specs = {spec.name: spec for spec in specs}
        self.logs = logs
        self.pid_file = pid_file
        self.say = say
        self.start_timeout_s = start_timeout_s
        self.processes: dict[str, Process] = {}
        self.restarts: dict[str, int] = dict.fromkeys(self.specs, 0)
        self.ready = {name: asyncio.Event() for name in self.specs}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Start all processes, concurrently where their needs allow it.

        Raises StartError, after stopping all, when one does not start or is not ready in `start_timeout_s`.
        """
        for name, spec in self.specs.items():
            self.tasks[name] = asyncio.create_task(self._supervise(spec), name=name)
        self.tasks["logs"] = asyncio.create_task(self._rotate_logs(), name="logs")
        try:
            async with asyncio.timeout(self.start_timeout_s):
                await self._all_ready()
        except TimeoutError as error:
            missing = [name for name, event in self.ready.items() if not event.is_set()]
            await self.stop()
            raise StartError(
                f"Not ready after {self.start_timeout_s:.0f} s: {', '.join(missing)}. "
                "Start again: the packages are in the file cache now. On a slow machine set "
                f"KETAV_START_TIMEOUT_S to more seconds. The logs are in {self.logs}."
            ) from error
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything in reverse order of the needs."""
        await self.stop()

    async def _all_ready(self) -> None:
        """Wait until every process is ready; raises StartError when one does not start."""
        waiting = asyncio.ensure_future(asyncio.gather(*(event.wait() for event in self.ready.values())))
        pending: set[asyncio.Future[Any]] = {waiting, *self.tasks.values()}
        try:
            while not waiting.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:
            waiting.cancel()
            await asyncio.wait([waiting])
            waiting.cancelled() or waiting.exception()

    def log_of(self, name: str) -> Path:
        """Return the path of a process's log."""
        return self.logs / f"{name}.log"

    def _failure(self, name: str, status: int) -> str:
        """Return what to say of a process that does not start: its status and the end of its log."""
        log = self.log_of(name)
        lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:] if log.exists() else []
        tail = "".join(f"\n  {line}" for line in lines)
        return f"Process {name} does not start (status {status}). Its log {log} ends with:{tail}"

    async def _supervise(self, spec: Spec) -> None:
        """Run one process, restarted when it ends, until cancelled; a step that runs once ends by success."""
        for need in () if spec.start_at_once else spec.needs:
            await self.ready[need].wait()
        pause, failures = FIRST_BACKOFF_S, 0
        while True:
            began = time.monotonic()
            status = await self._run_or_report(spec)
            if spec.once and status == 0:
                self.ready[spec.name].set()
                return
            failures = 0 if self.ready[spec.name].is_set() else failures + 1
            if failures >= START_ATTEMPTS:
                raise StartError(self._failure(spec.name, status))
            pause = (
                FIRST_BACKOFF_S if time.monotonic() - began > HEALTHY_S else min(2 * pause, LAST_BACKOFF_S)
            )
            self.restarts[spec.name] += 1
            self.say(f"{spec.name} ended with status {status}; starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)

    async def _run_or_report(self, spec: Spec) -> int:
        """Run the process once; an error of the system, such as a full disk, is reported and ends it."""
        try:
            return await self._run(spec)
        except OSError as error:
            process = self.processes.get(spec.name)
            if (
                process is not None and process.returncode is None
            ):  # the pid of one that has ended may be reused
                signal_group(process.pid, signal.SIGKILL)
            self.say(f"{spec.name}: {error}")
            return -1

    async def _run(self, spec: Spec) -> int:
        """Run the process once, mark it as ready, and return its exit status."""
        began = time.monotonic()
        if spec.beat_file is not None:
            spec.beat_file.unlink(missing_ok=True)
        process = await spawn(spec, self.log_of(spec.name))
        self.processes[spec.name] = process
        self.pid_file.add(spec.name, process.pid)
        ended = asyncio.create_task(process.wait())
        watching: asyncio.Task[None] | None = None
        try:
            while not spec.once and not ended.done() and not await self._is_ready(spec):
                await asyncio.wait([ended], timeout=POLL_S)
            if not spec.once and not ended.done():
                self.ready[spec.name].set()
                self.say(f"{spec.name} is ready ({time.monotonic() - began:.1f} s)")
                watching = asyncio.create_task(self._kill_when_hanging(spec, process))
            return await asyncio.shield(ended)
        finally:
            if watching is not None:
                watching.cancel()
            if ended.done():
                signal_group(process.pid, signal.SIGKILL)
                self.pid_file.remove(spec.name, process.pid)

    async def _kill_when_hanging(self, spec: Spec, process: Process) -> None:
        """Kill a process that was ready and does not answer several liveness probes in a row."""
        unanswered = 0
        while spec.alive is not None and unanswered < UNANSWERED:
            await asyncio.sleep(LIVENESS_S)
            unanswered = 0 if await spec.alive() else unanswered + 1
        if unanswered:
            self.say(f"{spec.name} does not answer; it is killed")
            signal_group(process.pid, signal.SIGKILL)

    async def _is_ready(self, spec: Spec) -> bool:
        """Return whether the processes that a process needs are ready, and it is ready itself."""
        return all(self.ready[need].is_set() for need in spec.needs) and await spec.ready()

    async def _rotate_logs(self) -> None:
        """Keep each log below MAX_LOG_BYTES: its content moves to `.1`, and the file is emptied in place."""
        while True:
            await asyncio.sleep(LOG_CHECK_INTERVAL_S)
            for log in self.logs.glob("*.log"):
                try:
                    _rotate(log)
                except OSError as error:
                    self.say(f"{log.name} cannot be rotated: {error}")

    def _stop_order(self) -> list[list[str]]:
        """Return the names in the order of stopping: first those that no other remaining process needs."""
        left, waves = set(self.specs), []
        while left:
            needed = {need for name in left for need in self.specs[name].needs}
            wave = sorted(left - needed) or sorted(left)
            waves.append(wave)
            left -= set(wave)
        return waves

    async def stop(self) -> None:
        """End all processes, those that need others first, and wait for them."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        for wave in self._stop_order():
            await asyncio.gather(*(self._end(self.specs[name]) for name in wave if name in self.processes))

    async def _end(self, spec: Spec) -> None:
        """End one process and remove it from the pid file."""
        process = self.processes.pop(spec.name)
        await end(process, spec.stop_signal, spec.stop_s)
        self.pid_file.remove(spec.name, process.pid)


def _rotate(log: Path) -> None:
    """Move the content of a log that is too long to `.1`, and empty the file in place."""
    if log.stat().st_size > MAX_LOG_BYTES:
        log.with_suffix(".log.1").write_bytes(log.read_bytes()[-MAX_LOG_BYTES:])
        with log.open("r+b") as file:
            file.truncate(0)
