"""Slots of the recognizer's queue: some stay for the next user; users are slowed by their points."""

from contextlib import ExitStack

import pytest

from ketav_common.errors import RateLimited
from ketav_recognizer.penalties import DEATH, OVERRUN, Penalties
from ketav_recognizer.slots import Slots


def test_two_users_who_take_all_that_they_get_leave_slots_for_a_third() -> None:
    """The more users wait, the fewer slots each of them gets."""
    slots = Slots(readers=1, queue=16)
    with ExitStack() as stack:
        counts = dict.fromkeys(["ann", "ben", "eve"], 0)
        for user in ("ann", "ben"):
            for _ in range(17):
                try:
                    stack.enter_context(slots.take(user))
                except RateLimited:
                    break
                counts[user] += 1
        stack.enter_context(slots.take("eve"))
        assert counts["ann"] == 13
        assert counts["ben"] >= 1
    assert slots.free == 17


def test_points_above_the_free_ones_pause_a_user_for_twice_as_long_each() -> None:
    """Two deaths have no consequence; pauses end, and are at most five minutes."""
    now = [0.0]
    penalties = Penalties(lambda: now[0])
    penalties.add("eve", DEATH)
    penalties.add("eve", DEATH)
    penalties.check("eve")
    waits = []
    for _ in range(9):
        penalties.add("eve", OVERRUN)
        with pytest.raises(RateLimited) as refused:
            penalties.check("eve")
        waits.append(refused.value.retry_after)
        penalties.check("ann")
        now[0] += waits[-1] or 0
        penalties.check("eve")
    assert waits == [4, 8, 16, 32, 64, 128, 256, 300, 300]
    now[0] += 700
    penalties.add("eve", DEATH)
    penalties.check("eve")
