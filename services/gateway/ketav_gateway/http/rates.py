"""Requests of callers in sliding windows, counted by all gateways together in Redis or by this one alone."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import BlockingConnectionPool

from ketav_common.errors import RateLimited
from ketav_common.logging import get_logger

log = get_logger()

_Result = TypeVar("_Result")
_Limiter = SlidingWindowCounterRateLimiter

_ANSWER_S: Final = 0.25
"""Seconds for an answer of Redis, which takes below a millisecond; a request waits no longer for it."""
_CONNECTIONS: Final = 16
"""Connections to Redis at most: each answers some thousand requests a second."""
_PAUSE_S: Final = 5.0
"""Seconds for which Redis is not asked after a failure: a restarted one serves within three."""


@asynccontextmanager
async def shared_storage(url: str) -> AsyncIterator[Storage]:
    """Yield the counters in a Redis or Valkey; nothing is connected before the first request."""
    pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=_ANSWER_S)
    try:
        yield RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="ketav-rates",
            connection_pool=pool,  # type: ignore[arg-type]  # the documented type
        )
    finally:
        await pool.aclose()


class RateLimits:
    """Named limits over sliding windows, each written like `60/minute` (the syntax of `limits`).

    Without `shared`, and while it does not answer, this process counts its own requests.
    """

    def __init__(
        self,
        *,
        shared: Storage | None = None,
        clock: Callable[[], float] = time.monotonic,
        **expressions: str,
    ) -> None:
        """Take the counters that all gateways share, and the expression of each limit."""
        self._items: dict[str, RateLimitItem] = {name: parse(text) for name, text in expressions.items()}
        self._own = _Limiter(MemoryStorage())
        self._shared = None if shared is None else _Limiter(shared)
        self._clock = clock
        self._paused_until = -math.inf

    async def count(self, name: str, caller: str) -> None:
        """Count a request of a caller; raises RateLimited with the seconds to wait above the limit."""
        item = self._items[name]
        if not await self._ask(lambda limiter: limiter.hit(item, name, caller)):
            raise await self._rate_limited(name, caller)

    async def count_more(self, name: str, caller: str, times: int) -> None:
        """Count a request that was counted once so many times more, as far as the limit allows.

        It is not refused: a document with more pages than the limit would never be read.
        """
        item = self._items[name]
        stats = await self._ask(lambda limiter: limiter.get_window_stats(item, name, caller))
        if cost := min(times, stats.remaining):
            await self._ask(lambda limiter: limiter.hit(item, name, caller, cost=cost))

    async def _rate_limited(self, name: str, caller: str) -> RateLimited:
        """Return the error with the seconds until the window is reset."""
        item = self._items[name]
        stats = await self._ask(lambda limiter: limiter.get_window_stats(item, name, caller))
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return RateLimited(
            f"More than {item.amount} requests were sent within {item.get_expiry()} seconds. "
            f"Retry after {wait} seconds.",
            retry_after=wait,
        )

    async def _ask(self, question: Callable[[_Limiter], Awaitable[_Result]]) -> _Result:
        """Ask the shared counters, or this process's own while those do not answer."""
        if self._shared is not None and self._clock() >= self._paused_until:
            try:
                async with asyncio.timeout(_ANSWER_S):
                    return await question(self._shared)
            except (StorageError, TimeoutError) as error:
                self._paused_until = self._clock() + _PAUSE_S
                log.warning("rates_not_shared", reason=type(error.__cause__ or error).__name__)
        return await question(self._own)
