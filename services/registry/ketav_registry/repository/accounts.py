"""Users and their API keys."""

from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.tables import account, api_key


async def find_key_owner(transaction: Transaction, key_sha256: bytes) -> UUID | None:
    """Return the user of an API key; None when it is unknown or revoked."""
    query = sa.select(api_key.c.user_id).where(api_key.c.sha256 == key_sha256, api_key.c.revoked_at.is_(None))
    user_id: UUID | None = await transaction.scalar(query)
    return user_id


async def insert_user(transaction: Transaction, name: str) -> UUID:
    """Insert a user and return their id."""
    user_id = uuid4()
    await transaction.execute(account.insert().values(id=user_id, name=name))
    return user_id


async def insert_key(transaction: Transaction, user_id: UUID, key_sha256: bytes, prefix: str) -> None:
    """Insert the digest of an API key, with the prefix by which operators name the key."""
    await transaction.execute(api_key.insert().values(user_id=user_id, sha256=key_sha256, prefix=prefix))


async def revoke_keys(transaction: Transaction, prefix: str) -> int:
    """Revoke the API keys with a prefix and return their number."""
    query = (
        api_key.update()
        .where(api_key.c.prefix == prefix, api_key.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.clock_timestamp())
    )
    return int((await transaction.execute(query)).rowcount)
