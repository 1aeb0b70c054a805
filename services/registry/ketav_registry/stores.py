"""The stores that use cases work with."""

from dataclasses import dataclass

from ketav_common.errors import KetavError
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database


@dataclass(frozen=True, slots=True)
class Stores:
    """PostgreSQL with the rows, and the object store with images and model files."""

    database: Database
    blobs: BlobStore

    async def ready(self) -> bool:
        """Return whether both stores answer and the database has the newest schema."""
        try:
            await self.blobs.check()
        except KetavError:
            return False
        return await self.database.ready()
