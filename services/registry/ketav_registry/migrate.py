"""Migration of a database to the newest schema, by the role that owns it."""

import asyncio
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ketav_registry.database import database_url
from ketav_registry.database_problems import describe

DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""Errors that a migration may raise because of the database or the connection."""


def explain(error: Exception) -> str:
    """Return a sentence about an error of the owner's connection; a migration's own is returned as it is."""
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    if isinstance(driver, asyncpg.RaiseError):
        return str(driver)
    return describe(error).replace("KETAV_DATABASE_URL", "KETAV_MIGRATION_DATABASE_URL")


def alembic_config(owner_url: str) -> Config:
    """Return Alembic's configuration for a database; its URL is in `attributes["url"]`.

    `alembic.ini` is in the folder above this package.
    """
    ini = Path(__file__).resolve().parent.parent / "alembic.ini"
    return Config(ini, attributes={"url": owner_url})


def upgrade(owner_url: str, service_url: str | None = None) -> None:
    """Run the missing migrations, and set the service role's password to the one in `service_url`."""
    command.upgrade(alembic_config(owner_url), "head")
    password = database_url(service_url).password if service_url else None
    if password:
        asyncio.run(_set_password(owner_url, password))


async def _set_password(owner_url: str, password: str) -> None:
    """Set the password of the role `ketav_service`, without logging the statement."""
    engine = create_async_engine(database_url(owner_url), poolclass=NullPool)
    literal = password.replace("'", "''")
    async with engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL log_statement = 'none'"))
        await connection.exec_driver_sql(f"ALTER ROLE ketav_service PASSWORD '{literal}'")
    await engine.dispose()
