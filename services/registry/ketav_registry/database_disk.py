"""Check that PostgreSQL has room for new rows: with a full disk it still answers queries."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_CREATE = sa.text("CREATE TEMPORARY TABLE ketav_disk_check (filler text)")
_FILL = sa.text(
    "INSERT INTO ketav_disk_check SELECT repeat(md5(row::text), 32) FROM generate_series(1, 1024) AS row"
)
"""Inserts 1,024 rows of a kibibyte, each short enough to be stored uncompressed in the table itself."""


async def check_room(connection: AsyncConnection) -> None:
    """Write a mebibyte to a temporary table and roll it back, in a transaction of its own.

    Raises:
        DBAPIError: PostgreSQL could not write; its driver's error is DiskFullError where the disk is full.
    """
    async with connection.begin() as transaction:
        await connection.execute(_CREATE)
        await connection.execute(_FILL)
        await transaction.rollback()
