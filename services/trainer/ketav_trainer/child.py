"""The training process as the worker holds it: started fresh, heard line by line, killed when it must end."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ketav_common.logging import get_logger
from ketav_common.processes import OUT_OF_MEMORY, child_environment
from ketav_trainer.domain import FitFailedError

log = get_logger()

PARENT: Final = "parent.safetensors"
"""File of the model to fine-tune."""
CANDIDATE: Final = "candidate.safetensors"
"""File of the model that was made."""
RUN: Final = "run.json"
"""File that says what to do."""
_LONGEST_EVENT: Final = 16 * 1024 * 1024

OnEvent = Callable[[dict[str, Any]], Awaitable[None]]
"""Called with each event that the training process reports."""


async def run_child(directory: Path, on_event: OnEvent, seconds: float) -> None:
    """Run `ketav_trainer.fit_process` on a prepared directory until it ends.

    However this function is left, the process is gone. Raises FitFailedError, in words for the user, when it
    was killed, ended by itself with an error, or took longer than `seconds`.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ketav_trainer.fit_process",
        str(directory),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=child_environment({"TMPDIR": str(directory)}),
        limit=_LONGEST_EVENT,
    )
    try:
        async with asyncio.timeout(seconds):
            await _listen(process, on_event)
            status = await process.wait()
    except TimeoutError as error:
        raise FitFailedError("the training took too long and was stopped") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if status != 0:
        log.error("training_process_died", status=status)
        raise FitFailedError(_why(status))


async def _listen(process: asyncio.subprocess.Process, on_event: OnEvent) -> None:
    """Pass on each event until the process closes its end."""
    stream = process.stdout
    while stream is not None and (line := await stream.readline()):
        await on_event(json.loads(line))


def _why(status: int) -> str:
    """Say in a user's words why a training process ended with an exit status."""
    if status == OUT_OF_MEMORY:
        return "the training ran out of memory"
    if status < 0:
        return "the training was killed, probably for want of memory; it may be started again"
    return "the training ended with an internal error"
