"""Idle readers and the requests that wait for one, by turns of users; those of jobs come last."""

import asyncio
import heapq
import itertools
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ReaderT = TypeVar("ReaderT")


@dataclass(order=True)
class _Waiter(Generic[ReaderT]):
    """A request that waits: those of users compare less than those of jobs, then earlier rounds."""

    batch: bool
    round: int
    number: int
    reader: "asyncio.Future[ReaderT]" = field(compare=False)


class IdleReaders(Generic[ReaderT]):
    """Hands each idle reader to the first waiting request. All methods belong to one event loop.

    Users take turns (start-time fair queueing with requests of one size, Goyal et al. 1996): a request waits
    in the round after that of its user's previous one, but never in a round that is over.
    """

    def __init__(self) -> None:
        """Begin without readers and requests."""
        self._idle: deque[ReaderT] = deque()
        self._waiting: list[_Waiter[ReaderT]] = []
        self._numbers = itertools.count()
        self._round: Counter[bool] = Counter()
        self._last_rounds: dict[tuple[bool, str], int] = {}

    def put(self, reader: ReaderT) -> None:
        """Offer an idle reader."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.reader.done():
                self._begin_round(waiter.batch, waiter.round)
                waiter.reader.set_result(reader)
                return
        self._idle.append(reader)

    def take_all(self) -> list[ReaderT]:
        """Return the readers that no request waits for, and offer them no more."""
        readers = list(self._idle)
        self._idle.clear()
        return readers

    async def get(self, user: str = "", *, batch: bool) -> ReaderT:
        """Wait for a reader for a user; a caller that is cancelled leaves the queue without one."""
        if self._idle:
            return self._idle.popleft()
        turn = max(self._round[batch], self._last_rounds.get((batch, user), -1) + 1)
        self._last_rounds[batch, user] = turn
        reader_of = asyncio.get_running_loop().create_future()
        waiter: _Waiter[ReaderT] = _Waiter(batch, turn, next(self._numbers), reader_of)
        heapq.heappush(self._waiting, waiter)
        try:
            reader: ReaderT = await waiter.reader
        except asyncio.CancelledError:
            if waiter.reader.done() and not waiter.reader.cancelled():
                self.put(waiter.reader.result())
            raise
        return reader

    def _begin_round(self, batch: bool, number: int) -> None:
        """Begin the round of the request that is served, and forget users without a turn in it or later."""
        if number > self._round[batch]:
            self._round[batch] = number
            self._last_rounds = {
                key: last for key, last in self._last_rounds.items() if key[0] != batch or last >= number
            }
