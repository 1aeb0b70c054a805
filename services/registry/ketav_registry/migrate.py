"""Migration of a database to the newest schema, by the role that owns it."""

import asyncio
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ketav_registry.database import database_url


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
