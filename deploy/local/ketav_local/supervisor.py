"""Start processes in the order of their needs, bring back what dies, stop them in reverse."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ketav_local.ledger import Ledger
from ketav_local.process import Spec, end, signal_group, spawn

POLL_S = 0.2
FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 10.0
HEALTHY_S = 30.0
LOG_BYTES = 8 * 2**20
START_ATTEMPTS = 3


class StartError(RuntimeError):
    """A process could not be started; the message names it and its log."""


class Supervisor:
    """Runs the given specs as an asynchronous context: entered when all are ready, left when all have ended.

    A process that dies is restarted after a pause that doubles from 0.2 s to 10 s and starts over
    after 30 healthy seconds. `say` gets one short line for each event.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        logs: Path,
        ledger: Ledger,
        say: Callable[[str], None],
        start_timeout_s: float,
    ) -> None:
        """Take the processes in starting order, where logs and pids go, and the longest wait for one."""
        self.specs = {spec.name: spec for spec in specs}
        self.logs = logs
        self.ledger = ledger
        self.say = say
        self.start_timeout_s = start_timeout_s
        self.processes: dict[str, Process] = {}
        self.restarts: dict[str, int] = dict.fromkeys(self.specs, 0)
        self.up = {name: asyncio.Event() for name in self.specs}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Start everything, concurrently where the needs allow it; stop it again when one cannot start."""
        for name, spec in self.specs.items():
            self.tasks[name] = asyncio.create_task(self._keep(spec), name=name)
        self.tasks["logs"] = asyncio.create_task(self._bound_logs(), name="logs")
        try:
            async with asyncio.timeout(self.start_timeout_s):
                await self._all_up()
        except TimeoutError as error:
            late = [name for name, event in self.up.items() if not event.is_set()]
            await self.stop()
            raise StartError(f"not ready after {self.start_timeout_s:.0f} s: {', '.join(late)}") from error
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything in reverse order of the needs."""
        await self.stop()

    async def _all_up(self) -> None:
        """Wait until every spec is up; raise the error of one that gave up."""
        waiting = asyncio.ensure_future(asyncio.gather(*(event.wait() for event in self.up.values())))
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
        """Give the path of a process's log."""
        return self.logs / f"{name}.log"

    async def _keep(self, spec: Spec) -> None:
        """Keep one process running until cancelled; a step that runs once ends this when it succeeded."""
        for need in () if spec.eager else spec.needs:
            await self.up[need].wait()
        pause, failures = FIRST_BACKOFF_S, 0
        while True:
            began = time.monotonic()
            status = await self._tried(spec)
            if spec.once and status == 0:
                self.up[spec.name].set()
                return
            failures = 0 if self.up[spec.name].is_set() else failures + 1
            if failures >= START_ATTEMPTS:
                raise StartError(
                    f"{spec.name} does not start (status {status}); see {self.log_of(spec.name)}"
                )
            pause = (
                FIRST_BACKOFF_S if time.monotonic() - began > HEALTHY_S else min(2 * pause, LAST_BACKOFF_S)
            )
            self.restarts[spec.name] += 1
            self.say(f"{spec.name} ended with status {status}; starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)

    async def _tried(self, spec: Spec) -> int:
        """Run the process once; where the machine refuses, as with a full disk, end it and say so."""
        try:
            return await self._run(spec)
        except OSError as error:
            process = self.processes.get(spec.name)
            if process is not None and process.returncode is None:  # one that has ended may lend its pid
                signal_group(process.pid, signal.SIGKILL)
            self.say(f"{spec.name}: {error}")
            return -1

    async def _run(self, spec: Spec) -> int:
        """Run the process once, mark it up when it is ready, and give its exit status."""
        began = time.monotonic()
        process = await spawn(spec, self.log_of(spec.name))
        self.processes[spec.name] = process
        self.ledger.add(spec.name, process.pid)
        ended = asyncio.create_task(process.wait())
        try:
            while not spec.once and not ended.done() and not await self._is_up(spec):
                await asyncio.wait([ended], timeout=POLL_S)
            if not spec.once and not ended.done():
                self.up[spec.name].set()
                self.say(f"{spec.name} is ready ({time.monotonic() - began:.1f} s)")
            return await asyncio.shield(ended)
        finally:
            if ended.done():
                signal_group(process.pid, signal.SIGKILL)
                self.ledger.remove(spec.name, process.pid)

    async def _is_up(self, spec: Spec) -> bool:
        """Tell whether everything a process needs is up and it says that it is ready."""
        return all(self.up[need].is_set() for need in spec.needs) and await spec.ready()

    async def _bound_logs(self) -> None:
        """Keep each log below LOG_BYTES: the old content moves to `.1`, the file is emptied in place."""
        while True:
            await asyncio.sleep(10)
            for log in self.logs.glob("*.log"):
                try:
                    _bound(log)
                except OSError as error:
                    self.say(f"{log.name} cannot be shortened: {error}")

    def _waves(self) -> list[list[str]]:
        """Give the names in the order of stopping: first those that nobody left needs."""
        left, waves = set(self.specs), []
        while left:
            needed = {need for name in left for need in self.specs[name].needs}
            wave = sorted(left - needed) or sorted(left)
            waves.append(wave)
            left -= set(wave)
        return waves

    async def stop(self) -> None:
        """End all processes, dependants first, and wait for each."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        for wave in self._waves():
            await asyncio.gather(*(self._end(self.specs[name]) for name in wave if name in self.processes))

    async def _end(self, spec: Spec) -> None:
        """End one process and take it off the ledger."""
        process = self.processes.pop(spec.name)
        await end(process, spec.stop_signal, spec.stop_s)
        self.ledger.remove(spec.name, process.pid)


def _bound(log: Path) -> None:
    """Move what a log holds to `.1` once it is too long, and empty it in place."""
    if log.stat().st_size > LOG_BYTES:
        log.with_suffix(".log.1").write_bytes(log.read_bytes()[-LOG_BYTES:])
        with log.open("r+b") as file:
            file.truncate(0)
