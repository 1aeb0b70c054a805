"""Limits of users, counted in this process: requests in a time window; uploads, imports, exports at once."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from ketav_common.errors import RateLimited, Unavailable

_RETRY_S = 2
"""Seconds after which a refused client retries: a page takes one to three seconds to store."""


class RateLimits:
    """Named limits over sliding windows, each written like `60/minute` (the syntax of `limits`)."""

    def __init__(self, **expressions: str) -> None:
        """Take the expression of each limit."""
        self._items: dict[str, RateLimitItem] = {name: parse(text) for name, text in expressions.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, name: str, caller: str) -> None:
        """Count a request of a caller; raises RateLimited with the seconds to wait above the limit."""
        if not await self._limiter.hit(self._items[name], name, caller):
            raise await self._rate_limited(name, caller)

    async def count_more(self, name: str, caller: str, times: int) -> None:
        """Count a request that was counted once so many times more, as far as the limit allows.

        It is not refused: a document with more pages than the limit would never be read.
        """
        item = self._items[name]
        left = (await self._limiter.get_window_stats(item, name, caller)).remaining
        if cost := min(times, left):
            await self._limiter.hit(item, name, caller, cost=cost)

    async def check(self, name: str, caller: str) -> None:
        """Raise RateLimited if the caller has reached the limit; does not count a request."""
        if not await self._limiter.test(self._items[name], name, caller):
            raise await self._rate_limited(name, caller)

    async def _rate_limited(self, name: str, caller: str) -> RateLimited:
        """Return the error with the seconds until the window is reset."""
        stats = await self._limiter.get_window_stats(self._items[name], name, caller)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        item = self._items[name]
        return RateLimited(
            f"More than {item.amount} requests were sent within {item.get_expiry()} seconds. "
            f"Retry after {wait} seconds.",
            retry_after=wait,
        )


class ConcurrencyLimit:
    """Limits how many operations run at once, in total and per user; raises instead of waiting."""

    def __init__(self, total: int, per_user: int, name: str) -> None:
        """Take the number of operations in total and per user, and a plural noun for error details."""
        self._free = total
        self._per_user = per_user
        self._name = name
        self._used: Counter[str] = Counter()

    def check(self, user_id: str) -> None:
        """Raise RateLimited when `per_user` operations of the user run, Unavailable when `total` run."""
        if self._used[user_id] >= self._per_user:
            raise RateLimited(
                f"Your account has {self._per_user} {self._name} in progress, the most that are allowed. "
                "Retry when one has ended.",
                retry_after=_RETRY_S,
            )
        if self._free <= 0:
            raise Unavailable(
                f"The server has too many {self._name} in progress. Retry after {_RETRY_S} seconds.",
                code="overloaded",
                retry_after=_RETRY_S,
            )

    @contextmanager
    def acquire(self, user_id: str) -> Iterator[None]:
        """Count the block as an operation of the user; raises the errors of `check`."""
        self.check(user_id)
        self._free -= 1
        self._used[user_id] += 1
        try:
            yield
        finally:
            self._free += 1
            self._used[user_id] -= 1
            if not self._used[user_id]:
                del self._used[user_id]
