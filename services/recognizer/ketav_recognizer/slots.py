"""The slots of the recognizer's queue: bounded in all, by user, and for jobs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ketav_common.errors import RateLimited

_SHARE: Final = 3
"""A user gets a slot while those that it has are fewer than this times the free ones: one user gets three
quarters of all, and leaves some for the next (dynamic thresholds, Choudhury and Hahne 1998)."""


class Slots:
    """Counts the requests that wait or are read; raises instead of waiting."""

    def __init__(self, readers: int, queue: int) -> None:
        """Take the number of readers and of requests that may wait besides."""
        self._free = readers + queue
        self._free_batch = readers + queue // 2
        self._of_users: Counter[str] = Counter()

    @property
    def free(self) -> int:
        """Return the number of requests that are accepted before one is refused."""
        return self._free

    @contextmanager
    def take(self, user: str = "", *, batch: bool = False) -> Iterator[None]:
        """Take a slot for the context; raises RateLimited when there is none for the user.

        Half of the waiting slots are for users alone, so that jobs cannot fill the queue.
        """
        is_full = self._free <= 0 or (batch and self._free_batch <= 0)
        if is_full or self._of_users[user] >= _SHARE * self._free:
            raise RateLimited("Too many images wait to be read. Try again later.", code="queue-full")
        self._free -= 1
        self._free_batch -= batch
        self._of_users[user] += 1
        try:
            yield
        finally:
            self._free += 1
            self._of_users -= Counter((user,))
            self._free_batch += batch
