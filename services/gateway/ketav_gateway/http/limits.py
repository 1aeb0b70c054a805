"""Operations of users that run at once in this process: uploads, imports, exports."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ketav_common.errors import RateLimited, Unavailable

_RETRY_S = 2
"""Seconds after which a refused client retries: a page takes one to three seconds to store."""


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
