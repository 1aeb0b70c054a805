"""Bytes of bodies on disk are counted for each user and in all."""

import pytest

from ketav_common.errors import RateLimited, Unavailable
from ketav_gateway.http.spool import Spool


def test_one_user_gets_half_of_the_spool_and_another_a_part_of_the_rest() -> None:
    """The more users send, the less each of them gets; all bytes are free in the end."""
    spool = Spool(100)
    with spool.counting("ann") as ann:
        with pytest.raises(RateLimited):
            for _ in range(100):
                ann.add(1)
        assert ann.count == 51
        with spool.counting("ben") as ben:
            with pytest.raises(RateLimited):
                for _ in range(100):
                    ben.add(1)
            assert ben.count == 25
            with spool.counting("eve") as eve:
                eve.add(10)
    with spool.counting("ann") as ann:
        ann.add(40)
    assert not spool._used
    assert not spool._of_users


def test_bytes_that_do_not_fit_are_refused_for_every_user() -> None:
    """Disk is bounded."""
    spool = Spool(100)
    with spool.counting("ann") as ann, spool.counting("ben") as ben:
        ann.add(40)
        with pytest.raises(Unavailable):
            ben.add(61)
        ben.add(60)
        with spool.counting("eve") as eve, pytest.raises(Unavailable):
            eve.add(1)
