"""Slows users whose images end readers or use up their budgets again and again.

A list of deadly images would be evaded by changing one byte of them, so the users are counted. Each of their
images also costs its seconds in the turns of `IdleReaders`; this is for those who cost the others a reader.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from cachetools import TTLCache

from ketav_common.errors import RateLimited

DEATH: Final = 2
"""Points of an image over which a reader died: a successor takes ten seconds to start."""
OVERRUN: Final = 1
"""Points of an image whose reading used up its budget."""
FREE_POINTS: Final = 4
"""Points without a consequence: two deaths may have other reasons."""
_FIRST_PAUSE_S: Final = 4.0
_LONGEST_PAUSE_S: Final = 300.0
_REMEMBERED_S: Final = 600.0
"""Seconds after the last point at which a user is forgotten."""
_REMEMBERED_USERS: Final = 4096


class Penalties:
    """The points of users and the pauses that follow from them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._clock = clock
        self._points: TTLCache[str, int] = TTLCache(_REMEMBERED_USERS, _REMEMBERED_S, timer=clock)
        self._ends: TTLCache[str, float] = TTLCache(_REMEMBERED_USERS, _LONGEST_PAUSE_S, timer=clock)

    def add(self, user: str, points: int) -> None:
        """Add points of a user; above the free ones a pause follows, which each point doubles."""
        total = self._points.get(user, 0) + points
        self._points[user] = total
        if total > FREE_POINTS:
            pause = min(_FIRST_PAUSE_S * 2.0 ** (total - FREE_POINTS - 1), _LONGEST_PAUSE_S)
            self._ends[user] = self._clock() + pause

    def check(self, user: str) -> None:
        """Raise RateLimited with the seconds to wait while a pause of the user lasts."""
        left = self._ends.get(user, 0.0) - self._clock()
        if left > 0:
            wait = math.ceil(left)
            raise RateLimited(
                "Several of your images took more time than images of their size may. "
                f"Check that they are pages of writing, and retry after {wait} seconds.",
                code="costly-images",
                retry_after=wait,
            )
