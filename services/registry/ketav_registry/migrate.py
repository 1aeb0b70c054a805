"""Migration of a database to the newest schema, by the role that owns it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ketav_registry.database_logins import SYSTEM_ROLE, USER_ROLE, database_url
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


def upgrade(owner_url: str, *login_urls: URL) -> None:
    """Run the missing migrations, and set the passwords of the logins to those of their URLs."""
    command.upgrade(alembic_config(owner_url), "head")
    passwords = [
        (role, url.password)
        for role, url in zip((SYSTEM_ROLE, USER_ROLE), login_urls, strict=False)
        if url.password
    ]
    if passwords:
        asyncio.run(_set_passwords(owner_url, passwords))


async def _set_passwords(owner_url: str, passwords: Iterable[tuple[str, str]]) -> None:
    """Set the passwords of roles, without logging the statements."""
    engine = create_async_engine(database_url(owner_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL log_statement = 'none'"))
        for role, password in passwords:
            literal = password.replace("'", "''")
            await connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{literal}'")
    await engine.dispose()
