"""`ketav admin restore`: fills an empty system from a backup."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from ketav_common.errors import Conflict, DataLoss, InvalidInput
from ketav_common.limits import CHUNK_BYTES, MAX_MODEL_BYTES
from ketav_registry import blobs as objects
from ketav_registry import migrate
from ketav_registry.backup.connection import list_tables, quoted, raw_connection, schema_revision
from ketav_registry.backup.manifest import (
    Manifest,
    StoredObject,
    listed_objects,
    object_path,
    read_manifest,
    table_path,
    verify,
)
from ketav_registry.blobs import BlobStore
from ketav_registry.domain.models import parse_user_model_key
from ketav_registry.domain.training import MAX_ATTEMPTS
from ketav_registry.usecases.object_removal import PREFIXES

Progress = Callable[[str], None]
_LOCK_TIMEOUT_S = 30
"""Seconds to wait for the tables, which services hold for the time of a request."""
_LISTED = 1_000
"""Objects of one listing of the object store."""
_BASES_ONLY = "SELECT NOT EXISTS (SELECT 1 FROM model_version WHERE user_id IS NOT NULL)"
_RUNS = f"""
UPDATE training_run SET fence = fence + {MAX_ATTEMPTS},
    lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE clock_timestamp() - interval '1 second' END
WHERE state NOT IN ('succeeded', 'rejected', 'failed', 'cancelled')
"""  # noqa: S608 - a constant
"""Ends the leases, so that the next sweep queues the runs again. A worker that has claimed a run since the
backup has a fence that is at most MAX_ATTEMPTS higher; no later claim gets the same one."""
_MAX_CLAIMS = 10_000
"""Claims of a page within the day that a job may take: one whose attempts do not count comes every 15 s."""
_JOB_PAGES = f"""
UPDATE job_page SET fence = fence + {_MAX_CLAIMS},
    lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE clock_timestamp() - interval '1 second' END
WHERE state IN ('queued', 'running')
"""  # noqa: S608 - a constant
"""The same for the pages of jobs."""
_JOB_EXPORTS = f"""
UPDATE job_export SET fence = fence + {_MAX_CLAIMS}, result_key = NULL, result_expires_at = NULL,
    lease_until = CASE WHEN lease_until IS NULL THEN NULL ELSE clock_timestamp() - interval '1 second' END
"""  # noqa: S608 - a constant
"""The same for exports. A backup has no results: they are removed after a day, and can be written again."""
_SEQUENCES = """
SELECT attrelid::regclass::text AS name, attname::text AS column,
    pg_get_serial_sequence(attrelid::regclass::text, attname::text) AS sequence
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attidentity <> '' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""


async def restore_backup(
    folder: Path, owner_url: str, login_urls: Iterable[URL], blobs: BlobStore, progress: Progress
) -> Manifest:
    """Fill an empty database and object store from a backup, and migrate it to the newest schema.

    The hashes are checked before anything is written. The objects are stored first, then all rows in one
    transaction: an interrupted call can be repeated. Active training runs and jobs continue: their leases
    end, and their fences exceed those of earlier workers. Conflict: the system is not empty. DataLoss: the
    backup is damaged.
    """
    manifest = read_manifest(folder)
    _require_known(manifest, owner_url)
    progress("verifying the backup")
    await verify(folder, manifest)
    async with raw_connection(owner_url) as connection:
        await _require_empty_database(connection)
    await blobs.create()
    await _require_empty_store(folder, blobs)
    await _store_objects(folder, manifest, blobs)
    progress(f"{manifest.objects:,} objects are stored")
    await _load_rows(folder, manifest, owner_url)
    progress(f"{manifest.rows:,} rows are stored")
    await asyncio.to_thread(migrate.upgrade, owner_url, *login_urls)
    async with raw_connection(owner_url) as connection:
        await connection.execute("ANALYZE")
    return manifest


def _require_known(manifest: Manifest, owner_url: str) -> None:
    """Check that this version has the schema of the backup. InvalidInput newer-backup: it does not."""
    script = ScriptDirectory.from_config(migrate.alembic_config(owner_url))
    if manifest.schema_revision not in {step.revision for step in script.walk_revisions()}:
        raise InvalidInput(
            f"The backup has schema revision {manifest.schema_revision}, which this version does not know. "
            f"Use Ketav {manifest.ketav_version} or newer.",
            code="newer-backup",
        )


async def _require_empty_database(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Check that no table has rows, except base models. Conflict not-empty: one has."""
    for name in await list_tables(connection):
        if name == "model_version":
            empty = await connection.fetchval(_BASES_ONLY)
        else:
            empty = not await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {quoted(name)})")  # noqa: S608
        if not empty:
            raise Conflict(
                f"The database is not empty: the table {name} has rows. Restore into a new database.",
                code="not-empty",
            )


async def _require_empty_store(folder: Path, blobs: BlobStore) -> None:
    """Check that the store has no objects of users but those of the backup. Conflict: it has."""
    expected = {stored.key for stored in listed_objects(folder)}
    for prefix in PREFIXES:
        after = ""
        while listed := await blobs.listing(prefix, after, _LISTED):
            after = listed[-1][0]
            for key, _ in listed:
                if key not in expected and (prefix != "models/" or parse_user_model_key(key)):
                    raise Conflict(
                        f"The object store is not empty: it has {key}, which is not in the backup. Restore "
                        "into a new bucket or folder.",
                        code="not-empty",
                    )


async def _store_objects(folder: Path, manifest: Manifest, blobs: BlobStore) -> None:
    """Store the objects of a backup; those that were missing are left out."""
    missing = set(manifest.missing_objects)
    for stored in listed_objects(folder):
        if stored.key not in missing:
            await objects.store(
                blobs,
                _chunks(object_path(folder, stored.key)),
                partial(_checked_key, stored),
                max_bytes=MAX_MODEL_BYTES,
                size_bytes=stored.size_bytes,
            )


def _checked_key(stored: StoredObject, sha256: bytes) -> str:
    """Return the key of an object. DataLoss: the file has changed since it was verified."""
    if sha256.hex() != stored.sha256:
        raise DataLoss(f"The object {stored.key} of the backup has changed. Use another copy of the backup.")
    return stored.key


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield a file in chunks."""
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


async def _load_rows(folder: Path, manifest: Manifest, owner_url: str) -> None:
    """Make the schema of the backup and load its rows in one transaction. Conflict: rows have arrived."""
    async with raw_connection(owner_url) as connection, connection.transaction():
        current = await schema_revision(connection)
        if current is not None:  # base models that were imported into the new system
            await _lock_tables(connection)
            await _require_empty_database(connection)
            await connection.execute("DELETE FROM model_version")
    config = migrate.alembic_config(owner_url)
    move = command.downgrade if current and current > manifest.schema_revision else command.upgrade
    await asyncio.to_thread(move, config, manifest.schema_revision)
    async with raw_connection(owner_url) as connection, connection.transaction():
        await _lock_tables(connection)
        await _require_empty_database(connection)
        await _require_all_tables(connection, manifest)
        await connection.execute("DELETE FROM model_version")  # a service that runs has imported them again
        # COPY is not possible while row-level security applies to the owner.
        for table in manifest.tables:
            await connection.execute(f"ALTER TABLE {quoted(table.name)} NO FORCE ROW LEVEL SECURITY")
            # The backup has what triggers wrote when the rows were new. Foreign keys are still checked.
            await connection.execute(f"ALTER TABLE {quoted(table.name)} DISABLE TRIGGER USER")
        for table in manifest.tables:
            path = table_path(folder, table.name)
            status = await connection.copy_to_table(
                table.name, source=path, columns=table.columns, format="text"
            )
            if int(status.split()[-1]) != table.rows:
                raise DataLoss(f"The file of {table.name} has other rows. Use another copy of the backup.")
        await connection.execute(_RUNS)
        if "job_page" in {table.name for table in manifest.tables}:  # older backups have no jobs
            await connection.execute(_JOB_PAGES)
        if "job_export" in {table.name for table in manifest.tables}:
            await connection.execute(_JOB_EXPORTS)
        await _set_sequences(connection)
        for table in manifest.tables:
            await connection.execute(f"ALTER TABLE {quoted(table.name)} FORCE ROW LEVEL SECURITY")
            await connection.execute(f"ALTER TABLE {quoted(table.name)} ENABLE TRIGGER USER")


async def _require_all_tables(connection: Any, manifest: Manifest) -> None:  # noqa: ANN401 - asyncpg has no types
    """Check that the backup has the tables of its schema. DataLoss damaged-backup: it has others."""
    tables = set(await list_tables(connection))
    different = sorted(tables ^ {table.name for table in manifest.tables})
    if different:
        raise DataLoss(
            f"The manifest and the schema {manifest.schema_revision} differ in the table {different[0]}. "
            "Use another copy of the backup.",
            code="damaged-backup",
        )


async def _lock_tables(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Lock all tables until the transaction ends: another restore and services wait.

    Conflict tables-in-use: they are not free within `_LOCK_TIMEOUT_S` seconds.
    """
    await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'")
    names = ", ".join(quoted(name) for name in sorted(await list_tables(connection)))
    try:
        await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    except asyncpg.LockNotAvailableError as error:
        raise Conflict(
            "The tables are in use. Stop the services and other restores, then run the command again.",
            code="tables-in-use",
        ) from error


async def _set_sequences(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Continue the numbers of identity columns behind the restored ones."""
    for row in await connection.fetch(_SEQUENCES):
        highest = f"SELECT max({quoted(row['column'])}) FROM {row['name']}"  # noqa: S608 - names of the catalog
        await connection.execute(f"SELECT setval('{row['sequence']}', greatest(({highest}), 1))")
