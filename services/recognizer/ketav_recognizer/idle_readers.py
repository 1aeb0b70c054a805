"""Idle readers and the requests that wait for one: those of users come before those of jobs."""

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ReaderT = TypeVar("ReaderT")


@dataclass(order=True)
class _Waiter(Generic[ReaderT]):
    """A request that waits: those of users compare less than those of jobs, earlier ones than later ones."""

    batch: bool
    number: int
    reader: "asyncio.Future[ReaderT]" = field(compare=False)


class IdleReaders(Generic[ReaderT]):
    """Hands each idle reader to the first waiting request. All methods belong to one event loop."""

    def __init__(self) -> None:
        """Begin without readers and requests."""
        self._idle: deque[ReaderT] = deque()
        self._waiting: list[_Waiter[ReaderT]] = []
        self._numbers = itertools.count()

    def put(self, reader: ReaderT) -> None:
        """Offer an idle reader."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.reader.done():
                waiter.reader.set_result(reader)
                return
        self._idle.append(reader)

    def take_all(self) -> list[ReaderT]:
        """Return the readers that no request waits for, and offer them no more."""
        readers = list(self._idle)
        self._idle.clear()
        return readers

    async def get(self, *, batch: bool) -> ReaderT:
        """Wait for a reader; a caller that is cancelled leaves the queue, its reader goes to the next one."""
        if self._idle:
            return self._idle.popleft()
        waiter = _Waiter(batch, next(self._numbers), asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, waiter)
        try:
            reader: ReaderT = await waiter.reader
        except asyncio.CancelledError:
            if waiter.reader.done() and not waiter.reader.cancelled():
                self.put(waiter.reader.result())
            raise
        return reader
