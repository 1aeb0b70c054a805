"""The registry's process: settings, adapters, server."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from ketav_common import logging, rpc
from ketav_common.errors import KetavError
from ketav_common.settings import load
from ketav_registry.blobs import BlobStore, blob_store
from ketav_registry.database import Database, connect
from ketav_registry.servicer import SERVICES, add_servicers
from ketav_registry.settings import RegistrySettings, StoreSettings
from ketav_registry.usecases.object_removal import sweeping


@dataclass(frozen=True, slots=True)
class Stores:
    """The registry's memory: rows and objects."""

    database: Database
    blobs: BlobStore

    async def ready(self) -> bool:
        """Say whether the database answers, is migrated, and the object store is there."""
        try:
            await self.blobs.check()
        except KetavError:
            return False
        return await self.database.ready()


@asynccontextmanager
async def open_stores(settings: StoreSettings) -> AsyncIterator[Stores]:
    """Build the adapters of both stores; the pool is closed when the block ends."""
    spool = settings.spool_dir or Path(tempfile.gettempdir()) / "ketav-spool"
    engine = connect(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        statement_timeout_s=settings.database_timeout,
    )
    database = Database(engine)
    try:
        yield Stores(database, blob_store(settings.blob_url.get_secret_value(), spool))
    finally:
        await database.close()


async def serve(settings: RegistrySettings) -> None:
    """Serve until SIGTERM, then drain."""
    async with (
        open_stores(settings) as stores,
        sweeping(stores.database, stores.blobs, settings.object_sweep_seconds),
    ):
        await rpc.serve(
            partial(
                add_servicers,
                database=stores.database,
                blobs=stores.blobs,
                signer=settings.signer(),
                limits=settings.limits(),
                lease=timedelta(seconds=settings.lease_seconds),
                private_webhooks=settings.webhook_private,
            ),
            bind=settings.bind,
            signer=settings.signer(),
            service="registry",
            names=SERVICES,
            drain_seconds=settings.drain_seconds,
            ready=stores.ready,
        )


def main() -> None:
    """Run the registry: `python -m ketav_registry.main`."""
    settings = load(RegistrySettings)
    logging.configure("registry", settings.log_level)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
