"""API keys are resolved by the registry and cached for a bounded time."""

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ketav_common.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from ketav_gateway.http.authentication import Authenticator, Credential, key_digest
from ketav_gateway.http.sessions import COOKIE, Sessions
from tests.parts.gateway import KEY, in_process_gateway
from tests.parts.identities import SESSION_SECRET

OWNER = uuid4()
DIGEST = hashlib.sha256(KEY.encode()).digest()


class Resolver:
    """Resolves one key and records the digests that it was called with."""

    def __init__(self) -> None:
        """Start without a call."""
        self.digests: list[bytes] = []

    async def resolve(self, credential: Credential) -> UUID:
        """Return the owner of the one key; raises NotFound for any other."""
        self.digests.append(credential.key_sha256)
        if credential.key_sha256 != DIGEST:
            raise NotFound
        return OWNER


async def any_key(_credential: Credential) -> UUID:
    """Return the same owner for every key."""
    return OWNER


async def test_a_key_is_resolved_once_within_its_lifetime() -> None:
    """Cached for `ttl_s` seconds, then resolved again: a revoked key works no longer."""
    resolver, now = Resolver(), [0.0]
    authenticator = Authenticator(resolver.resolve, ttl_s=30, size=2, clock=lambda: now[0])
    for now[0] in (0.0, 29.9):
        identity = await authenticator.identify(Credential(DIGEST))
        assert (identity.role, identity.user_id) == ("user", OWNER)
    assert len(resolver.digests) == 1
    now[0] = 30.0
    await authenticator.identify(Credential(DIGEST))
    assert len(resolver.digests) == 2


async def test_the_keys_of_a_disabled_account_are_refused_with_the_reason() -> None:
    """403, because the key itself is valid; it is not cached, so an enabled account works at once."""

    async def disabled(_credential: Credential) -> UUID:
        """Refuse every key as the registry does."""
        raise NotFound("This account is disabled. Ask the operator to enable it.", code="account-disabled")

    authenticator = Authenticator(disabled, ttl_s=30, size=2)
    with pytest.raises(Forbidden, match="This account is disabled"):
        await authenticator.identify(Credential(DIGEST))
    assert len(authenticator._users) == 0


async def test_unknown_keys_are_not_cached_and_the_cache_is_bounded() -> None:
    """An unknown key is resolved each time; the least used known one is removed."""
    resolver = Resolver()
    authenticator = Authenticator(resolver.resolve, ttl_s=30, size=2)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await authenticator.identify(Credential(b"unknown"))
    assert (len(resolver.digests), len(authenticator._users)) == (3, 0)
    authenticator = Authenticator(any_key, ttl_s=30, size=2)
    for number in range(5):
        await authenticator.identify(Credential(bytes([number])))
    assert len(authenticator._users) == 2


async def test_without_a_lifetime_nothing_is_cached() -> None:
    """KETAV_KEY_CACHE_S=0 resolves every request's key."""
    resolver = Resolver()
    authenticator = Authenticator(resolver.resolve, ttl_s=0, size=2)
    for _ in range(2):
        await authenticator.identify(Credential(DIGEST))
    assert len(resolver.digests) == 2


async def test_only_the_keys_of_the_given_user_are_removed() -> None:
    """As after the deletion of an account."""
    authenticator = Authenticator(any_key, ttl_s=30, size=2)
    await authenticator.identify(Credential(DIGEST))
    authenticator.forget_user(str(uuid4()))
    assert len(authenticator._users) == 1
    authenticator.forget_user(str(OWNER))
    assert len(authenticator._users) == 0


def test_the_registry_is_sent_the_digest_of_the_key() -> None:
    """32 bytes, not the key."""
    assert key_digest(KEY) == DIGEST


async def test_an_unavailable_registry_is_not_an_unknown_key() -> None:
    """503, not 401."""

    async def unavailable(_credential: Credential) -> UUID:
        """Fail."""
        raise Unavailable

    with pytest.raises(Unavailable):
        await Authenticator(unavailable, ttl_s=30, size=2).identify(Credential(DIGEST))


async def test_unknown_keys_keep_no_known_key_of_their_address_out(tmp_path: Path) -> None:
    """They get 429 above the limit; a key that no gateway has seen before is served all the same."""
    async with in_process_gateway(tmp_path, failed_key_rate_limit="3/minute") as gateway:
        statuses = [
            (await gateway.anonymous.get("/projects/", headers={"X-API-Key": f"ktv_{number}"})).status_code
            for number in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await gateway.client.get("/projects/")).status_code == 200
        assert (await gateway.other.get("/projects/")).status_code == 200


async def test_an_ended_session_does_not_keep_others_of_its_address_out(tmp_path: Path) -> None:
    """Nor do requests without a key: a page with many pictures sends as many requests."""
    ended, _ = Sessions(SESSION_SECRET, -1).sign(DIGEST)
    async with in_process_gateway(tmp_path, failed_key_rate_limit="3/minute") as gateway:
        for headers in ({"Cookie": f"{COOKIE}={ended}"}, {}):
            for _ in range(5):
                assert (await gateway.anonymous.get("/projects/", headers=headers)).status_code == 401
        assert (await gateway.client.get("/projects/")).status_code == 200
