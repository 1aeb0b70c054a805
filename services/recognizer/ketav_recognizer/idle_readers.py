"""Idle readers and the requests that wait for one, by turns of users; those of jobs come last."""

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ReaderT = TypeVar("ReaderT")


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of a request: its user, and the seconds that it is expected to take."""

    user: str = ""
    batch: bool = False
    """Of a job: it waits until no request of a user does."""
    seconds: float = 1.0


@dataclass(order=True)
class _Waiter(Generic[ReaderT]):
    """A request that waits: those of users compare less than those of jobs, then earlier ends of a turn."""

    batch: bool
    end: float
    number: int
    start: float = field(compare=False)
    reader: "asyncio.Future[ReaderT]" = field(compare=False)


class IdleReaders(Generic[ReaderT]):
    """Hands each idle reader to the first waiting request. All methods belong to one event loop.

    Users take turns by the seconds that their requests take (fair queueing with a clock that is set by the
    start of the request that is served, Goyal et al. 1996). The turn of a request begins where the previous
    one of its user ends, but never before now; the turn that ends first is served. A user's line waits for
    one page of another user, and not for all that this user has sent.
    """

    def __init__(self) -> None:
        """Begin without readers and requests."""
        self._idle: deque[ReaderT] = deque()
        self._waiting: list[_Waiter[ReaderT]] = []
        self._numbers = itertools.count()
        self._now = {False: 0.0, True: 0.0}
        self._last_ends: dict[tuple[bool, str], float] = {}

    def put(self, reader: ReaderT) -> None:
        """Offer an idle reader."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.reader.done():
                self._begin(waiter.batch, waiter.start)
                waiter.reader.set_result(reader)
                return
        self._idle.append(reader)

    def take_all(self) -> list[ReaderT]:
        """Return the readers that no request waits for, and offer them no more."""
        readers = list(self._idle)
        self._idle.clear()
        return readers

    async def get(self, turn: Turn) -> ReaderT:
        """Wait for a reader; a caller that is cancelled leaves the queue without one."""
        key = turn.batch, turn.user
        start = max(self._now[turn.batch], self._last_ends.get(key, 0.0))
        end = self._last_ends[key] = start + turn.seconds
        if self._idle:
            self._begin(turn.batch, start)
            return self._idle.popleft()
        reader_of = asyncio.get_running_loop().create_future()
        waiter: _Waiter[ReaderT] = _Waiter(turn.batch, end, next(self._numbers), start, reader_of)
        heapq.heappush(self._waiting, waiter)
        try:
            reader: ReaderT = await waiter.reader
        except asyncio.CancelledError:
            if waiter.reader.done() and not waiter.reader.cancelled():
                self.put(waiter.reader.result())
            raise
        return reader

    def charge(self, turn: Turn, seconds: float) -> None:
        """Add the seconds that a request took in excess of its turn to the later turns of its user."""
        key = turn.batch, turn.user
        excess = max(0.0, seconds - turn.seconds)
        if excess:
            self._last_ends[key] = max(self._now[turn.batch], self._last_ends.get(key, 0.0)) + excess

    def _begin(self, batch: bool, start: float) -> None:
        """Set the clock to the start of the turn that is served, and forget users whose turns are over."""
        if start > self._now[batch]:
            self._now[batch] = start
            self._last_ends = {
                key: end for key, end in self._last_ends.items() if key[0] != batch or end > start
            }
