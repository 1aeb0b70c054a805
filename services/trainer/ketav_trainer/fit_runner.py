"""Runs the training process: started fresh, its events passed on, killed when it must end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.logging import get_logger
from ketav_trainer.domain import FitFailedError
from ketav_trainer.fit_messages import FitConfig, from_config

log = get_logger()

_MODULE: Final = "ketav_trainer.fit_process"
_LAST_EVENTS: Final = frozenset({"done", "failed"})

OnEvent = Callable[[dict[str, Any]], Awaitable[None]]
"""Called with each event that the training process reports."""


async def run_fit(config: FitConfig, on_event: OnEvent, *, memory_bytes: int, seconds: float) -> None:
    """Train as the configuration says, in a process of its own, until that reports its last event.

    However this function ends, the process is gone. Raises FitFailedError, with sentences for the user, when
    the process was killed, ended with an error, or took longer than `seconds`.
    """
    child = await ChildProcess.start(
        _MODULE,
        ChildLimits(memory_bytes=memory_bytes),
        setup=from_config(config),
        environment={"TMPDIR": str(config.directory)},
    )
    try:
        async with asyncio.timeout(seconds):
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
