"""The stores that use cases work with."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from ketav_common.errors import KetavError
from ketav_common.readiness import Readiness
from ketav_registry.blobs import STORE_MISSING, BlobStore
from ketav_registry.database import Database
from ketav_registry.repository import object_removal

_CHECK_TIMEOUT_S = 1.5
"""Seconds that a store may take to answer a check: less than the two seconds of a readiness check."""


@dataclass(frozen=True, slots=True)
class Stores:
    """PostgreSQL with the rows, and the object store with images and model files."""

    database: Database
    blobs: BlobStore

    async def ready(self) -> Readiness:
        """Return whether both stores can be used, with the reasons why not."""
        problems = await self.problems()
        return Readiness(serving=not problems, problems=tuple(problems))

    async def problems(self, timeout_s: float = _CHECK_TIMEOUT_S) -> list[str]:
        """Return a sentence for the operator for each store that cannot be used.

        A missing bucket or folder is created for a database without images and models. Where there are some,
        it must be restored: an empty store would hide that it is lost.
        """
        database, objects = await asyncio.gather(
            _within(timeout_s, "PostgreSQL", self.database.problem()),
            _within(timeout_s, "The object store", self.blobs.problem()),
        )
        if objects == STORE_MISSING and not database:
            objects = await self._create_if_new()
        return [problem for problem in (database, objects) if problem]

    async def _create_if_new(self) -> str:
        """Create the object store unless a row refers to an object; return the problem that remains."""
        try:
            async with self.database.system() as transaction:
                if await object_removal.has_references(transaction):
                    return STORE_MISSING
            await self.blobs.create()
        except KetavError:
            return STORE_MISSING
        return ""


async def _within(timeout_s: float, store: str, check: Awaitable[str]) -> str:
    """Return the result of a check, or a sentence that the store took too long."""
    try:
        return await asyncio.wait_for(check, timeout_s)
    except TimeoutError:
        return f"{store} did not answer within {timeout_s:g} seconds. Check its load and its address."
