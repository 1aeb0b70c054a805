"""Readings that go on after their 202: bounded, owned by the application, drained at its stop."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from ketav_common.errors import KetavError, Unavailable
from ketav_common.logging import get_logger

log = get_logger()


class Readings:
    """Background readings, `limit` at most. One that fails leaves its page stored, to be read again."""

    def __init__(self, *, limit: int, drain_s: float) -> None:
        """Take how many readings may be under way, and the seconds they get at a stop."""
        self._limit = limit
        self._drain_s = drain_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Take readings from now on."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the readings under way, then give up on the rest."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("readings_drained", abandoned=len(late))

    def check_room(self) -> None:
        """Raise Unavailable when no further reading can be taken on."""
        if len(self._tasks) >= self._limit:
            raise Unavailable("Too many readings are under way.", code="overloaded", retry_after=10)

    def start(self, reading: Coroutine[object, object, object]) -> None:
        """Read in the background, as the caller of this very request."""
        task = asyncio.create_task(self._run(reading))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _run(reading: Coroutine[object, object, object]) -> None:
        """Read; what goes wrong is in the log, and the page can be read again."""
        try:
            await reading
        except KetavError as error:
            log.warning("background_reading_failed", code=error.code)
        except Exception:
            log.exception("background_reading_crashed")
