"""Requests of users, counted by several gateways in one Redis."""

import signal
import time

import pytest

from ketav_common.errors import RateLimited
from ketav_gateway.http.rates import RateLimits, shared_storage
from tests.parts.valkey import valkey


async def test_gateways_with_the_same_redis_count_together() -> None:
    """A user with requests to two of them has one limit, and its seconds are those of the shared window."""
    with valkey() as server:
        async with shared_storage(server.url) as here, shared_storage(server.url) as there:
            first, second = (RateLimits(shared=shared, all="3/minute") for shared in (here, there))
            for rates in (first, second, first):
                await rates.count("all", "user")
            for rates in (first, second):
                with pytest.raises(RateLimited) as refused:
                    await rates.count("all", "user")
                assert 1 <= (refused.value.retry_after or 0) <= 60
            await second.count("all", "other")
            await second.count_more("all", "other", 9)
            with pytest.raises(RateLimited):
                await first.count("all", "other")


async def test_without_redis_each_gateway_counts_its_own_and_returns_to_it() -> None:
    """A killed one costs no request; a stopped one costs one request a quarter of a second every five."""
    now = [0.0]
    with valkey() as server:
        async with shared_storage(server.url) as shared:
            rates = RateLimits(shared=shared, clock=lambda: now[0], all="3/minute")
            await rates.count("all", "user")
            server.signal(signal.SIGSTOP)
            began = time.monotonic()
            for _ in range(3):
                await rates.count("all", "user")
            assert time.monotonic() - began < 1
            with pytest.raises(RateLimited):
                await rates.count("all", "user")
            server.signal(signal.SIGCONT)
            now[0] = 6.0
            await rates.count("all", "user")
            server.stop()
            now[0] = 12.0
            with pytest.raises(RateLimited):
                await rates.count("all", "user")
