"""`ketav admin backup` and `ketav admin restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ketav_common.settings import load
from ketav_registry.admin.session import fail, finish, progress, require_system, settings
from ketav_registry.backup.create import create_backup
from ketav_registry.backup.manifest import Manifest
from ketav_registry.backup.restore import restore_backup
from ketav_registry.main import blob_store, spool_dir
from ketav_registry.settings import StoreSettings

_MAX_SECONDS = 12 * 3600
"""Time after which a backup or restore ends: half a day, so that a daily one never meets the next."""


def _summary(manifest: Manifest) -> str:
    """Return the counts of a backup."""
    return (
        f"{manifest.rows:,} rows of {len(manifest.tables)} tables, {manifest.objects:,} objects with "
        f"{manifest.object_bytes:,} bytes, schema {manifest.schema_revision}"
    )


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup; it must not exist.")],
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Make the backup although objects are missing.")
    ] = False,
) -> None:
    """Write database and objects to a folder while the system runs. It contains personal data."""
    require_system(settings())
    stores = load(StoreSettings)

    async def work() -> Manifest:
        """Open the object store and write the backup."""
        blobs = blob_store(stores.blob_url.get_secret_value(), spool_dir(stores))
        url = stores.database_url.get_secret_value()
        async with asyncio.timeout(_MAX_SECONDS):
            return await create_backup(folder, url, blobs, progress, allow_missing=allow_missing)

    manifest = finish(work)
    typer.echo(f"Backup {folder}: {_summary(manifest)}")
    if manifest.missing_objects:
        progress(f"{len(manifest.missing_objects)} objects were missing and are listed in the manifest")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `backup` has made.")],
) -> None:
    """Fill an empty system from a backup, and migrate it to the newest schema; stop the services before."""
    admin = settings()
    require_system(admin)
    owner = admin.migration_database_url
    if owner is None:
        fail("KETAV_MIGRATION_DATABASE_URL is not set. Set it to the database's URL with its owner's role.")
    stores = load(StoreSettings)

    async def work() -> Manifest:
        """Open the object store and restore."""
        blobs = blob_store(stores.blob_url.get_secret_value(), spool_dir(stores))
        async with asyncio.timeout(_MAX_SECONDS):
            return await restore_backup(folder, owner.get_secret_value(), admin.login_urls(), blobs, progress)

    manifest = finish(work, "If the rows are stored already, `ketav migrate` completes the restore.")
    typer.echo(f"Restored {folder}: {_summary(manifest)}")
