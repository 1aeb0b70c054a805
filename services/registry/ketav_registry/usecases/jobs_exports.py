"""Exports in the background: created by users, written by gateways under a fence, and downloaded."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

from ketav_common.errors import InvalidInput, NotFound, RateLimited
from ketav_common.limits import MAX_EXPORT_BYTES
from ketav_common.tracing import traceparent
from ketav_registry import blobs as objects
from ketav_registry.blobs import Chunks
from ketav_registry.database import Transaction, try_block_deletion
from ketav_registry.domain.jobs import MAX_ATTEMPTS, Failure, Job, JobState
from ketav_registry.domain.jobs_exports import (
    DATA_DELETED,
    MAX_ACTIVE_EXPORTS,
    OUT_OF_TIME,
    TOO_MANY_ATTEMPTS,
    ClaimedExport,
    ExportResult,
    FencedExport,
    NewExport,
    export_key,
)
from ketav_registry.domain.members import Role
from ketav_registry.repository import jobs, jobs_export_claims, jobs_exports
from ketav_registry.stores import Stores
from ketav_registry.usecases.accounts_audit import record_export
from ketav_registry.usecases.jobs import count_end, open_project, require_job
from ketav_registry.usecases.jobs_pages import stale_fence
from ketav_registry.usecases.pages import discard_object
from ketav_registry.usecases.projects import require_project

_CLAIM_TRIES = 20
"""Exports that a claim tries: their owners may be in exclusive transactions."""
_RETRY_AFTER_S = 30
"""Seconds after which a refused client retries: an export of a notebook takes about as long."""
_MAX_PAGE_IDS = 100
_MAX_FORMAT = 32
_MAX_URL_CHARACTERS = {"address": 4_000, "base": 2_000}


async def create_export(user_id: UUID, new: NewExport, *, stores: Stores) -> Job:
    """Create a job that exports a project, and its entry of the audit log; an equal active one is returned.

    NotFound: no such project or page. InvalidInput invalid-job. RateLimited too-many-exports.
    """
    _check(new)
    async with stores.database.project(user_id, new.project_id) as scope:
        await _count_pages(scope.transaction, scope.owner_id, new)
        known = await jobs_exports.find_equal(scope.transaction, scope.owner_id, new)
        if known is not None:
            return await require_job(scope.transaction, scope.owner_id, known)
    async with stores.database.user(user_id) as transaction:
        active = await jobs_exports.count_active(transaction, user_id)
    if active >= MAX_ACTIVE_EXPORTS:
        raise RateLimited(
            f"{active} of your exports wait or are written, and at most {MAX_ACTIVE_EXPORTS} may. Retry when "
            "one has ended, or cancel one.",
            code="too-many-exports",
            retry_after=_RETRY_AFTER_S,
        )
    await record_export(user_id, new.project_id, new.format, stores=stores)
    async with stores.database.project(user_id, new.project_id) as scope:
        count = await _count_pages(scope.transaction, scope.owner_id, new)
        job_id = uuid4()
        await jobs_exports.insert_export(scope.transaction, scope.owner_id, job_id, new, count, traceparent())
        return await require_job(scope.transaction, scope.owner_id, job_id)


def _check(new: NewExport) -> None:
    """Check the bounds of an export. InvalidInput invalid-job: it breaks one."""
    too_long = [field for field, limit in _MAX_URL_CHARACTERS.items() if len(getattr(new, field)) > limit]
    if too_long or not 1 <= len(new.format) <= _MAX_FORMAT or len(new.page_ids) > _MAX_PAGE_IDS:
        raise InvalidInput(
            f"The export has more than {_MAX_PAGE_IDS} images, or a format or an address of a wrong length. "
            "Send fewer images, and a shorter address.",
            code="invalid-job",
        )


async def _count_pages(transaction: Transaction, owner_id: UUID, new: NewExport) -> int:
    """Return the number of pages of an export. NotFound: no such project, or it lacks one of the pages."""
    await require_project(transaction, owner_id, new.project_id)
    if not new.page_ids:
        return await jobs_exports.count_pages(transaction, owner_id, new.project_id)
    own = await jobs.count_pages_of_project(transaction, owner_id, new.project_id, new.page_ids)
    if own != len(set(new.page_ids)):
        raise NotFound("Some of the images are not in this project. List its images with GET /projects/ID.")
    return len(new.page_ids)


async def claim_export(*, lease: timedelta, stores: Stores) -> ClaimedExport | None:
    """Claim the export that is written next; None when none waits.

    A user in an exclusive transaction is passed over, and an export that another gateway claims.
    """
    passed_over: list[UUID] = []
    for _ in range(_CLAIM_TRIES):
        async with stores.database.system() as transaction:
            candidate = await jobs_export_claims.next_export(transaction, passed_over)
            if candidate is None:
                return None
            owner_id, job_id = candidate
            if not await try_block_deletion(transaction, owner_id):
                passed_over.append(owner_id)
                continue
            claimed = await jobs_export_claims.claim(transaction, job_id, lease)
            if claimed is not None:
                return claimed
    return None


async def renew_export(
    owner_id: UUID, export: FencedExport, pages_written: int, *, lease: timedelta, stores: Stores
) -> None:
    """Renew a lease and record the progress. Stale stale-fence: the export is claimed again, or has ended."""
    async with stores.database.user(owner_id) as transaction:
        locked = await jobs.lock_job(transaction, export.job_id, owner_id)
        if locked is None or not await jobs_export_claims.renew(transaction, export, lease, pages_written):
            raise stale_fence()


async def fail_export(owner_id: UUID, export: FencedExport, failure: Failure, *, stores: Stores) -> Job:
    """Record why an attempt failed; another one follows where the failure permits it and attempts are left.

    Stale stale-fence: the export is claimed again, or has ended.
    """
    async with stores.database.user(owner_id) as transaction:
        locked = await jobs.lock_job(transaction, export.job_id, owner_id)
        if locked is None or not await jobs_export_claims.is_held(transaction, owner_id, export):
            raise stale_fence()
        attempts = await jobs_export_claims.attempts_of(transaction, export.job_id)
        job: Job | None
        if failure.retry and (attempts < MAX_ATTEMPTS or not failure.counts):
            job = await jobs_export_claims.retry(
                transaction, export, failure.error, failure.pause, counts=failure.counts
            )
        else:
            job = await jobs_exports.end(transaction, export.job_id, JobState.FAILED, failure.error)
    if job is None:
        raise stale_fence()
    count_end(job)
    return job


async def store_export(
    owner_id: UUID, export: FencedExport, chunks: Chunks, size_bytes: int, *, stores: Stores
) -> Job:
    """Store the result of an export: first its object, then the row that refers to it, under the fence.

    Stale stale-fence: the export is claimed again, or has ended; nothing remains. TooLarge, InvalidInput.
    """
    async with stores.database.user(owner_id) as transaction:
        if not await jobs_export_claims.is_held(transaction, owner_id, export):
            raise stale_fence()
    key = export_key(owner_id, export)
    blob = await objects.store(
        stores.blobs, chunks, lambda _: key, max_bytes=MAX_EXPORT_BYTES, size_bytes=size_bytes
    )
    async with stores.database.user(owner_id) as transaction:
        job = None
        locked = await jobs.lock_job(transaction, export.job_id, owner_id)
        if locked is not None:
            result = ExportResult(key, blob.sha256, blob.size_bytes)
            job = await jobs_export_claims.finish(transaction, export, result)
        if job is not None:
            await jobs_exports.remove_surplus_results(transaction, owner_id, job.project_id)
    if job is None:
        await discard_object(stores.blobs, key)
        raise stale_fence()
    count_end(job)
    return job


async def end_exports(transaction: Transaction, owner_id: UUID, project_id: UUID) -> None:
    """End the exports of a project whose data is deleted, and queue their results for removal.

    The transaction is exclusive and has the rights of the owner.
    """
    for job_id in await jobs_exports.active_exports(transaction, owner_id, project_id):
        await jobs_exports.end(transaction, job_id, JobState.FAILED, DATA_DELETED)
    await jobs_exports.remove_results(transaction, owner_id, project_id)


async def sweep_exports(*, stores: Stores) -> list[Job]:
    """End exports that have no attempts or no time left, and remove old results; return the ended ones."""
    ended = []
    async with stores.database.system() as transaction:
        await jobs_exports.expire_results(transaction)
        job_ids = await jobs_export_claims.hopeless_exports(transaction)
    for job_id in job_ids:
        async with stores.database.system() as transaction:
            locked = await jobs.lock_job(transaction, job_id, skip_locked=True)
            if locked is None or not await jobs_export_claims.is_hopeless(transaction, job_id):
                continue
            attempts = await jobs_export_claims.attempts_of(transaction, job_id)
            error = TOO_MANY_ATTEMPTS if attempts >= MAX_ATTEMPTS else OUT_OF_TIME
            ended.append(await jobs_exports.end(transaction, job_id, JobState.FAILED, error))
    for job in ended:
        count_end(job)
    return ended


async def download_export(
    user_id: UUID, job_id: UUID, offset: int, length: int, *, stores: Stores
) -> AsyncIterator[bytes]:
    """Yield the result of an export, or `length` bytes behind an offset; 0: all behind it.

    The SHA-256 of a whole result is verified before its last chunk. NotFound: there is no such job that the
    user sees, it is no export, or `export-expired`: it has no result. DataLoss: the object is damaged.
    """
    async with open_project(user_id, job_id, Role.VIEWER, stores) as scope:
        job = await require_job(scope.transaction, scope.owner_id, job_id)
    if job.export is None:
        raise NotFound
    result = job.export.result
    if result is None:
        raise NotFound(
            "The export has no file: it is not written yet, has failed, or was removed after 24 hours or "
            "because data of the project was deleted. Look at GET /jobs/JOB_ID, or start the export again.",
            code="export-expired",
        )
    end = min(result.size_bytes, offset + length) if length else result.size_bytes
    begin = 0
    async for chunk in objects.read(
        stores.blobs, result.key, sha256=result.sha256, size_bytes=result.size_bytes
    ):
        if part := chunk[max(0, offset - begin) : max(0, end - begin)]:
            yield part
        begin += len(chunk)
        if begin >= end and end < result.size_bytes:
            return
