"""Removal of objects: those in the queue, and orphans, which no row refers to; and of old audit entries.

Every registry process does so periodically; concurrent sweeps do not disturb each other.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ketav_common.errors import KetavError
from ketav_common.logging import get_logger
from ketav_registry.domain.models import parse_user_model_key
from ketav_registry.repository import object_removal
from ketav_registry.stores import Stores
from ketav_registry.usecases.accounts_audit import remove_old_entries

log = get_logger()

_MAX_REMOVALS_PER_SWEEP = 500
_MAX_LISTED_PER_SWEEP = 1_000
"""Objects of each prefix that a sweep compares with the rows: one page of S3's ListObjects."""
_MIN_ORPHAN_AGE = timedelta(days=1)
"""Age from which an object without a row is an orphan: no upload takes that long."""
_MIN_SUSPICIOUS_ORPHANS = 20
"""More orphans than this, and than half of the listed objects, mean that the database is not the one of this
store: a crash leaves one object."""


PREFIXES = ("images/", "documents/", "exports/", "models/")
"""Prefixes of the keys of all objects."""


@dataclass
class OrphanSearch:
    """The last listed key of each prefix, after which the next sweep continues; empty: from the beginning."""

    last_keys: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PREFIXES, ""))


@asynccontextmanager
async def sweeping(stores: Stores, interval_s: float) -> AsyncIterator[None]:
    """Sweep every `interval_s` seconds while the block runs."""

    async def sweep() -> None:
        """Sweep until cancelled; errors are logged, and the next sweep tries again."""
        search = OrphanSearch()
        while True:
            await asyncio.sleep(interval_s)
            try:
                await sweep_objects(search, stores=stores)
                await remove_old_entries(stores)
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


async def sweep_objects(search: OrphanSearch, *, stores: Stores) -> None:
    """Remove queued objects, then continue the search for orphans. Unavailable: a store does not answer.

    Nothing is removed while a backup runs. The search runs even if a queued object cannot be removed.
    """
    try:
        await _remove_queued(stores)
    finally:
        for prefix, last_key in search.last_keys.items():
            search.last_keys[prefix] = await _remove_orphans(prefix, last_key, stores)


async def _remove_queued(stores: Stores) -> None:
    """Remove queued objects, except those that a row refers to. The first failure ends the sweep."""
    async with stores.database.system() as transaction:
        if not await object_removal.may_remove(transaction):
            return
        keys = await object_removal.queued_keys(transaction, _MAX_REMOVALS_PER_SWEEP)
        referenced = await object_removal.referenced_keys(transaction, keys)
    completed = list(referenced)
    try:
        for key in keys:
            if key not in referenced:
                await _remove(key, stores)
                completed.append(key)
    finally:
        async with stores.database.system() as transaction:
            await object_removal.dequeue(transaction, completed)
    if keys:
        log.info("objects_removed", count=len(completed) - len(referenced), kept=len(referenced))


async def _remove(key: str, stores: Stores) -> None:
    """Remove an object; a failure is counted."""
    try:
        await stores.blobs.remove(key)
    except KetavError:
        async with stores.database.system() as transaction:
            await object_removal.count_failure(transaction, key)
        raise


async def _remove_orphans(prefix: str, last_key: str, stores: Stores) -> str:
    """Remove the orphans among the next objects behind a key; return the key to continue behind."""
    listed = await stores.blobs.listing(prefix, last_key, _MAX_LISTED_PER_SWEEP)
    now = datetime.now(UTC)
    old = [key for key, stored in listed if now - stored > _MIN_ORPHAN_AGE and _is_removable(key)]
    async with stores.database.system() as transaction:
        if not await object_removal.may_remove(transaction):
            return last_key
        referenced = await object_removal.referenced_keys(transaction, old)
    orphans = [key for key in old if key not in referenced]
    if is_plausible(orphans, len(old)):
        for key in orphans:
            await stores.blobs.remove(key)
        if orphans:
            log.info("orphans_removed", count=len(orphans), prefix=prefix)
    return listed[-1][0] if len(listed) == _MAX_LISTED_PER_SWEEP else ""


def _is_removable(key: str) -> bool:
    """Return whether an object belongs to a page, a job or a user's model; base models are never removed."""
    return key.startswith(("images/", "documents/", "exports/")) or parse_user_model_key(key) is not None


def is_plausible(orphans: Sequence[str], listed: int) -> bool:
    """Return whether the orphans can be leftovers of crashes; otherwise the database is wrong or restored."""
    if len(orphans) > max(_MIN_SUSPICIOUS_ORPHANS, listed // 2):
        log.error("too_many_orphans", count=len(orphans), listed=listed)
        return False
    return True
