"""Connections for backups: COPY has no timeout of a statement, and a snapshot no pool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from graphlib import TopologicalSorter
from typing import Any

import asyncpg

from ketav_common.errors import Precondition
from ketav_registry.database_logins import database_url
from ketav_registry.database_problems import describe

_CONNECT_TIMEOUT_S = 10
_TABLES = """
SELECT relation.relname AS name,
    (
        SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ) AS columns,
    (
        SELECT coalesce(array_agg(DISTINCT confrelid::regclass::text), '{}') FROM pg_constraint
        WHERE conrelid = relation.oid AND contype = 'f' AND confrelid <> relation.oid
    ) AS needs
FROM pg_class relation
WHERE relation.relkind = 'r' AND relation.relnamespace = current_schema()::regnamespace
    AND relation.relname <> 'alembic_version'
ORDER BY relation.relname
"""
_FORMAT = {
    "application_name": "ketav-backup",
    "app.system": "on",
    "statement_timeout": "0",
    "bytea_output": "hex",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "timezone": "UTC",
}
"""Settings of the session: all rows are visible, and values are written in one way on every server."""


@asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[Any]:
    """Open a connection that sees all rows. Precondition database-unusable: with the reason."""
    address = database_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await asyncpg.connect(address, timeout=_CONNECT_TIMEOUT_S, server_settings=_FORMAT)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Precondition(describe(error), code="database-unusable") from error
    try:
        yield connection
    finally:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)


async def list_tables(connection: Any) -> dict[str, tuple[str, ...]]:  # noqa: ANN401 - asyncpg has no types
    """Return the tables with their columns, each table after those that its rows refer to."""
    rows = {row["name"]: row for row in await connection.fetch(_TABLES)}
    graph = {name: sorted(row["needs"]) for name, row in rows.items()}
    return {name: tuple(rows[name]["columns"]) for name in TopologicalSorter(graph).static_order()}


async def schema_revision(connection: Any) -> str | None:  # noqa: ANN401 - asyncpg has no types
    """Return the revision of the schema; None for an empty database."""
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    revision: str | None = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    return revision


def quoted(name: str) -> str:
    """Return the name of a table or column as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
