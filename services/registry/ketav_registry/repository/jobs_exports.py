"""Exports of jobs and their results. A transaction that ends an export locks its job first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.jobs import ACTIVE_JOBS, JOB_LIFETIME, Job, JobKind, JobState
from ketav_registry.domain.jobs_exports import (
    MAX_STORED_RESULTS,
    Export,
    ExportResult,
    JobError,
    NewExport,
)
from ketav_registry.domain.pages import Layout
from ketav_registry.repository import members
from ketav_registry.repository.jobs import creator, is_visible, job_of
from ketav_registry.repository.object_removal import enqueue
from ketav_registry.tables import job, job_export, page

_job, _export = job.c, job_export.c
_MAX_SWEPT = 200
"""Exports that one sweep ends, and results that it removes; the next one continues."""
_NOW = sa.func.clock_timestamp
_NO_ERROR = JobError()
_NO_RESULT: dict[str, Any] = {"result_key": None, "result_expires_at": None}


def _export_of(row: Any) -> Export:  # noqa: ANN401 - a row of job_export
    """Return the export of a row."""
    result = None
    if row.result_key is not None:
        result = ExportResult(row.result_key, row.result_sha256, row.result_bytes, row.result_expires_at)
    error = JobError(row.error_code, row.error_detail)
    return Export(row.format, tuple(row.page_ids), row.images, result, error)


async def with_exports(transaction: Transaction, jobs: Sequence[Job]) -> list[Job]:
    """Return jobs with the exports of those that are some."""
    ids = [item.job_id for item in jobs if item.kind is JobKind.EXPORT]
    if not ids:
        return list(jobs)
    rows = await transaction.execute(job_export.select().where(_export.job_id.in_(ids)))
    exports = {row.job_id: _export_of(row) for row in rows}
    return [replace(item, export=exports.get(item.job_id)) for item in jobs]


async def insert_export(
    transaction: Transaction, owner_id: UUID, job_id: UUID, new: NewExport, page_count: int, traceparent: str
) -> None:
    """Insert a job that exports pages of a project."""
    values = {
        "id": job_id,
        "user_id": owner_id,
        "project_id": new.project_id,
        "member_id": members.MEMBER_ID,
        "kind": JobKind.EXPORT,
        "state": JobState.QUEUED,
        "page_count": page_count,
        "layout": Layout.PAGE,
        "traceparent": traceparent or None,
        "expires_at": _NOW() + JOB_LIFETIME,
    }
    await transaction.execute(job.insert().values(**values))
    described = {
        "job_id": job_id,
        "user_id": owner_id,
        "format": new.format,
        "page_ids": list(new.page_ids),
        "images": new.images,
        "address": new.address,
        "base": new.base,
    }
    await transaction.execute(job_export.insert().values(**described))


async def find_equal(transaction: Transaction, owner_id: UUID, new: NewExport) -> UUID | None:
    """Return the active job of the caller that exports the same, the newest one."""
    query = (
        sa.select(_job.id)
        .join(job_export, _export.job_id == _job.id)
        .where(
            _job.user_id == owner_id,
            _job.project_id == new.project_id,
            _job.member_id.is_not_distinct_from(members.MEMBER_ID),
            _job.state.in_(ACTIVE_JOBS),
            _export.format == new.format,
            _export.page_ids == list(new.page_ids),
            _export.images == new.images,
            _export.base == new.base,
        )
        .order_by(_job.created_at.desc())
        .limit(1)
    )
    job_id: UUID | None = await transaction.scalar(query)
    return job_id


async def count_active(transaction: Transaction, user_id: UUID) -> int:
    """Count the exports that a user created, in any project, and that have not ended."""
    query = sa.select(sa.func.count()).select_from(job)
    query = query.where(
        is_visible(user_id),
        creator(_job) == user_id,
        _job.kind == JobKind.EXPORT,
        _job.state.in_(ACTIVE_JOBS),
    )
    return int(await transaction.scalar(query) or 0)


async def count_pages(transaction: Transaction, owner_id: UUID, project_id: UUID) -> int:
    """Count the pages of a project."""
    query = sa.select(sa.func.count()).select_from(page)
    query = query.where(page.c.user_id == owner_id, page.c.project_id == project_id)
    return int(await transaction.scalar(query) or 0)


async def is_own(transaction: Transaction, job_id: UUID) -> bool:
    """Return whether a job is an export that the member of the transaction has created."""
    query = sa.select(_job.id).where(
        _job.id == job_id, _job.kind == JobKind.EXPORT, _job.member_id == members.MEMBER_ID
    )
    return await transaction.scalar(query) is not None


def changed() -> dict[str, Any]:
    """Return the values of each change of a job that users see."""
    return {"revision": _job.revision + 1, "updated_at": _NOW()}


def update_job(job_id: UUID, values: dict[str, Any]) -> sa.Executable:
    """Return the statement that changes a job and returns its row."""
    return job.update().where(_job.id == job_id).values(**values).returning(job)


async def end(transaction: Transaction, job_id: UUID, state: JobState, error: JobError = _NO_ERROR) -> Job:
    """End the export of a locked job without a result; a claim of it becomes stale."""
    query = job_export.update().where(_export.job_id == job_id)
    await transaction.execute(
        query.values(lease_until=None, error_code=error.code, error_detail=error.detail)
    )
    values = {"state": state, "cancel_requested": state is JobState.CANCELLED, **changed()}
    return job_of((await transaction.execute(update_job(job_id, values))).one())


async def active_exports(transaction: Transaction, owner_id: UUID, project_id: UUID) -> list[UUID]:
    """Return the exports of a project that have not ended, in the order of their ids."""
    query = sa.select(_job.id).where(
        _job.user_id == owner_id,
        _job.project_id == project_id,
        _job.kind == JobKind.EXPORT,
        _job.state.in_(ACTIVE_JOBS),
    )
    return list(await transaction.scalars(query.order_by(_job.id)))


async def remove_results(
    transaction: Transaction, owner_id: UUID, project_id: UUID | None = None, *, newest_kept: int = 0
) -> None:
    """Queue results for removal: those of a user, or those of a project but the newest ones."""
    query = sa.select(_export.job_id, _export.result_key).join(job, _job.id == _export.job_id)
    query = query.where(_export.user_id == owner_id, _export.result_key.is_not(None))
    if project_id is not None:
        query = query.where(_job.project_id == project_id)
    query = query.order_by(_export.result_expires_at.desc()).offset(newest_kept)
    await _remove(transaction, owner_id, (await transaction.execute(query)).all())


async def remove_surplus_results(transaction: Transaction, owner_id: UUID, project_id: UUID) -> None:
    """Queue the oldest results of a project for removal, so that few remain."""
    await remove_results(transaction, owner_id, project_id, newest_kept=MAX_STORED_RESULTS)


async def _remove(transaction: Transaction, owner_id: UUID, rows: Sequence[Any]) -> None:
    """Queue the results of these rows of one owner for removal."""
    query = job_export.update().where(_export.job_id.in_([row.job_id for row in rows]))
    await transaction.execute(query.values(**_NO_RESULT))
    await enqueue(transaction, owner_id, [row.result_key for row in rows])


async def expire_results(transaction: Transaction) -> int:
    """Queue results for removal whose time is over; return their number. For a system transaction."""
    query = sa.select(_export.job_id, _export.user_id, _export.result_key)
    query = query.where(_export.result_key.is_not(None), _export.result_expires_at < _NOW()).limit(_MAX_SWEPT)
    rows = (await transaction.execute(query)).all()
    for row in rows:
        await _remove(transaction, row.user_id, [row])
    return len(rows)
