"""The bytes of uploads and archives on disk, of all users and of each.

They are counted while they arrive, so that a body which arrives slowly takes up what has arrived of it, and
no place of another one.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from ketav_common.errors import RateLimited, Unavailable

_RETRY_S: Final = 5
"""Seconds after which a refused client retries: uploads are stored within some seconds."""
_SHARE: Final = 1
"""A user may add bytes while theirs are fewer than this times the free ones: one user gets half of all, two
get a third each (dynamic thresholds, Choudhury and Hahne 1998)."""


@dataclass
class Spool:
    """Counts the bytes that requests have on disk; raises instead of waiting."""

    total: int
    """Bytes of all users."""
    _of_users: Counter[str] = field(default_factory=Counter)
    _used: int = 0

    @contextmanager
    def counting(self, user_id: str) -> Iterator["SpooledBytes"]:
        """Count the bytes that are added in the context, until it ends."""
        spooled = SpooledBytes(self, user_id)
        try:
            yield spooled
        finally:
            self._change(user_id, -spooled.count)

    def _change(self, user_id: str, count: int) -> None:
        """Add to the bytes of a user, or subtract from them."""
        self._used += count
        self._of_users[user_id] += count
        if not self._of_users[user_id]:
            del self._of_users[user_id]

    def add(self, user_id: str, count: int) -> None:
        """Count bytes of a user.

        Raises RateLimited when the user has as many as are free, Unavailable when none are free.
        """
        free = self.total - self._used
        if count > free:
            raise Unavailable(
                f"The server receives too many files at once. Retry after {_RETRY_S} seconds.",
                code="overloaded",
                retry_after=_RETRY_S,
            )
        if self._of_users[user_id] > _SHARE * free:
            raise RateLimited(
                f"Your account sends too many files at once. Retry after {_RETRY_S} seconds, one by one.",
                retry_after=_RETRY_S,
            )
        self._change(user_id, count)


@dataclass
class SpooledBytes:
    """The bytes of one request."""

    spool: Spool
    user_id: str
    count: int = 0

    def add(self, count: int) -> None:
        """Count bytes that have arrived; raises RateLimited or Unavailable, see `Spool.add`."""
        self.spool.add(self.user_id, count)
        self.count += count
