"""Who calls."""

import hashlib
import secrets
from uuid import UUID

from ketav_common import text
from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_registry.database import Database
from ketav_registry.repository import accounts

_DIGEST_BYTES = 32


async def resolve_api_key(key_sha256: bytes, *, database: Database) -> UUID:
    """Return whose API key has this SHA-256. NotFound: nobody's, or it was revoked."""
    if len(key_sha256) != _DIGEST_BYTES:
        raise InvalidInput("a SHA-256 has 32 bytes", code="invalid-digest")
    async with database.system() as transaction:
        user_id = await accounts.find_key_owner(transaction, key_sha256)
    if user_id is None:
        raise NotFound("no such key")
    return user_id


async def add_user(name: str, *, database: Database) -> tuple[UUID, str]:
    """Store a user and return their id and their API key, which is kept nowhere."""
    named = text.clean(name, max_length=MAX_NAME_CODE_POINTS).strip()
    if not named:
        raise InvalidInput("a user has a name", code="empty-name")
    prefix = secrets.token_hex(4)
    key = f"ktv_{prefix}_{secrets.token_urlsafe(32)}"
    async with database.system() as transaction:
        user_id = await accounts.insert_user(transaction, named)
        await accounts.insert_key(transaction, user_id, hashlib.sha256(key.encode()).digest(), prefix)
    return user_id, key


async def revoke_key(prefix: str, *, database: Database) -> None:
    """Revoke the API key with this prefix (the 8 characters after `ktv_`). NotFound: there is none."""
    async with database.system() as transaction:
        if not await accounts.revoke_keys(transaction, prefix):
            raise NotFound("no such key")
