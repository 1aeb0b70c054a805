"""Pages of jobs, claimed and ended by workers. A write requires the fence of its claim."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.jobs import (
    ACTIVE_JOBS,
    MAX_ATTEMPTS,
    OUT_OF_TIME,
    RETENTION,
    TOO_MANY_ATTEMPTS,
    ClaimedPage,
    Failure,
    FencedPage,
    JobKind,
    JobPageState,
    ReadingOptions,
)
from ketav_registry.repository.jobs import creator
from ketav_registry.tables import job, job_page

_job, _page = job.c, job_page.c
_MAX_SWEPT_JOBS = 200
"""Jobs that one sweep repairs or deletes; the next one continues."""
_NOW = sa.func.clock_timestamp
_IS_WAITING = sa.and_(_page.state == JobPageState.QUEUED, _page.due_at <= _NOW())
_IS_ABANDONED = sa.and_(_page.state == JobPageState.RUNNING, _page.lease_until < _NOW())
_IS_SERVED = sa.and_(_job.state.in_(ACTIVE_JOBS), ~_job.cancel_requested, _job.expires_at > _NOW())


def _is_held(claimed: FencedPage) -> sa.ColumnElement[bool]:
    """Return the condition of a worker's write: its claim is the latest, and the page has no outcome yet."""
    return sa.and_(
        _page.job_id == claimed.job_id,
        _page.position == claimed.position,
        _page.fence == claimed.fence,
        _page.state == JobPageState.RUNNING,
    )


async def next_job(
    transaction: Transaction, passed_over: Sequence[UUID], *, skip_locked: bool
) -> tuple[UUID, UUID] | None:
    """Return the user and the job whose page is claimed next; None when no page waits.

    Next is a job of the user who has waited longest for a turn, then the job of that user which has; turns
    are those of the user who created it. Owners of jobs in `passed_over` have no turn. With `skip_locked`
    the job is locked, and one that others have locked is passed over.
    """
    waits = sa.exists().where(_page.job_id == _job.id, _IS_WAITING)
    other = job.alias()
    last_turn = sa.select(sa.func.max(other.c.served_at)).where(
        creator(other.c) == creator(_job), other.c.kind == JobKind.READING
    )
    query = (
        sa.select(_job.user_id, _job.id)
        .where(_IS_SERVED, waits, _job.user_id.not_in(passed_over))
        .order_by(
            last_turn.scalar_subquery().nulls_first(), _job.served_at.nulls_first(), _job.created_at, _job.id
        )
        .limit(1)
    )
    if skip_locked:
        query = query.with_for_update(of=job, skip_locked=True)
    row = (await transaction.execute(query)).first()
    return None if row is None else (row[0], row[1])


async def claim(transaction: Transaction, job_id: UUID, worker: str, lease: timedelta) -> ClaimedPage | None:
    """Claim the first waiting page of a locked job; None when others have claimed all meanwhile."""
    waiting = sa.select(sa.func.min(_page.position)).where(_page.job_id == job_id, _IS_WAITING)
    first = waiting.correlate(None).scalar_subquery()
    query = (
        job_page.update()
        .where(_page.job_id == job_id, _page.position == first)
        .values(
            state=JobPageState.RUNNING,
            fence=_page.fence + 1,
            attempts=_page.attempts + 1,
            lease_until=_NOW() + lease,
            worker=worker,
        )
        .returning(_page.position, _page.fence, _page.page_id)
    )
    claimed = (await transaction.execute(query)).first()
    if claimed is None:
        return None
    served = job.update().where(_job.id == job_id).values(served_at=_NOW()).returning(job)
    row = (await transaction.execute(served)).one()
    return ClaimedPage(
        FencedPage(job_id, claimed.position, claimed.fence),
        row.user_id,
        row.project_id,
        claimed.page_id,
        row.page_count,
        ReadingOptions(row.layout, row.model_version, row.turn, row.detect_turn),
        row.document_sha256 or b"",
        lease,
        row.traceparent or "",
    )


async def is_claimed(
    transaction: Transaction, claimed: FencedPage, user_id: UUID, project_id: UUID | None
) -> bool:
    """Return whether a claim is the latest of a page without outcome, in a job of the user and project."""
    query = sa.select(sa.true()).where(_is_held(claimed), _job.id == _page.job_id, _job.user_id == user_id)
    if project_id is not None:
        query = query.where(_job.project_id == project_id)
    return bool(await transaction.scalar(query))


async def renew(transaction: Transaction, claimed: FencedPage, lease: timedelta) -> bool:
    """Renew a lease; False when the fence is stale or the page has an outcome."""
    query = job_page.update().where(_is_held(claimed)).values(lease_until=_NOW() + lease)
    return (await transaction.execute(query)).rowcount == 1


async def finish(transaction: Transaction, claimed: FencedPage, page_id: UUID) -> bool:
    """Record that a page was read; False when the fence is stale or the page has an outcome."""
    query = (
        job_page.update()
        .where(_is_held(claimed))
        .values(state=JobPageState.READ, page_id=page_id, lease_until=None, error_code="", error_detail="")
    )
    return (await transaction.execute(query)).rowcount == 1


async def fail(
    transaction: Transaction, claimed: FencedPage, page_id: UUID | None, failure: Failure, *, cancelled: bool
) -> bool:
    """Return a page to the queue, or end it as failed, or as cancelled where its job is.

    False when the fence is stale or the page has an outcome.
    """
    exhausted = sa.and_(sa.literal(failure.counts), _page.attempts >= MAX_ATTEMPTS)
    ends = sa.or_(sa.literal(not failure.retry), exhausted)
    state = sa.case((ends, JobPageState.FAILED), else_=sa.literal(JobPageState.QUEUED, _page.state.type))
    query = (
        job_page.update()
        .where(_is_held(claimed))
        .values(
            state=sa.literal(JobPageState.CANCELLED, _page.state.type) if cancelled else state,
            attempts=_page.attempts if failure.counts else _page.attempts - 1,
            page_id=sa.func.coalesce(sa.literal(page_id, sa.Uuid), _page.page_id),
            lease_until=None,
            due_at=_NOW() + failure.pause,
            error_code=failure.error.code,
            error_detail=failure.error.detail,
        )
    )
    return (await transaction.execute(query)).rowcount == 1


async def jobs_to_repair(transaction: Transaction) -> list[UUID]:
    """Return the ids of at most 200 jobs: with a page whose lease has expired, or late with a waiting page.

    They are in the order of their ids; the next sweep gets the others.
    """
    abandoned = sa.select(_page.job_id).where(_IS_ABANDONED)
    waits = sa.exists().where(_page.job_id == _job.id, _page.state == JobPageState.QUEUED)
    late = sa.and_(_job.state.in_(ACTIVE_JOBS), _job.expires_at <= _NOW(), waits)
    query = sa.select(_job.id).where(sa.or_(_job.id.in_(abandoned), late))
    return list(await transaction.scalars(query.order_by(_job.id).limit(_MAX_SWEPT_JOBS)))


async def release_abandoned(transaction: Transaction, job_id: UUID, *, cancelled: bool) -> int:
    """Return the abandoned pages of a locked job to the queue; end those of a cancelled job.

    A page without attempts left fails. Returns the number of leases that had expired.
    """
    exhausted = _page.attempts >= MAX_ATTEMPTS
    state = sa.case((exhausted, JobPageState.FAILED), else_=sa.literal(JobPageState.QUEUED, _page.state.type))
    query = (
        job_page.update()
        .where(_page.job_id == job_id, _IS_ABANDONED)
        .values(
            state=sa.literal(JobPageState.CANCELLED, _page.state.type) if cancelled else state,
            error_code=sa.case((exhausted, TOO_MANY_ATTEMPTS.code), else_=_page.error_code),
            error_detail=sa.case((exhausted, TOO_MANY_ATTEMPTS.detail), else_=_page.error_detail),
            lease_until=None,
        )
    )
    return int((await transaction.execute(query)).rowcount)


async def fail_late(transaction: Transaction, job_id: UUID) -> int:
    """End the waiting pages of a locked job as failed when its time is over; return their number."""
    late = sa.select(_job.id).where(_job.id == job_id, _job.expires_at <= _NOW())
    query = (
        job_page.update()
        .where(_page.job_id.in_(late), _page.state == JobPageState.QUEUED)
        .values(state=JobPageState.FAILED, error_code=OUT_OF_TIME.code, error_detail=OUT_OF_TIME.detail)
    )
    return int((await transaction.execute(query)).rowcount)


async def delete_old(transaction: Transaction) -> None:
    """Delete jobs that ended a month ago; what they have read stays."""
    old = sa.and_(~_job.state.in_(ACTIVE_JOBS), _job.updated_at < _NOW() - RETENTION)
    ids = sa.select(_job.id).where(old).limit(_MAX_SWEPT_JOBS)
    await transaction.execute(job.delete().where(_job.id.in_(ids)))


async def count_waiting(transaction: Transaction) -> int:
    """Count the pages that can be claimed now."""
    query = sa.select(sa.func.count()).select_from(job_page.join(job, _job.id == _page.job_id))
    return int(await transaction.scalar(query.where(_IS_SERVED, _IS_WAITING)) or 0)
