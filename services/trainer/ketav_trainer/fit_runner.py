"""Runs training processes: started ahead or for a run, their events passed on, killed when they must end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.logging import get_logger
from ketav_trainer.domain import FitFailedError
from ketav_trainer.fit_messages import EngineConfig, FitConfig, from_config, from_engine_config

log = get_logger()

_MODULE: Final = "ketav_trainer.fit_process"
_LAST_EVENTS: Final = frozenset({"done", "failed"})

OnEvent = Callable[[dict[str, Any]], Awaitable[None]]
"""Called with each event that the training process reports."""


class FitProcesses:
    """Starts the processes of trainings, one at a time. All methods belong to one event loop.

    A process imports torch and Kraken for seconds before it can train. One that `prepare` has started waits
    with the engine loaded; each trains one run and ends.
    """

    def __init__(self, engine: EngineConfig, memory_bytes: int) -> None:
        """Take what a process loads, and the limit of its address space (0: none)."""
        self._engine = engine
        self._limits = ChildLimits(memory_bytes=memory_bytes)
        self._waiting: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id of the process that waits for a run, None without one."""
        return self._waiting.pid if self._waiting is not None and self._waiting.alive else None

    async def prepare(self) -> None:
        """Start a process that waits for a run, unless one waits; a failure costs only the time it saves."""
        if self.pid is not None:
            return
        await self.close()
        try:
            self._waiting = await self._start()
        except (OSError, ChildDiedError) as error:
            log.warning("training_process_not_prepared", reason=str(error))

    async def take(self) -> ChildProcess:
        """Return the process that waits, or a new one; the caller ends it."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return await self._start()
        if waiting.alive:
            return waiting
        await waiting.end()
        return await self._start()

    async def close(self) -> None:
        """End the process that waits."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            await waiting.end()

    async def _start(self) -> ChildProcess:
        """Start a process; it loads the engine."""
        return await ChildProcess.start(_MODULE, self._limits, setup=from_engine_config(self._engine))


async def run_fit(processes: FitProcesses, config: FitConfig, on_event: OnEvent, *, seconds: float) -> None:
    """Train as the configuration says, in a process of its own, until that reports its last event.

    However this function ends, the process is gone. Raises FitFailedError, with sentences for the user, when
    the process was killed, ended with an error, or took longer than `seconds`.
    """
    child = await processes.take()
    try:
        async with asyncio.timeout(seconds):
            await child.send(from_config(config))
            await _pass_on_events(child, on_event)
    except TimeoutError as error:
        raise FitFailedError("The training took too long and was stopped. Start it again.") from error
    except ChildDiedError as error:
        log.error("training_process_died", reason=str(error))  # noqa: TRY400
        raise FitFailedError(_sentences(error)) from error
    finally:
        await child.end()


async def _pass_on_events(child: ChildProcess, on_event: OnEvent) -> None:
    """Call `on_event` with each event up to the last one."""
    while True:
        event = (await child.receive()).message
        await on_event(event)
        if event["event"] in _LAST_EVENTS:
            return


def _sentences(error: ChildDiedError) -> str:
    """Return the sentences for the user about the end of a training process."""
    if error.out_of_memory:
        return "The training ran out of memory. Start it again later."
    if error.killed:
        return "The training was killed, probably because memory ran out. Start it again later."
    return "The training ended with an internal error. Try again later."
