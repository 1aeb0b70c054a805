"""Keys, rates and bounds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ketav_common.errors import InvalidInput, NotFound, RateLimited, Unauthenticated, Unavailable
from ketav_gateway.http.authentication import Authenticator
from ketav_gateway.http.limits import RateLimits, Slots
from tests.parts.gateway import KEY, Gateway, png, scripted_gateway, upload

OWNER = uuid4()


class Registry:
    """Knows one key; counts how often it is asked."""

    def __init__(self) -> None:
        """Start without any question asked."""
        self.asked: list[bytes] = []

    async def resolve(self, digest: bytes) -> UUID:
        """Resolve the one key."""
        self.asked.append(digest)
        if digest != hashlib.sha256(KEY.encode()).digest():
            raise NotFound
        return OWNER


async def test_a_key_is_asked_for_once_within_its_time() -> None:
    """Remembered for `ttl_s`, then asked again: a revoked key lives no longer."""
    registry, now = Registry(), [0.0]
    authenticator = Authenticator(registry.resolve, ttl_s=30, size=2, clock=lambda: now[0])
    for now[0] in (0.0, 29.9):
        identity = await authenticator.identify(KEY)
        assert (identity.role, identity.user_id) == ("user", OWNER)
    assert len(registry.asked) == 1
    now[0] = 30.0
    await authenticator.identify(KEY)
    assert len(registry.asked) == 2


async def test_unknown_keys_are_not_remembered_and_known_ones_are_bounded() -> None:
    """What nobody owns takes no memory; the oldest key makes room."""

    async def everybody(_digest: bytes) -> UUID:
        """Resolve every key."""
        return OWNER

    registry = Registry()
    authenticator = Authenticator(registry.resolve, ttl_s=30, size=2)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await authenticator.identify("ktv_nobody")
    assert (len(registry.asked), len(authenticator._users)) == (3, 0)
    friendly = Authenticator(everybody, ttl_s=30, size=2)
    for number in range(5):
        await friendly.identify(f"ktv_{number}")
    assert len(friendly._users) == 2


async def test_only_the_keys_digest_leaves_the_gateway() -> None:
    """32 bytes, not the key."""
    registry = Registry()
    await Authenticator(registry.resolve, ttl_s=30, size=2).identify(KEY)
    assert registry.asked == [hashlib.sha256(KEY.encode()).digest()]


async def test_a_registry_that_is_down_is_not_a_wrong_key() -> None:
    """503, not 401."""

    async def down(_digest: bytes) -> UUID:
        """Fail."""
        raise Unavailable

    with pytest.raises(Unavailable):
        await Authenticator(down, ttl_s=30, size=2).identify(KEY)


async def test_a_user_who_calls_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    """429 with Retry-After for this user, not for another."""
    async with scripted_gateway(tmp_path, rate_limit="3/minute") as gateway:
        answers = [await gateway.client.get("/projects/") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["code"] == "rate-limited"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert (await gateway.other.get("/projects/")).status_code == 200


async def test_readings_have_a_rate_of_their_own(tmp_path: Path) -> None:
    """Refused before the upload is taken in."""
    async with scripted_gateway(tmp_path, ocr_rate_limit="1/minute") as gateway:
        assert (await upload(gateway.client)).status_code == 201
        gateway.script.calls.clear()
        assert (await upload(gateway.client)).status_code == 429
        assert gateway.script.calls == []
        assert (await gateway.client.get("/projects/")).status_code == 200


async def test_guessing_keys_is_slowed_down(tmp_path: Path) -> None:
    """After so many unknown keys an address is refused before the registry is asked."""
    async with scripted_gateway(tmp_path, failed_key_rate_limit="3/minute") as gateway:
        statuses = [
            (await gateway.stranger.get("/projects/", headers={"X-API-Key": f"ktv_{guess}"})).status_code
            for guess in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        assert gateway.script.calls.count("ResolveApiKey") == 3


async def test_rates_are_counted_by_name_and_by_user() -> None:
    """One user's calls are not another's, one limit's not another's."""
    rates = RateLimits(few="1/minute", many="9/minute")
    await rates.spend("few", "me")
    await rates.spend("few", "you")
    await rates.spend("many", "me")
    await rates.check("many", "me")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway that takes one upload and one background reading at a time."""
    async with scripted_gateway(tmp_path, max_uploads=1, max_background_readings=1) as running:
        yield running


async def test_background_readings_are_bounded_before_anything_is_stored(gateway: Gateway) -> None:
    """The second reading in the background is 503; nothing was stored for it."""
    gateway.script.recognize_s = 0.3
    prefer = {"Prefer": "respond-async"}
    first = await gateway.client.post("/ocr/", files={"file": png()}, headers=prefer)
    second = await gateway.client.post("/ocr/", files={"file": png()}, headers=prefer)
    assert (first.status_code, second.status_code) == (202, 503)
    assert second.json()["code"] == "overloaded"
    assert second.headers["retry-after"]
    assert gateway.script.calls.count("CreatePage") == 1


async def test_a_background_reading_that_fails_leaves_a_page_to_be_read_again(gateway: Gateway) -> None:
    """Stored, and readable by the other route."""
    gateway.script.failures["RecognizePage"] = InvalidInput("no letters", code="unreadable-image")
    answer = await gateway.client.post("/ocr/", files={"file": png()}, headers={"Prefer": "respond-async"})
    where = answer.headers["location"]
    while "RecognizePage" not in gateway.script.calls:
        await gateway.client.get(where)
    assert (await gateway.client.get(where)).json()["state"] == "stored"
    gateway.script.failures.clear()
    assert (await gateway.client.post(f"{where}/ocr")).status_code == 201


async def test_a_background_reading_waits_for_a_recognizer_that_is_busy(gateway: Gateway) -> None:
    """Refused for a second, then read: nobody has to ask again."""
    gateway.script.failures["RecognizePage"] = Unavailable(retry_after=1)
    answer = await gateway.client.post("/ocr/", files={"file": png()}, headers={"Prefer": "respond-async"})
    while "RecognizePage" not in gateway.script.calls:
        await gateway.client.get(answer.headers["location"])
    gateway.script.failures.clear()
    for _ in range(100):
        page = (await gateway.client.get(answer.headers["location"])).json()
        if page["state"] == "read":
            break
        await asyncio.sleep(0.05)
    assert page["state"] == "read"


async def test_uploads_at_once_are_bounded_for_each_user_and_for_all() -> None:
    """A user who holds all they may is told so; when none is left, everybody is."""
    slots = Slots(2, 1, "uploads")
    with slots.acquire("me"):
        with pytest.raises(RateLimited), slots.acquire("me"):
            pytest.fail("taken twice")
        with slots.acquire("you"), pytest.raises(Unavailable), slots.acquire("them"):
            pytest.fail("taken a third time")
    with slots.acquire("me"):
        assert slots._used == {"me": 1}
    assert not slots._used


async def test_every_answer_has_a_request_id_and_closed_headers(gateway: Gateway) -> None:
    """A plain id of the client is echoed, any other replaced; nothing may be framed, sniffed or kept."""
    answer = await gateway.client.get("/projects/", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    other = await gateway.client.get("/projects/", headers={"X-Request-Id": "a b\t<script>"})
    assert len(other.headers["x-request-id"]) == 32
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


async def test_metrics_name_routes_and_never_ids(gateway: Gateway) -> None:
    """Templates, not addresses: the number of series is bounded."""
    unknown = str(uuid4())
    await gateway.client.get(f"/projects/{unknown}")
    await gateway.client.get(f"/{unknown}")
    text = (await gateway.stranger.get("/metrics")).text
    assert 'route="/projects/{project_id}",status="404"' in text
    assert 'route="unmatched"' in text
    assert unknown not in text
