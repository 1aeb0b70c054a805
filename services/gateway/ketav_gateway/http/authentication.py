"""API keys: from a request's header to the identity that the gateway signs for the services."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from cachetools import TTLCache
from starlette.datastructures import Headers

from ketav.registry.v1 import accounts_pb2
from ketav_common import context
from ketav_common.errors import Forbidden, NotFound, Unauthenticated
from ketav_common.identity import Identity
from ketav_gateway.services import Services, call

_KEY_PREFIX = "ktv_"
_MAX_KEY_CHARACTERS = 200
"""A key has 56 characters; a longer header is not hashed."""
_UNKNOWN_KEY = (
    "The API key is unknown or revoked. Check that the whole key was sent, or ask the operator for one."
)

SESSION_ENDED = "The session has ended. Sign in again with your API key."

_DISABLED = "account-disabled"
_ENDED = "session-ended"


@dataclass(frozen=True)
class Credential:
    """The SHA-256 of the API key of a request, and the session that was signed for the key, if any."""

    key_sha256: bytes
    session_id: bytes = b""
    """16 random bytes, empty for a key in a header."""


ResolveKey = Callable[[Credential], Awaitable[UUID]]


def presented_key(headers: Headers) -> str:
    """Return the API key from `Authorization: Bearer` or `X-API-Key`; raises Unauthenticated without one."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    key = credentials.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not key:
        raise Unauthenticated(
            "The request has no API key. Send it in the header Authorization: Bearer ktv_… or X-API-Key: "
            "ktv_…."
        )
    if not (
        key.startswith(_KEY_PREFIX)
        and key.isascii()
        and key.isprintable()
        and len(key) <= _MAX_KEY_CHARACTERS
    ):
        raise Unauthenticated(_UNKNOWN_KEY)
    return key


def key_digest(key: str) -> bytes:
    """Return the SHA-256 of an API key, by which the registry finds it."""
    return hashlib.sha256(key.encode()).digest()


async def resolve_api_key(services: Services, credential: Credential) -> UUID:
    """Return the user of a key or session, asked of the registry in the role gateway; raises NotFound."""
    request = accounts_pb2.ResolveApiKeyRequest(
        key_sha256=credential.key_sha256, session_id=credential.session_id
    )
    with context.bind(identity=Identity(role="gateway", user_id=None)):
        response = await call(services.accounts.ResolveApiKey, request, services.deadlines.short_s)
    return UUID(response.user_id)


class Authenticator:
    """Resolves credentials to identities; caches the users of at most `size` for `ttl_s` seconds.

    So a revoked key and an ended session are refused after `ttl_s` seconds at the latest. Unknown ones are
    not cached.
    """

    def __init__(
        self, resolve: ResolveKey, *, ttl_s: float, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the function that asks the registry, and the lifetime and number of cached users."""
        self._resolve = resolve
        self._users: TTLCache[Credential, UUID] = TTLCache(size, ttl_s, clock)

    async def identify(self, credential: Credential) -> Identity:
        """Return the identity of the user of a credential.

        Unauthenticated: unknown key or ended session, Forbidden: disabled account.
        """
        user_id = self._users.get(credential)
        if user_id is None:
            try:
                user_id = await self._resolve(credential)
            except NotFound as error:
                if error.code == _DISABLED:
                    raise Forbidden(error.detail, code=_DISABLED) from error
                raise Unauthenticated(SESSION_ENDED if error.code == _ENDED else _UNKNOWN_KEY) from error
            self._users[credential] = user_id
        return Identity(role="user", user_id=user_id)

    def forget(self, credential: Credential) -> None:
        """Remove a credential from the cache."""
        self._users.pop(credential, None)

    def forget_user(self, user_id: str) -> None:
        """Remove the cached keys of a user."""
        for credential in [key for key, owner in self._users.items() if str(owner) == user_id]:
            self.forget(credential)
