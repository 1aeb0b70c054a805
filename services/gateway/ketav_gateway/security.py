"""API keys: from a header to the identity that every service believes."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.datastructures import Headers

from ketav_common.errors import NotFound, Unauthenticated
from ketav_common.identity import Identity

_PREFIX = "ktv_"
_MAX_KEY = 200

Resolve = Callable[[bytes], Awaitable[UUID]]


def presented_key(headers: Headers) -> str:
    """Return the API key of a request, from `Authorization: Bearer` or `X-API-Key`."""
    kind, _, credentials = headers.get("authorization", "").partition(" ")
    key = credentials.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not key:
        raise Unauthenticated("Send your API key: Authorization: Bearer ktv_…")
    if not (key.startswith(_PREFIX) and key.isascii() and key.isprintable() and len(key) <= _MAX_KEY):
        raise Unauthenticated("The API key is unknown.")
    return key


class Authenticator:
    """Turns keys into identities and remembers `size` of them for `ttl_s` seconds, by SHA-256, never the key.

    So a revoked key is refused after `ttl_s` at the latest. `resolve` asks the registry.
    """

    def __init__(
        self, resolve: Resolve, *, ttl_s: float, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take who resolves a key, and how long and how many answers are kept."""
        self._resolve = resolve
        self._ttl_s = ttl_s
        self._size = size
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[UUID, float]] = OrderedDict()

    async def identify(self, key: str) -> Identity:
        """Return whose key it is; Unauthenticated when it is nobody's."""
        digest = hashlib.sha256(key.encode()).digest()
        user_id = self._remembered(digest)
        if user_id is None:
            try:
                user_id = await self._resolve(digest)
            except NotFound as error:
                raise Unauthenticated("The API key is unknown.") from error
            self._remember(digest, user_id)
        return Identity(role="user", user_id=user_id)

    def forget(self, user_id: str) -> None:
        """Believe no key of a user any more that was resolved before."""
        for digest in [key for key, (owner, _) in self._known.items() if str(owner) == user_id]:
            del self._known[digest]

    def _remembered(self, digest: bytes) -> UUID | None:
        """Return the user of a key resolved lately."""
        user_id, until = self._known.get(digest, (None, 0.0))
        return user_id if self._clock() < until else None

    def _remember(self, digest: bytes, user_id: UUID) -> None:
        """Keep a resolved key; the oldest one makes room."""
        self._known.pop(digest, None)
        self._known[digest] = (user_id, self._clock() + self._ttl_s)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
