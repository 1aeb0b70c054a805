"""Users, their API keys, and sessions that they have ended."""

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, NotFound, RateLimited
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_registry.database import Transaction
from ketav_registry.domain.accounts import Account, ApiKey, User
from ketav_registry.repository import accounts
from ketav_registry.stores import Stores

_PREFIX_BYTES = 4
"""Random bytes of a key's prefix, which names the key: 8 hexadecimal characters."""
_SECRET_BYTES = 32
"""Random bytes of a key: 256 bits cannot be guessed, so a plain SHA-256 is enough to store."""
_MAX_ENDED_SESSIONS = 10_000
"""Ended sessions of a user that are stored: a person signs out some times a day, sessions last two weeks."""
_RETRY_S = 3600
"""Seconds after which a user beyond that number may try again."""


async def resolve_api_key(key_sha256: bytes, session_id: bytes = b"", *, stores: Stores) -> UUID:
    """Return the user of the API key with this SHA-256. NotFound: it is unknown or revoked.

    NotFound account-disabled: the operator has disabled the user. NotFound session-ended: the user has ended
    the session of the key.
    """
    async with stores.database.system() as transaction:
        owner = await accounts.find_key_owner(transaction, key_sha256, session_id)
    if owner is None:
        raise NotFound("The API key is unknown or revoked. Ask the operator for a new one.")
    if owner.disabled:
        raise NotFound("This account is disabled. Ask the operator to enable it.", code="account-disabled")
    if owner.session_ended:
        raise NotFound("The session has ended. Sign in again with your API key.", code="session-ended")
    return owner.user_id


async def end_session(user_id: UUID, session_id: bytes, expires_at: datetime, *, stores: Stores) -> None:
    """Refuse a session of a user from now on, until it ends by itself; it may have been ended before.

    RateLimited: very many sessions of the user were ended and have not expired.
    """
    async with stores.database.user(user_id) as transaction:
        if await accounts.count_ended_sessions(transaction, user_id) >= _MAX_ENDED_SESSIONS:
            raise RateLimited(
                f"{_MAX_ENDED_SESSIONS:,} sessions of this account have ended and not expired. Retry later, "
                "or ask the operator for a new API key.",
                retry_after=_RETRY_S,
            )
        await accounts.insert_ended_session(transaction, user_id, session_id, expires_at)


async def get_account(user_id: UUID, key_sha256: bytes, *, stores: Stores) -> Account:
    """Return a user's account with the key that the user sent.

    NotFound: the account was deleted or the key revoked.
    """
    async with stores.database.user(user_id) as transaction:
        account = await accounts.find_account(transaction, user_id, key_sha256)
    if account is None:
        raise NotFound("The API key is unknown or revoked. Ask the operator for a new one.")
    return account


async def add_user(name: str, *, stores: Stores) -> tuple[UUID, str]:
    """Store a user and return their id and their API key, which is not stored.

    InvalidInput empty-name: the name is empty. Conflict user-exists: another user has this name.
    """
    stored = clean_name(name)
    if not stored:
        raise InvalidInput("The name of the user is empty. Pass a name.", code="empty-name")
    async with stores.database.system() as transaction:
        await accounts.lock_names(transaction)
        if await accounts.find_users(transaction, stored):
            raise Conflict(
                f"There is a user named {stored!r} already. Choose another name, or make another key "
                "with `ketav admin keys add`.",
                code="user-exists",
            )
        user_id = await accounts.insert_user(transaction, stored)
        key = await _insert_key(transaction, user_id)
    return user_id, key


def clean_name(name: str) -> str:
    """Return a name as it is stored: in NFC, without outer white space. InvalidInput: it cannot be stored."""
    return text.clean(name, max_length=MAX_NAME_CODE_POINTS).strip()


async def _insert_key(transaction: Transaction, user_id: UUID) -> str:
    """Store the digest of a new API key and return the key."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key = f"ktv_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    await accounts.insert_key(transaction, user_id, hashlib.sha256(key.encode()).digest(), prefix)
    return key


async def require_user(transaction: Transaction, name_or_id: str) -> User:
    """Return the user with this name or id. NotFound: there is none. Conflict: several have the name."""
    user_id = None
    with suppress(ValueError):
        user_id = UUID(name_or_id)
    users = await accounts.find_users(transaction, clean_name(name_or_id), user_id)
    if not users:
        raise NotFound(
            f"There is no user with the name or id {name_or_id!r}. List the users with "
            "`ketav admin users list`."
        )
    if len(users) > 1:
        ids = ", ".join(str(user.user_id) for user in users)
        raise Conflict(f"{len(users)} users are named {name_or_id!r}. Pass the id of one of them: {ids}.")
    return users[0]


async def find_user(name_or_id: str, *, stores: Stores) -> User:
    """Return the user with this name or id. Errors: `require_user`."""
    async with stores.database.system() as transaction:
        return await require_user(transaction, name_or_id)


async def list_users(*, stores: Stores) -> list[User]:
    """Return all users, oldest first."""
    async with stores.database.system() as transaction:
        return await accounts.list_users(transaction)


async def set_disabled(name_or_id: str, *, disabled: bool, stores: Stores) -> User:
    """Disable or enable a user and return them; nothing changes if they are so already."""
    async with stores.database.system() as transaction:
        user = await require_user(transaction, name_or_id)
        await accounts.set_disabled(transaction, user.user_id, disabled=disabled)
        return await require_user(transaction, str(user.user_id))


async def list_keys(name_or_id: str | None, *, stores: Stores) -> list[ApiKey]:
    """Return the API keys of a user, None: of all users, oldest first."""
    async with stores.database.system() as transaction:
        user = None if name_or_id is None else await require_user(transaction, name_or_id)
        return await accounts.list_keys(transaction, user.user_id if user else None)


async def add_key(name_or_id: str, *, stores: Stores) -> str:
    """Store another API key of a user and return it; the others stay valid."""
    async with stores.database.system() as transaction:
        user = await require_user(transaction, name_or_id)
        return await _insert_key(transaction, user.user_id)


async def rotate_keys(name_or_id: str, *, stores: Stores) -> tuple[str, int]:
    """Revoke all API keys of a user; return a new key, and the number of revoked ones."""
    async with stores.database.system() as transaction:
        user = await require_user(transaction, name_or_id)
        revoked = await accounts.revoke_user_keys(transaction, user.user_id)
        return await _insert_key(transaction, user.user_id), revoked


async def revoke_key(prefix: str, *, stores: Stores) -> None:
    """Revoke the API key with this prefix, the 8 characters after `ktv_`. NotFound: there is none."""
    async with stores.database.system() as transaction:
        if not await accounts.revoke_keys(transaction, prefix):
            raise NotFound(
                "There is no valid API key with this prefix. Pass the 8 characters after `ktv_` of the key."
            )
