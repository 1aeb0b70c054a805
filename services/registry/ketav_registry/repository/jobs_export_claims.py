"""Exports claimed, renewed and ended by gateways under a fence. A writer locks the job first."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.jobs import ACTIVE_JOBS, MAX_ATTEMPTS, Job, JobKind, JobState
from ketav_registry.domain.jobs_exports import (
    RESULT_LIFETIME,
    ClaimedExport,
    ExportResult,
    FencedExport,
    JobError,
    NewExport,
)
from ketav_registry.repository.jobs import creator, job_of
from ketav_registry.repository.jobs_exports import changed, update_job
from ketav_registry.tables import job, job_export

_job, _export = job.c, job_export.c
_MAX_SWEPT = 200
"""Exports that one sweep ends; the next one continues."""
_NOW = sa.func.clock_timestamp
_IS_FREE = sa.or_(
    sa.and_(_export.lease_until.is_(None), _export.due_at <= _NOW()), _export.lease_until < _NOW()
)
_IS_CLAIMABLE = sa.and_(
    _export.attempts < MAX_ATTEMPTS, _IS_FREE, _job.state.in_(ACTIVE_JOBS), _job.expires_at > _NOW()
)
_IS_HOPELESS = sa.and_(
    _job.state.in_(ACTIVE_JOBS),
    _IS_FREE,
    sa.or_(_export.attempts >= MAX_ATTEMPTS, _job.expires_at <= _NOW()),
)


async def next_export(transaction: Transaction, passed_over: Sequence[UUID]) -> tuple[UUID, UUID] | None:
    """Return the owner and the job of the export that is claimed next; None when none waits.

    Next is the export of the user who has waited longest for a turn. Owners in `passed_over` have no turn.
    """
    other = job.alias()
    last_turn = sa.select(sa.func.max(other.c.served_at)).where(
        creator(other.c) == creator(_job), other.c.kind == JobKind.EXPORT
    )
    query = (
        sa.select(_job.user_id, _job.id)
        .join(job_export, _export.job_id == _job.id)
        .where(_IS_CLAIMABLE, _job.user_id.not_in(passed_over))
        .order_by(last_turn.scalar_subquery().nulls_first(), _job.created_at, _job.id)
        .limit(1)
        .with_for_update(of=job, skip_locked=True)
    )
    row = (await transaction.execute(query)).first()
    return None if row is None else (row[0], row[1])


async def claim(transaction: Transaction, job_id: UUID, lease: timedelta) -> ClaimedExport | None:
    """Claim the export of a locked job; None when another gateway has claimed it meanwhile."""
    changes = {"fence": _export.fence + 1, "attempts": _export.attempts + 1, "lease_until": _NOW() + lease}
    free = sa.and_(_export.job_id == job_id, _IS_FREE, _export.attempts < MAX_ATTEMPTS)
    claimed = job_export.update().where(free).values(**changes).returning(job_export)
    export = (await transaction.execute(claimed)).first()
    if export is None:
        return None
    served = {"state": JobState.RUNNING, "pages_read": 0, "served_at": _NOW(), **changed()}
    row = (await transaction.execute(update_job(job_id, served))).one()
    new = NewExport(
        row.project_id,
        export.format,
        tuple(export.page_ids),
        export.images,
        export.address,
        export.base,
    )
    return ClaimedExport(
        FencedExport(job_id, export.fence),
        row.user_id,
        row.member_id or row.user_id,
        new,
        lease,
        row.traceparent or "",
    )


def _is_held(export: FencedExport) -> sa.ColumnElement[bool]:
    """Return the condition of a gateway's write: its claim is the latest, and the export has not ended."""
    return sa.and_(
        _export.job_id == export.job_id, _export.fence == export.fence, _export.lease_until.is_not(None)
    )


async def is_held(transaction: Transaction, owner_id: UUID, export: FencedExport) -> bool:
    """Return whether a claim is the latest of an export of the owner that has not ended."""
    query = sa.select(sa.true()).where(_is_held(export), _export.user_id == owner_id)
    return bool(await transaction.scalar(query))


async def renew(transaction: Transaction, export: FencedExport, lease: timedelta, pages_written: int) -> bool:
    """Renew the lease of a locked job's export; False when the fence is stale or the export has ended."""
    query = job_export.update().where(_is_held(export)).values(lease_until=_NOW() + lease)
    if (await transaction.execute(query)).rowcount != 1:
        return False
    progressed = sa.and_(_job.id == export.job_id, _job.pages_read < pages_written)
    written = sa.func.least(pages_written, _job.page_count)
    await transaction.execute(job.update().where(progressed).values(pages_read=written, **changed()))
    return True


async def finish(transaction: Transaction, export: FencedExport, result: ExportResult) -> Job | None:
    """Record the result of a locked job's export; None when the fence is stale or the export has ended."""
    query = job_export.update().where(_is_held(export))
    stored = query.values(
        lease_until=None,
        error_code="",
        error_detail="",
        result_key=result.key,
        result_sha256=result.sha256,
        result_bytes=result.size_bytes,
        result_expires_at=_NOW() + RESULT_LIFETIME,
    )
    if (await transaction.execute(stored)).rowcount != 1:
        return None
    changes = {"state": JobState.SUCCEEDED, "pages_read": _job.page_count, **changed()}
    return job_of((await transaction.execute(update_job(export.job_id, changes))).one())


async def retry(
    transaction: Transaction, export: FencedExport, error: JobError, pause: timedelta, *, counts: bool
) -> Job | None:
    """Return the export of a locked job to the queue; None when the fence is stale or it has ended."""
    query = job_export.update().where(_is_held(export))
    returned = query.values(
        lease_until=None,
        due_at=_NOW() + pause,
        attempts=_export.attempts if counts else _export.attempts - 1,
        error_code=error.code,
        error_detail=error.detail,
    )
    if (await transaction.execute(returned)).rowcount != 1:
        return None
    changes = {"state": JobState.QUEUED, **changed()}
    return job_of((await transaction.execute(update_job(export.job_id, changes))).one())


async def attempts_of(transaction: Transaction, job_id: UUID) -> int:
    """Return how often an export was claimed, without the attempts that do not count."""
    return int(await transaction.scalar(sa.select(_export.attempts).where(_export.job_id == job_id)) or 0)


async def hopeless_exports(transaction: Transaction) -> list[UUID]:
    """Return at most 200 exports that no gateway writes and that have no attempts or no time left."""
    query = sa.select(_job.id).join(job_export, _export.job_id == _job.id).where(_IS_HOPELESS)
    return list(await transaction.scalars(query.order_by(_job.id).limit(_MAX_SWEPT)))


async def is_hopeless(transaction: Transaction, job_id: UUID) -> bool:
    """Return whether the export of a locked job has no attempts or no time left."""
    query = sa.select(_job.id).join(job_export, _export.job_id == _job.id)
    return await transaction.scalar(query.where(_IS_HOPELESS, _job.id == job_id)) is not None
