"""A bounded number of things at once, without a queue."""

from collections.abc import Iterator
from contextlib import contextmanager

from ketav_common.errors import Unavailable


class Slots:
    """At most `count` blocks at a time; the next is refused with Unavailable, so that nothing piles up."""

    def __init__(self, count: int, what: str) -> None:
        self._free = count
        self._what = what

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot for the block."""
        if self._free <= 0:
            raise Unavailable(f"Too many {self._what} are under way.", code="overloaded", retry_after=2)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
