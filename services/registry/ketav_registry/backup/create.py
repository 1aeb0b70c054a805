"""`ketav admin backup`: writes a backup while the system runs."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg

from ketav_common.errors import Conflict, DataLoss, Precondition
from ketav_common.limits import MIB
from ketav_registry import blobs as objects
from ketav_registry.backup.connection import list_tables, raw_connection, schema_revision
from ketav_registry.backup.manifest import (
    OBJECT_LIST,
    Manifest,
    StoredObject,
    TableFile,
    digest,
    listed_objects,
    object_path,
    private_file,
    table_path,
    verify,
    write_manifest,
)
from ketav_registry.backup.object_list import MODELS, model_key, write_object_list
from ketav_registry.blobs import BlobStore
from ketav_registry.repository.object_removal import REMOVAL_LOCK

_COPIES = 4
"""Objects that are copied at the same time."""
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_DOCUMENT_BYTES = "SELECT coalesce(sum(document_bytes), 0)::bigint FROM job WHERE document_key IS NOT NULL"
_LOCK_TIMEOUT_S = 10
"""Seconds to wait for sweeps, which hold the lock for the time of two queries."""
_PROGRESS_OBJECTS = 1_000
"""Copied objects between two lines of progress."""

Progress = Callable[[str], None]


async def create_backup(
    target: Path, database_url: str, blobs: BlobStore, progress: Progress, *, allow_missing: bool = False
) -> Manifest:
    """Write a backup to a folder that does not exist or is empty, and return its manifest.

    It is written to a folder with `.partial` in its name and renamed when it is complete and verified. A
    repeated call takes the objects of an interrupted one. While it runs, no registry removes objects.
    Conflict: the folder has contents, or another backup runs. Precondition: too little space, or an object is
    missing and `allow_missing` is False.
    """
    target = await asyncio.to_thread(target.resolve)
    await asyncio.to_thread(_require_free_name, target)
    partial_folder = target.with_name(target.name + ".partial")
    # The lock is held to the end: a second backup into the same folder would replace verified files.
    async with raw_connection(database_url) as connection:
        await _lock_removals(connection)
        tables, revision = await _write_rows(connection, partial_folder, progress)
        missing = await _copy_objects(partial_folder, blobs, progress)
        if not allow_missing:
            await _require_objects(connection, missing)
        manifest = _manifest(partial_folder, tables, revision, missing)
        progress("verifying")
        await verify(partial_folder, manifest)
        await asyncio.to_thread(_publish, partial_folder, target, manifest)
    return manifest


async def _require_objects(connection: Any, missing: list[str]) -> None:  # noqa: ANN401 - asyncpg has no types
    """Check that no version that can serve, no page and no job lacks its object. Precondition: one does."""
    retired = await _retired_files(connection)
    required = [key for key in missing if key not in retired]
    if required:
        raise Precondition(
            f"{len(required)} objects are missing in the object store, the first one is {required[0]}. Run "
            "`ketav admin fsck`, or make the backup without them with --allow-missing.",
            code="missing-objects",
        )


async def _lock_removals(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Stop the removal of objects until the connection ends; later sweeps do nothing.

    Conflict backup-runs: another backup holds the lock.
    """
    await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'")
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", REMOVAL_LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise Conflict("Another backup runs. Wait until it ends.", code="backup-runs") from error


async def _retired_files(connection: Any) -> set[str]:  # noqa: ANN401 - asyncpg has no types
    """Return the keys of versions that never serve: `fsck` retires versions whose files are lost."""
    rows = await connection.fetch(MODELS)
    retired = {model_key(row) for row in rows if row["state"] == "retired"}
    return retired - {model_key(row) for row in rows if row["state"] != "retired"}


def _require_free_name(folder: Path) -> None:
    """Check that a backup can get the name of a folder. Conflict: it has contents, or is a mounted disk."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(
            f"The folder {folder} is not empty. Pass a folder that does not exist.", code="not-empty"
        )
    if folder.is_mount():
        raise Conflict(
            f"The folder {folder} is a mounted disk and cannot be replaced by the complete backup. Pass a "
            f"folder inside it, such as {folder / 'backup'}.",
            code="mounted",
        )


async def _write_rows(connection: Any, folder: Path, progress: Progress) -> tuple[list[TableFile], str]:  # noqa: ANN401
    """Write the rows of one snapshot and the list of its objects; return the tables and the revision."""
    await connection.execute(_SNAPSHOT)
    try:
        revision = await schema_revision(connection) or ""
        columns_of = await list_tables(connection)
        has_jobs = "job" in columns_of
        await _require_space(connection, folder, has_jobs=has_jobs)
        tables = []
        for name, columns in columns_of.items():
            tables.append(await _write_table(connection, folder, name, columns))
        await write_object_list(connection, folder, has_jobs=has_jobs)
    finally:
        await connection.execute("ROLLBACK")
    progress(f"{sum(table.rows for table in tables):,} rows of {len(tables)} tables are written")
    return tables, revision


async def _require_space(connection: Any, folder: Path, *, has_jobs: bool) -> None:  # noqa: ANN401
    """Check that database and objects fit on the disk. Precondition disk-full: they do not."""
    documents = await connection.fetchval(_DOCUMENT_BYTES) if has_jobs else 0
    needed = documents + await connection.fetchval(
        "SELECT pg_database_size(current_database()) + (SELECT coalesce(sum(size_bytes), 0) FROM page)"
        " + (SELECT coalesce(sum(size_bytes), 0) FROM model_version)"
    )
    free = await asyncio.to_thread(_free_bytes, folder)
    if free + await asyncio.to_thread(_used_bytes, folder) < needed:
        raise Precondition(
            f"The backup may take {needed // MIB:,} MiB, and {free // MIB:,} MiB are free on the disk of "
            f"{folder}. Free space, or choose another disk.",
            code="disk-full",
        )


def _free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk on which a folder is or will be."""
    parent = next(path for path in folder.absolute().parents if path.exists())
    return shutil.disk_usage(parent).free


def _used_bytes(folder: Path) -> int:
    """Return the bytes of the files in a folder, which an interrupted backup has written."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class _HashedFile:
    """A private file that counts and hashes what is written to it."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        self.file: BinaryIO = os.fdopen(private_file(path), "wb")
        self.hasher = hashlib.sha256()
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        """Append data."""
        self.hasher.update(data)
        self.size_bytes += len(data)
        await asyncio.to_thread(self.file.write, data)


async def _write_table(connection: Any, folder: Path, name: str, columns: tuple[str, ...]) -> TableFile:  # noqa: ANN401
    """Write the rows of a table by COPY."""
    output = _HashedFile(table_path(folder, name))
    with output.file:
        status = await connection.copy_from_table(name, columns=columns, output=output.write, format="text")
    return TableFile(name, columns, int(status.split()[-1]), output.size_bytes, output.hasher.hexdigest())


async def _copy_objects(folder: Path, blobs: BlobStore, progress: Progress) -> list[str]:
    """Copy the listed objects, unless an earlier call has; return the keys of the missing ones."""
    missing: list[str] = []
    pending = listed_objects(folder)
    copied = 0

    async def copy() -> None:
        """Copy objects until none is left."""
        nonlocal copied
        for stored in pending:
            if not await _copy_object(folder, stored, blobs):
                missing.append(stored.key)
            copied += 1
            if copied % _PROGRESS_OBJECTS == 0:
                progress(f"{copied:,} objects are copied")

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_COPIES):
                tasks.create_task(copy())
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    await asyncio.to_thread(_remove_unlisted, folder)
    return sorted(missing)


def _remove_unlisted(folder: Path) -> None:
    """Remove objects that an interrupted call has copied and whose rows were deleted since."""
    expected = {object_path(folder, stored.key) for stored in listed_objects(folder)}
    for path in (folder / "objects").rglob("*"):
        if path.is_file() and path not in expected:
            path.unlink()


async def _copy_object(folder: Path, stored: StoredObject, blobs: BlobStore) -> bool:
    """Copy an object; return False when the store does not have it, or has another content."""
    path = object_path(folder, stored.key)
    if path.exists() and await asyncio.to_thread(digest, path) == stored.sha256:
        return True
    content = objects.read(
        blobs, stored.key, sha256=bytes.fromhex(stored.sha256), size_bytes=stored.size_bytes
    )
    output = _HashedFile(path)
    try:
        with output.file:
            async for chunk in content:
                await output.write(chunk)
    except DataLoss:
        path.unlink()
        return False
    return True


def _manifest(folder: Path, tables: list[TableFile], revision: str, missing: list[str]) -> Manifest:
    """Return the manifest of the written files."""
    count = size_bytes = 0
    for stored in listed_objects(folder):
        count += 1
        size_bytes += stored.size_bytes
    return Manifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        ketav_version=version("ketav"),
        schema_revision=revision,
        tables=tuple(tables),
        objects=count,
        object_bytes=size_bytes,
        object_list_sha256=digest(folder / OBJECT_LIST),
        missing_objects=tuple(missing),
    )


def _publish(folder: Path, target: Path, manifest: Manifest) -> None:
    """Write the manifest, flush everything to the disk, and give the backup its name."""
    write_manifest(folder, manifest)
    os.sync()
    folder.rename(target)
    os.sync()
