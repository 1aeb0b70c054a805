"""Emptying the queue of objects that are to go, and finding those that no row has ever named.

Every registry does both from time to time; doing it twice at once is harmless.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ketav_common.errors import KetavError
from ketav_common.logging import get_logger
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database
from ketav_registry.domain.models import owner_of_key
from ketav_registry.repository import object_removal

log = get_logger()

_QUEUED_A_SWEEP = 500
_LISTED_A_SWEEP = 1_000
# An object without a row is an orphan only when no upload of it can be under way any more.
_YOUNGEST_ORPHAN = timedelta(days=1)
# More orphans than this, and more than half of what is listed, is a database that is not this store's.
_FEW = 20


@dataclass
class Rounds:
    """Where the search for orphans goes on, prefix by prefix; it begins anew behind the last object."""

    behind: dict[str, str] = field(default_factory=lambda: {"images/": "", "models/": ""})


@asynccontextmanager
async def sweeping(database: Database, blobs: BlobStore, every_s: float) -> AsyncIterator[None]:
    """Sweep every `every_s` seconds while the block runs."""

    async def sweep() -> None:
        """Sweep for ever; what goes wrong is in the log and tried again."""
        rounds = Rounds()
        while True:
            await asyncio.sleep(every_s)
            try:
                await sweep_objects(database=database, blobs=blobs, rounds=rounds)
            except KetavError as error:
                log.warning("object_sweep_failed", code=error.code)
            except Exception:
                log.exception("object_sweep_crashed")

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def sweep_objects(*, database: Database, blobs: BlobStore, rounds: Rounds) -> None:
    """Remove what is queued, then look for orphans a stretch further. Unavailable: a store is away.

    An object of the queue that cannot be removed does not keep the search for orphans waiting.
    """
    try:
        await _empty_queue(database, blobs)
    finally:
        for prefix in rounds.behind:
            rounds.behind[prefix] = await _collect(prefix, rounds.behind[prefix], database, blobs)


async def _empty_queue(database: Database, blobs: BlobStore) -> None:
    """Remove queued objects; one that a row still names is let be. The first failure ends the sweep."""
    async with database.system() as transaction:
        keys = await object_removal.due(transaction, _QUEUED_A_SWEEP)
        named = await object_removal.named(transaction, keys)
    gone = list(named)
    try:
        for key in keys:
            if key not in named:
                await _remove(key, database, blobs)
                gone.append(key)
    finally:
        async with database.system() as transaction:
            await object_removal.done(transaction, gone)
    if keys:
        log.info("objects_removed", count=len(gone) - len(named), kept=len(named))


async def _remove(key: str, database: Database, blobs: BlobStore) -> None:
    """Remove an object; note that it could not be."""
    try:
        await blobs.remove(key)
    except KetavError:
        async with database.system() as transaction:
            await object_removal.failed(transaction, key)
        raise


async def _collect(prefix: str, behind: str, database: Database, blobs: BlobStore) -> str:
    """Remove the orphans of one stretch of objects; return the key behind which the next one begins."""
    listed = await blobs.listing(prefix, behind, _LISTED_A_SWEEP)
    old = [key for key, stored in listed if datetime.now(UTC) - stored > _YOUNGEST_ORPHAN and _ours(key)]
    async with database.system() as transaction:
        named = await object_removal.named(transaction, old)
    orphans = [key for key in old if key not in named]
    if _plausible(orphans, old):
        for key in orphans:
            await blobs.remove(key)
        if orphans:
            log.info("orphans_removed", count=len(orphans), prefix=prefix)
    return listed[-1][0] if len(listed) == _LISTED_A_SWEEP else ""


def _ours(key: str) -> bool:
    """Say whether an object is a page's image or a user's model: nothing else is ever collected."""
    return key.startswith("images/") or owner_of_key(key) is not None


def _plausible(orphans: Sequence[str], old: Sequence[str]) -> bool:
    """Refuse to remove most of a store: that is not what crashes leave, but a wrong or restored database."""
    if len(orphans) > max(_FEW, len(old) // 2):
        log.error("too_many_orphans", count=len(orphans), listed=len(old))
        return False
    return True
