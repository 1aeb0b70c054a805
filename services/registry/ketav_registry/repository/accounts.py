"""Users, their API keys, and sessions that they have ended."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.accounts import Account, ApiKey, KeyOwner, User
from ketav_registry.tables import account, api_key, ended_session

_account, _key, _ended = account.c, api_key.c, ended_session.c
_NAMES_LOCK = 0x6B65746163
"""Key of the advisory lock under which a name is checked and inserted; any number that no other lock has."""


async def find_key_owner(transaction: Transaction, key_sha256: bytes, session_id: bytes) -> KeyOwner | None:
    """Return the user of an API key, and whether the key's session was ended; None when it is not valid."""
    ended = sa.exists().where(_ended.id == session_id, _ended.user_id == _account.id)
    query = (
        sa.select(_account.id, _account.disabled_at.is_not(None).label("disabled"), ended.label("ended"))
        .join(api_key, _key.user_id == _account.id)
        .where(_key.sha256 == key_sha256, _key.revoked_at.is_(None))
    )
    row = (await transaction.execute(query)).first()
    return None if row is None else KeyOwner(row.id, row.disabled, row.ended)


async def insert_ended_session(
    transaction: Transaction, user_id: UUID, session_id: bytes, expires_at: datetime
) -> None:
    """Insert a session that its user has ended, and delete those of the user that have expired since."""
    await transaction.execute(
        ended_session.delete().where(_ended.user_id == user_id, _ended.expires_at < sa.func.clock_timestamp())
    )
    insert = pg.insert(ended_session).values(id=session_id, user_id=user_id, expires_at=expires_at)
    await transaction.execute(insert.on_conflict_do_nothing())


async def count_ended_sessions(transaction: Transaction, user_id: UUID) -> int:
    """Return the number of sessions that a user has ended and that are stored."""
    query = sa.select(sa.func.count()).select_from(ended_session).where(_ended.user_id == user_id)
    return int((await transaction.execute(query)).scalar_one())


async def find_account(transaction: Transaction, user_id: UUID, key_sha256: bytes) -> Account | None:
    """Return a user's account with one of its keys; None when the key is not a valid one of the user."""
    query = (
        sa.select(_account.id, _account.name, _account.created_at, _key.prefix, _key.created_at)
        .join(api_key, _key.user_id == _account.id)
        .where(_account.id == user_id, _key.sha256 == key_sha256, _key.revoked_at.is_(None))
    )
    row = (await transaction.execute(query)).first()
    return None if row is None else Account(*row)


async def lock_names(transaction: Transaction) -> None:
    """Block the insertion of users by other transactions until this one ends."""
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(_NAMES_LOCK)))


async def find_users(transaction: Transaction, name: str, user_id: UUID | None = None) -> list[User]:
    """Return the users with a name or with an id, oldest first."""
    condition = _account.name == name
    if user_id is not None:
        condition = sa.or_(condition, _account.id == user_id)
    return await _users(transaction, condition)


async def list_users(transaction: Transaction) -> list[User]:
    """Return all users, oldest first."""
    return await _users(transaction, sa.true())


async def _users(transaction: Transaction, condition: sa.ColumnElement[bool]) -> list[User]:
    """Return the users that meet a condition, oldest first."""
    keys = sa.select(sa.func.count()).where(_key.user_id == _account.id, _key.revoked_at.is_(None))
    query = (
        sa.select(account, keys.scalar_subquery().label("valid_keys"))
        .where(condition)
        .order_by(_account.created_at, _account.id)
    )
    rows = await transaction.execute(query)
    return [User(row.id, row.name, row.created_at, row.disabled_at, row.valid_keys) for row in rows]


async def insert_user(transaction: Transaction, name: str) -> UUID:
    """Insert a user and return their id."""
    user_id = uuid4()
    await transaction.execute(account.insert().values(id=user_id, name=name))
    return user_id


async def set_disabled(transaction: Transaction, user_id: UUID, *, disabled: bool) -> None:
    """Disable a user, now or since the first time, or enable them."""
    time = sa.func.coalesce(_account.disabled_at, sa.func.clock_timestamp()) if disabled else None
    await transaction.execute(account.update().where(_account.id == user_id).values(disabled_at=time))


async def insert_key(transaction: Transaction, user_id: UUID, key_sha256: bytes, prefix: str) -> None:
    """Insert the digest of an API key, with the prefix by which operators name the key."""
    await transaction.execute(api_key.insert().values(user_id=user_id, sha256=key_sha256, prefix=prefix))


async def list_keys(transaction: Transaction, user_id: UUID | None) -> list[ApiKey]:
    """Return the API keys of a user, None: of all users, oldest first."""
    query = sa.select(_key.prefix, _key.user_id, _account.name, _key.created_at, _key.revoked_at)
    query = query.join(account, _account.id == _key.user_id).order_by(_key.created_at, _key.prefix)
    if user_id is not None:
        query = query.where(_key.user_id == user_id)
    return [ApiKey(*row) for row in await transaction.execute(query)]


async def revoke_keys(transaction: Transaction, prefix: str) -> int:
    """Revoke the API keys with a prefix and return their number."""
    return await _revoke(transaction, _key.prefix == prefix)


async def revoke_user_keys(transaction: Transaction, user_id: UUID) -> int:
    """Revoke all API keys of a user and return their number."""
    return await _revoke(transaction, _key.user_id == user_id)


async def _revoke(transaction: Transaction, condition: sa.ColumnElement[bool]) -> int:
    """Revoke the valid API keys that meet a condition and return their number."""
    query = (
        api_key.update()
        .where(condition, _key.revoked_at.is_(None))
        .values(revoked_at=sa.func.clock_timestamp())
    )
    return int((await transaction.execute(query)).rowcount)
