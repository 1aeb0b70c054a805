"""Tasks that continue after their 202 response: bounded in number, finished before the process stops."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from ketav_common.errors import KetavError, Unavailable
from ketav_common.logging import get_logger

log = get_logger()

_RETRY_S = 10
"""Seconds after which a refused client retries: some pages are read in that time."""


class BackgroundTasks:
    """At most `limit` readings in the background. The page of one that fails stays stored."""

    def __init__(self, *, limit: int, drain_s: float) -> None:
        """Take the most tasks at once, and the seconds that they get when the process stops."""
        self._limit = limit
        self._drain_s = drain_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start to accept tasks."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait `drain_s` seconds for the running tasks, then cancel the rest."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("background_readings_drained", cancelled=len(late))

    def check_capacity(self) -> None:
        """Raise Unavailable when `limit` tasks run."""
        if len(self._tasks) >= self._limit:
            raise Unavailable(
                f"The server reads {self._limit} pages in the background, the most that are allowed. "
                "Retry later, or send the request without Prefer: respond-async.",
                code="overloaded",
                retry_after=_RETRY_S,
            )

    def start(self, reading: Coroutine[object, object, object]) -> None:
        """Run a reading in the background, with the caller and request id of the current request."""
        task = asyncio.create_task(self._run(reading))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _run(reading: Coroutine[object, object, object]) -> None:
        """Await a reading and log its failure."""
        try:
            await reading
        except KetavError as error:
            log.warning("background_reading_failed", code=error.code)
        except Exception:
            log.exception("background_reading_crashed")
