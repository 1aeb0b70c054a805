"""A bounded number of things at once, without a queue."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ketav_common.errors import RateLimited, Unavailable


class Slots:
    """At most `count` blocks at a time, `each` of them for one user; the next is refused."""

    def __init__(self, count: int, each: int, what: str) -> None:
        """Take how many slots there are in all and for each user, and what they are for."""
        self._free = count
        self._each = each
        self._what = what
        self._held: Counter[str] = Counter()

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        """Hold a slot for the block; Unavailable when none is left, RateLimited when this user has enough."""
        if self._held[who] >= self._each:
            raise RateLimited(f"Too many {self._what} of yours are under way.", retry_after=2)
        if self._free <= 0:
            raise Unavailable(f"Too many {self._what} are under way.", code="overloaded", retry_after=2)
        self._free -= 1
        self._held[who] += 1
        try:
            yield
        finally:
            self._free += 1
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
