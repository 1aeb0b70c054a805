"""Requests and uploads are limited for each user and in all."""

from pathlib import Path

import pytest

from ketav_common.errors import RateLimited, Unavailable
from ketav_gateway.http.limits import ConcurrencyLimit
from ketav_gateway.http.rates import RateLimits
from tests.parts.gateway import in_process_gateway, upload


async def test_a_user_above_their_rate_gets_429_with_the_seconds_to_wait(tmp_path: Path) -> None:
    """429 with Retry-After for this user, not for another."""
    async with in_process_gateway(tmp_path, rate_limit="3/minute") as gateway:
        responses = [await gateway.client.get("/projects/") for _ in range(4)]
        assert [response.status_code for response in responses] == [200, 200, 200, 429]
        assert responses[-1].json()["code"] == "rate-limited"
        assert 1 <= int(responses[-1].headers["retry-after"]) <= 60
        assert (await gateway.other.get("/projects/")).status_code == 200


async def test_readings_have_a_rate_of_their_own(tmp_path: Path) -> None:
    """Refused before the upload is received."""
    async with in_process_gateway(tmp_path, ocr_rate_limit="1/minute") as gateway:
        assert (await upload(gateway.client)).status_code == 201
        gateway.state.calls.clear()
        assert (await upload(gateway.client)).status_code == 429
        assert gateway.state.calls == []
        assert (await gateway.client.get("/projects/")).status_code == 200


async def test_rates_are_counted_by_name_and_by_caller() -> None:
    """Neither another caller's requests nor those of another limit count."""
    rates = RateLimits(few="1/minute", many="9/minute")
    await rates.count("few", "first")
    await rates.count("few", "second")
    await rates.count("many", "first")
    with pytest.raises(RateLimited, match=r"More than 1 requests were sent within 60 seconds\."):
        await rates.count("few", "first")


async def test_slots_are_limited_for_each_user_and_in_all() -> None:
    """A user with all slots that they may have is refused; when none is free, every user is."""
    slots = ConcurrencyLimit(2, 1, "uploads")
    with slots.acquire("first"):
        with pytest.raises(RateLimited), slots.acquire("first"):
            pytest.fail("acquired twice")
        with slots.acquire("second"), pytest.raises(Unavailable), slots.acquire("third"):
            pytest.fail("acquired a third time")
    with slots.acquire("first"):
        assert slots._used == {"first": 1}
    assert not slots._used
