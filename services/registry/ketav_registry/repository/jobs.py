"""Jobs. A transaction that changes the pages of a job locks the job first, so that its counts are right."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.jobs import (
    ACTIVE_JOBS,
    JOB_LIFETIME,
    Document,
    Job,
    JobKind,
    JobPage,
    JobPageState,
    JobState,
    NewJob,
    job_state,
)
from ketav_registry.domain.jobs_exports import JobError
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.repository import members
from ketav_registry.repository.object_removal import enqueue
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import job, job_page, page

_job, _page = job.c, job_page.c


def job_of(row: Any, pages: Sequence[JobPage] = ()) -> Job:  # noqa: ANN401 - a row of job
    """Return the job of a row."""
    return Job(
        row.id,
        row.user_id,
        row.project_id,
        row.state,
        row.revision,
        row.page_count,
        row.pages_read,
        row.pages_failed,
        row.cancel_requested,
        row.created_at,
        row.updated_at,
        row.expires_at,
        row.kind,
        tuple(pages),
    )


async def insert_job(
    transaction: Transaction,
    user_id: UUID,
    job_id: UUID,
    project_id: UUID,
    new: NewJob,
    document: Document | None,
    traceparent: str,
) -> bool:
    """Insert a job with its pages; False when the same request has inserted one concurrently."""
    options = new.options
    values = {
        "id": job_id,
        "user_id": user_id,
        "project_id": project_id,
        "member_id": members.MEMBER_ID,
        "state": JobState.QUEUED,
        "page_count": len(new.page_ids) or new.page_count,
        "layout": options.layout,
        "model_version": options.model_version,
        "turn": options.turn,
        "detect_turn": options.detect_turn,
        "document_key": document and document.key,
        "document_sha256": document and document.sha256,
        "document_bytes": document and document.size_bytes,
        "request_id": new.request.request_id or None,
        "request_sha256": new.request.sha256 or None,
        "traceparent": traceparent or None,
        "expires_at": sa.func.clock_timestamp() + JOB_LIFETIME,
    }
    query = pg.insert(job).values(**values).on_conflict_do_nothing().returning(_job.id)
    if await transaction.scalar(query) is None:
        return False
    page_ids = new.page_ids or (None,) * new.page_count
    rows = [
        {
            "job_id": job_id,
            "position": position,
            "user_id": user_id,
            "page_id": page_id,
            "state": JobPageState.QUEUED,
        }
        for position, page_id in enumerate(page_ids, start=1)
    ]
    await transaction.execute(job_page.insert(), rows)
    return True


async def find_job(transaction: Transaction, user_id: UUID, job_id: UUID, *, pages: bool) -> Job | None:
    """Return a job of the user, with its pages or without."""
    row = (await transaction.execute(job.select().where(_job.id == job_id, _job.user_id == user_id))).first()
    if row is None:
        return None
    return job_of(row, await _pages_of(transaction, row.id) if pages else ())


async def find_requested_job(transaction: Transaction, user_id: UUID, request: RequestKey) -> Job | None:
    """Return the job that the same request has created, with its pages.

    Conflict: a different request had the same key.
    """
    if not request.request_id:
        return None
    query = job.select().where(_job.user_id == user_id, _job.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    check_same_request(row, request)
    return job_of(row, await _pages_of(transaction, row.id))


async def _pages_of(transaction: Transaction, job_id: UUID) -> list[JobPage]:
    """Return the pages of a job in order."""
    query = job_page.select().where(_page.job_id == job_id).order_by(_page.position)
    return [
        JobPage(
            row.position, row.page_id, row.state, row.attempts, JobError(row.error_code, row.error_detail)
        )
        for row in await transaction.execute(query)
    ]


def creator(columns: sa.ColumnCollection[str, Any]) -> sa.ColumnElement[UUID]:
    """Return the user who created a job: a member of the project, or its owner."""
    return sa.func.coalesce(columns.member_id, columns.user_id)


def is_visible(user_id: UUID) -> sa.ColumnElement[bool]:
    """Return the condition of a job of a project that a user owns or is a member of."""
    return sa.or_(_job.user_id == user_id, _job.project_id.in_(members.shared_projects(user_id)))


async def find_project(transaction: Transaction, user_id: UUID, job_id: UUID) -> UUID | None:
    """Return the project of a job; None when the user sees no such job."""
    query = sa.select(_job.project_id).where(_job.id == job_id, is_visible(user_id))
    project_id: UUID | None = await transaction.scalar(query)
    return project_id


async def list_jobs(
    transaction: Transaction, user_id: UUID, after: ListPosition[UUID] | None, limit: int
) -> list[Job]:
    """Return the jobs of the projects that a user sees, without their pages, newest first."""
    query = job.select().where(is_visible(user_id))
    if after is not None:
        query = query.where(sa.tuple_(_job.created_at, _job.id) < after)
    query = query.order_by(_job.created_at.desc(), _job.id.desc()).limit(limit)
    return [job_of(row) for row in await transaction.execute(query)]


async def count_waiting_pages(transaction: Transaction, user_id: UUID) -> int:
    """Count the pages without an outcome of the reading jobs that a user created."""
    unread = sa.func.sum(_job.page_count - _job.pages_read - _job.pages_failed)
    query = sa.select(unread).where(
        is_visible(user_id),
        creator(_job) == user_id,
        _job.kind == JobKind.READING,
        _job.state.in_(ACTIVE_JOBS),
    )
    return int(await transaction.scalar(query) or 0)


async def count_pages_of_project(
    transaction: Transaction, user_id: UUID, project_id: UUID, page_ids: Sequence[UUID]
) -> int:
    """Count those of the pages that belong to a project of the user."""
    query = sa.select(sa.func.count()).select_from(page)
    query = query.where(page.c.user_id == user_id, page.c.project_id == project_id, page.c.id.in_(page_ids))
    return int(await transaction.scalar(query) or 0)


async def find_document(transaction: Transaction, user_id: UUID, job_id: UUID) -> Document | None:
    """Return the document of a job that has not ended."""
    query = job.select().where(_job.id == job_id, _job.user_id == user_id, _job.document_key.is_not(None))
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    return Document(row.document_key, row.document_sha256, row.document_bytes)


async def lock_job(
    transaction: Transaction, job_id: UUID, user_id: UUID | None = None, *, skip_locked: bool = False
) -> Job | None:
    """Return a job, with a user_id one of that user, and block its other writers.

    With `skip_locked` the result is None while another transaction has locked it.
    """
    query = job.select().where(_job.id == job_id).with_for_update(skip_locked=skip_locked)
    if user_id is not None:
        query = query.where(_job.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else job_of(row)


async def request_cancellation(transaction: Transaction, job_id: UUID) -> None:
    """Cancel the pages of a locked job that wait; a page that is being read keeps its outcome."""
    await transaction.execute(job.update().where(_job.id == job_id).values(cancel_requested=True))
    waiting = sa.and_(_page.job_id == job_id, _page.state == JobPageState.QUEUED)
    await transaction.execute(job_page.update().where(waiting).values(state=JobPageState.CANCELLED))


async def refresh(transaction: Transaction, locked: Job) -> Job:
    """Set the counts and the state of a locked job from its pages; a job that ends loses its document."""
    counts = sa.select(_page.state, sa.func.count().label("pages")).where(_page.job_id == locked.job_id)
    rows = await transaction.execute(counts.group_by(_page.state))
    pages = {row.state: row.pages for row in rows}
    cancelled = sa.select(_job.cancel_requested, _job.document_key).where(_job.id == locked.job_id)
    stored = (await transaction.execute(cancelled)).one()
    state = job_state(pages, cancel_requested=stored.cancel_requested)
    values: dict[str, Any] = {
        "state": state,
        "pages_read": pages.get(JobPageState.READ, 0),
        "pages_failed": pages.get(JobPageState.FAILED, 0),
        "revision": _job.revision + 1,
        "updated_at": sa.func.clock_timestamp(),
    }
    if state not in ACTIVE_JOBS:
        values["document_key"] = None
        keys = [stored.document_key] if stored.document_key else []
        await enqueue(transaction, locked.user_id, keys)
    query = job.update().where(_job.id == locked.job_id).values(**values).returning(job)
    return job_of((await transaction.execute(query)).one())


async def queue_documents(transaction: Transaction, user_id: UUID, project_id: UUID | None = None) -> None:
    """Queue the documents of a user's jobs for removal; with a project_id, those of its jobs."""
    query = sa.select(_job.document_key).where(_job.user_id == user_id, _job.document_key.is_not(None))
    if project_id is not None:
        query = query.where(_job.project_id == project_id)
    await enqueue(transaction, user_id, list(await transaction.scalars(query)))
