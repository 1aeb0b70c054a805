"""The queue of objects to remove, and the objects that rows refer to."""

import re
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, parse_user_model_key, user_model_key
from ketav_registry.domain.pages import digest_key
from ketav_registry.tables import job, job_export, model_version, object_removal, page

_removal, _version, _page = object_removal.c, model_version.c, page.c
REMOVAL_LOCK = 0x6B65746164
"""Key of the advisory lock that a backup holds while it copies objects; any number that no other lock has."""
_DIGEST_KEY = re.compile(r"images/[0-9a-f]{2}/([0-9a-f]{64})")


async def enqueue(transaction: Transaction, user_id: UUID, keys: Sequence[str]) -> None:
    """Queue objects for removal. They are removed after the commit, unless a row refers to them then."""
    if keys:
        rows = [{"user_id": user_id, "object_key": key} for key in keys]
        await transaction.execute(pg.insert(object_removal).on_conflict_do_nothing(), rows)


async def may_remove(transaction: Transaction) -> bool:
    """Return whether objects may be removed now; False while a backup copies those of its snapshot.

    The lock ends with the transaction. That suffices: rows of objects which it lists for removal were deleted
    before, so that the snapshot of a backup that begins later does not have them.
    """
    return bool(await transaction.scalar(sa.select(sa.func.pg_try_advisory_xact_lock_shared(REMOVAL_LOCK))))


async def queued_keys(transaction: Transaction, limit: int) -> list[str]:
    """Return queued keys: those with the fewest failed attempts first, then the oldest."""
    query = sa.select(_removal.object_key).order_by(_removal.attempts, _removal.created_at).limit(limit)
    return list(await transaction.scalars(query))


async def dequeue(transaction: Transaction, keys: Sequence[str]) -> None:
    """Delete keys from the queue."""
    await transaction.execute(object_removal.delete().where(_removal.object_key.in_(keys)))


async def count_failure(transaction: Transaction, key: str) -> None:
    """Increment the failed attempts of a key, which moves it behind the others."""
    await transaction.execute(
        object_removal.update().where(_removal.object_key == key).values(attempts=_removal.attempts + 1)
    )


async def has_references(transaction: Transaction) -> bool:
    """Return whether any row refers to an object: a page, a job or a model version."""
    rows = (sa.select(_page.id), sa.select(job.c.document_key), sa.select(_version.version))
    query = sa.select(sa.or_(*(sa.exists(row) for row in rows)))
    return bool(await transaction.scalar(query))


async def referenced_keys(transaction: Transaction, keys: Sequence[str]) -> set[str]:
    """Return the keys that a row refers to; call it in a system transaction, which sees all rows."""
    images = await transaction.scalars(sa.select(_page.object_key).where(_page.object_key.in_(keys)))
    documents = await transaction.scalars(sa.select(job.c.document_key).where(job.c.document_key.in_(keys)))
    result_key = job_export.c.result_key
    results = await transaction.scalars(sa.select(result_key).where(result_key.in_(keys)))
    referenced = {*images, *documents, *results}
    digests = [bytes.fromhex(match[1]) for key in keys if (match := _DIGEST_KEY.fullmatch(key))]
    by_digest = sa.select(_page.sha256).where(_page.sha256.in_(digests), _page.object_key.is_(None))
    referenced |= {digest_key(digest) for digest in await transaction.scalars(by_digest)}
    versions = [parsed[1] for key in keys if (parsed := parse_user_model_key(key))]
    models = sa.select(_version.user_id, _version.version).where(
        _version.version.in_(versions), _version.user_id.is_not(None), _version.state != ModelState.TAINTED
    )
    return referenced | {
        user_model_key(row.user_id, row.version) for row in await transaction.execute(models)
    }
