"""Users and their API keys."""

import hashlib
import secrets
from uuid import UUID

from ketav_common import text
from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_registry.repository import accounts
from ketav_registry.stores import Stores

_PREFIX_BYTES = 4
"""Random bytes of a key's prefix, which names the key: 8 hexadecimal characters."""
_SECRET_BYTES = 32
"""Random bytes of a key: 256 bits cannot be guessed, so a plain SHA-256 is enough to store."""


async def resolve_api_key(key_sha256: bytes, *, stores: Stores) -> UUID:
    """Return the user of the API key with this SHA-256. NotFound: it is unknown or revoked."""
    async with stores.database.system() as transaction:
        user_id = await accounts.find_key_owner(transaction, key_sha256)
    if user_id is None:
        raise NotFound("The API key is unknown or revoked. Ask the operator for a new one.")
    return user_id


async def add_user(name: str, *, stores: Stores) -> tuple[UUID, str]:
    """Store a user and return their id and their API key, which is not stored."""
    clean_name = text.clean(name, max_length=MAX_NAME_CODE_POINTS).strip()
    if not clean_name:
        raise InvalidInput("The name of the user is empty. Pass a name.", code="empty-name")
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key = f"ktv_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    async with stores.database.system() as transaction:
        user_id = await accounts.insert_user(transaction, clean_name)
        await accounts.insert_key(transaction, user_id, hashlib.sha256(key.encode()).digest(), prefix)
    return user_id, key


async def revoke_key(prefix: str, *, stores: Stores) -> None:
    """Revoke the API key with this prefix, the 8 characters after `ktv_`. NotFound: there is none."""
    async with stores.database.system() as transaction:
        if not await accounts.revoke_keys(transaction, prefix):
            raise NotFound(
                "There is no valid API key with this prefix. Pass the 8 characters after `ktv_` of the key."
            )
