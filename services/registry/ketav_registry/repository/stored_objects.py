"""Rows that refer to objects, and rows whose state contradicts others, for `ketav admin fsck`."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, base_key, user_model_key
from ketav_registry.domain.pages import digest_key
from ketav_registry.domain.training import ACTIVE_STATES, LEASED_STATES, MAX_ATTEMPTS, RunState
from ketav_registry.tables import (
    account,
    active_hand_model,
    active_model,
    job,
    model_version,
    object_removal,
    page,
    training_run,
)

_page, _version, _active, _run = page.c, model_version.c, active_model.c, training_run.c
_TOO_MANY_ATTEMPTS = (
    "The training was interrupted too often and has failed. Start it again with POST /train/."
)


@dataclass(frozen=True, slots=True)
class ReferencedObject:
    """An object that a row refers to. `subject` is the id of the page or job, or the name of the version."""

    key: str
    sha256: bytes
    size_bytes: int
    subject: str
    user_id: UUID | None


@dataclass(frozen=True, slots=True)
class UnusableActiveModel:
    """An active version that cannot serve; its state is None when there is no such version."""

    user_id: UUID
    version: str
    state: ModelState | None


async def list_images(transaction: Transaction, after: UUID | None, limit: int) -> list[ReferencedObject]:
    """Return the images of at most `limit` pages behind a page, in the order of their ids."""
    query = sa.select(_page.id, _page.user_id, _page.object_key, _page.sha256, _page.size_bytes)
    query = query.order_by(_page.id).limit(limit)
    if after is not None:
        query = query.where(_page.id > after)
    return [
        ReferencedObject(
            row.object_key or digest_key(row.sha256), row.sha256, row.size_bytes, str(row.id), row.user_id
        )
        for row in await transaction.execute(query)
    ]


async def list_documents(transaction: Transaction) -> list[ReferencedObject]:
    """Return the documents of jobs that have not ended."""
    query = job.select().where(job.c.document_key.is_not(None)).order_by(job.c.id)
    return [
        ReferencedObject(row.document_key, row.document_sha256, row.document_bytes, str(row.id), row.user_id)
        for row in await transaction.execute(query)
    ]


async def list_model_files(transaction: Transaction) -> list[ReferencedObject]:
    """Return the files of all versions that can serve."""
    query = model_version.select().where(_version.state == ModelState.AVAILABLE).order_by(_version.version)
    return [
        ReferencedObject(
            base_key(row.sha256) if row.user_id is None else user_model_key(row.user_id, row.version),
            row.sha256,
            row.size_bytes,
            row.version,
            row.user_id,
        )
        for row in await transaction.execute(query)
    ]


async def has_subject(transaction: Transaction, subject: str) -> bool:
    """Return whether the page, the job with a document, or the version that can serve still exists."""
    is_page = sa.exists().where(sa.cast(_page.id, sa.Text) == subject)
    is_job = sa.exists().where(sa.cast(job.c.id, sa.Text) == subject, job.c.document_key.is_not(None))
    is_version = sa.exists().where(_version.version == subject, _version.state == ModelState.AVAILABLE)
    return bool(await transaction.scalar(sa.select(sa.or_(is_page, is_job, is_version))))


async def queued_for_removal(transaction: Transaction, keys: Sequence[str]) -> set[str]:
    """Return the keys that are queued for removal."""
    key = object_removal.c.object_key
    return set(await transaction.scalars(sa.select(key).where(key.in_(keys))))


async def unusable_active_models(transaction: Transaction) -> list[UnusableActiveModel]:
    """Return the active versions whose state is not `available`; the base serves in their stead."""
    active = sa.union(
        sa.select(_active.user_id, _active.version),
        sa.select(active_hand_model.c.user_id, active_hand_model.c.version),
    ).subquery()
    query = (
        sa.select(active.c.user_id, active.c.version, _version.state)
        .outerjoin_from(active, model_version, _version.version == active.c.version)
        .where(active.c.version.is_not(None), _version.state.is_distinct_from(ModelState.AVAILABLE))
        .order_by(active.c.user_id, active.c.version)
    )
    return [UnusableActiveModel(*row) for row in await transaction.execute(query)]


async def runs_without_lease(transaction: Transaction) -> list[UUID]:
    """Return the runs that a worker should hold and that have no lease, so that no sweep continues them."""
    query = sa.select(_run.id).where(_run.state.in_(LEASED_STATES), _run.lease_until.is_(None))
    return list(await transaction.scalars(query.order_by(_run.created_at)))


async def exhausted_runs(transaction: Transaction) -> list[UUID]:
    """Return the queued runs without attempts left, which no worker can claim."""
    query = sa.select(_run.id).where(_run.state == RunState.QUEUED, _run.attempts >= MAX_ATTEMPTS)
    return list(await transaction.scalars(query.order_by(_run.created_at)))


async def expire_run(transaction: Transaction, run_id: UUID) -> None:
    """End the lease of a run now, so that the next sweep continues it."""
    query = training_run.update().where(_run.id == run_id, _run.state.in_(LEASED_STATES))
    await transaction.execute(query.values(lease_until=sa.func.clock_timestamp()))


async def fail_run(transaction: Transaction, run_id: UUID) -> None:
    """End a run that has no attempts left as failed."""
    query = training_run.update().where(_run.id == run_id, _run.state.in_(ACTIVE_STATES))
    changes = {"revision": _run.revision + 1, "updated_at": sa.func.clock_timestamp()}
    await transaction.execute(
        query.values(state=RunState.FAILED, verdict=_TOO_MANY_ATTEMPTS, lease_until=None, **changes)
    )


async def count_rows(transaction: Transaction) -> dict[str, int]:
    """Return the number of users, pages, versions and runs."""
    tables = {"users": account, "pages": page, "models": model_version, "runs": training_run}
    counts = {}
    for name, table in tables.items():
        counts[name] = int(await transaction.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
    return counts
