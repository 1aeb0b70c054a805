"""Run the migrations as the owner of the schema, over asyncpg; one process at a time."""

import asyncio
import os

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ketav_registry.database_logins import database_url
from ketav_registry.tables import metadata

# Key of the advisory lock: any number that no other lock of this database has.
_LOCK = 0x6B65746176


def _migrate(connection: sa.Connection) -> None:
    """Run the requested migrations in one transaction, under a lock."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    context.run_migrations()


async def _run() -> None:
    """Connect as the owner and migrate."""
    url = context.config.attributes.get("url") or os.environ.get("KETAV_MIGRATION_DATABASE_URL")
    engine = create_async_engine(database_url(url or os.environ["KETAV_DATABASE_URL"]), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
