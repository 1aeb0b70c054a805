"""The registry's process: builds stores and servicers from the settings and serves them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ketav_common import logging, rpc
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing_export import exporting_spans
from ketav_registry.blobs import BlobStore
from ketav_registry.blobs_directory import DirectoryBlobStore
from ketav_registry.blobs_s3 import s3_store
from ketav_registry.database import Database, connect
from ketav_registry.database_logins import Logins
from ketav_registry.servicer import SERVICES, add_servicers
from ketav_registry.settings import RegistrySettings, StoreSettings
from ketav_registry.stores import Stores
from ketav_registry.usecases.object_removal import sweeping
from ketav_registry.usecases.training_metrics import counting_runs


def blob_store(url: str, spool: Path, *, timeout_s: float = 10) -> BlobStore:
    """Create the object store of a URL: file:///folder or s3://key:secret@host:port/bucket?secure=0.

    `timeout_s` limits the time that an S3 server may be silent.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return DirectoryBlobStore(Path(unquote(parts.path)))
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError("KETAV_BLOB_URL must begin with file:// or s3://.")
    return s3_store(parts, spool, timeout_s)


def spool_dir(settings: StoreSettings) -> Path:
    """Return the folder for uploads on their way to S3."""
    return settings.spool_dir or Path(tempfile.gettempdir()) / "ketav-spool"


@asynccontextmanager
async def open_stores(settings: StoreSettings, actor: str = "operator") -> AsyncIterator[Stores]:
    """Create both stores; closes the database connections when the block ends.

    `actor` is who acts in the stores outside a call.
    """
    timeout_s = settings.database_timeout
    user_url, system_url = settings.database_urls()
    user = connect(user_url, pool_size=settings.database_pool_size, statement_timeout_s=timeout_s)
    system = connect(system_url, pool_size=settings.database_system_pool_size, statement_timeout_s=timeout_s)
    database = Database(Logins(user, system), actor)
    try:
        yield Stores(database, blob_store(settings.blob_url.get_secret_value(), spool_dir(settings)))
    finally:
        await database.close()


async def serve(settings: RegistrySettings) -> None:
    """Serve until SIGTERM, then finish the calls in progress."""
    async with (
        open_stores(settings, "registry") as stores,
        sweeping(stores, settings.object_sweep_seconds),
        counting_runs(stores, settings.run_count_seconds),
    ):
        await rpc.serve(
            partial(
                add_servicers,
                stores=stores,
                signer=settings.signer(),
                quarantine_limits=settings.quarantine_limits(),
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
    """Run the registry and its metrics endpoint until SIGTERM.

    The settings come from KETAV_… variables; a wrong one ends the process.
    """
    settings = load(RegistrySettings)
    logging.configure("registry", settings.log_level)
    with (
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("registry", settings.otlp_endpoint),
    ):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
