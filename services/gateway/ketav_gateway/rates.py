"""How often a user may call, counted in this process."""

import math
import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from ketav_common.errors import RateLimited


class Rates:
    """Named limits over sliding windows; each a `limits` expression such as `60/minute`."""

    def __init__(self, **expressions: str) -> None:
        """Start without any request counted."""
        self._items: dict[str, RateLimitItem] = {name: parse(text) for name, text in expressions.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def spend(self, name: str, who: str) -> None:
        """Count one call of `who`; RateLimited, with the seconds to wait, when there were too many."""
        if not await self._limiter.hit(self._items[name], name, who):
            raise await self._refusal(name, who)

    async def check(self, name: str, who: str) -> None:
        """As `spend`, without counting."""
        if not await self._limiter.test(self._items[name], name, who):
            raise await self._refusal(name, who)

    async def _refusal(self, name: str, who: str) -> RateLimited:
        """Say how long to wait."""
        stats = await self._limiter.get_window_stats(self._items[name], name, who)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return RateLimited("Too many requests; come back a little later.", retry_after=wait)
