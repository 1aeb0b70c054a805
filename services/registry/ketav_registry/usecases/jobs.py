"""Jobs of a user: created, shown, listed and cancelled."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from ketav_common import text
from ketav_common.errors import Conflict, Forbidden, InvalidInput, NotFound, Precondition, RateLimited
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_JOB_PAGES, MAX_NAME_CODE_POINTS
from ketav_common.tracing import traceparent
from ketav_registry import blobs as objects
from ketav_registry import metrics
from ketav_registry.blobs import Chunks
from ketav_registry.database import Transaction, UniqueConflictError
from ketav_registry.database_projects import ProjectScope
from ketav_registry.domain.jobs import (
    ACTIVE_JOBS,
    MAX_WAITING_PAGES,
    Document,
    Job,
    JobKind,
    JobState,
    NewJob,
    document_key,
)
from ketav_registry.domain.members import Role
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.repository import jobs, jobs_exports, projects, requests
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import reading_model
from ketav_registry.usecases.pages import discard_object
from ketav_registry.usecases.projects import require_project
from ketav_registry.usecases.projects_hands import check_hand, project_hand

_RETRY_AFTER_S = 60
"""Seconds after which a refused client retries: a worker reads some thirty pages in that time."""
_NO_JOB = "This account has no job with this id. List the jobs with GET /jobs/."


@dataclass(frozen=True, slots=True)
class JobList:
    """A part of a list of jobs, and the position at which the list continues, if it does."""

    jobs: list[Job]
    next_position: ListPosition[UUID] | None


def count_end(job: Job) -> None:
    """Count a job that has ended, with the time since its creation; another job is not counted."""
    if job.state not in ACTIVE_JOBS:
        duration = job.update_time - job.create_time
        metrics.JOB_DURATION.labels(job.state).observe(duration.total_seconds())


async def create_job(user_id: UUID, new: NewJob, document: Chunks, *, stores: Stores) -> Job:
    """Create a job: first the object of its document, if it has one, then the rows.

    A repeated request stores nothing and gets the job of the first one. NotFound: no such project, page or
    model version. InvalidInput invalid-job: the header breaks a limit; hand-mismatch, hand-script. Conflict:
    the Idempotency-Key belongs to a different request. RateLimited too-many-waiting-pages.
    """
    new = _checked(new)
    if (known := await _find_repeated(user_id, new, stores)) is not None:
        return known
    await _check_waiting(user_id, new, stores)
    job_id = uuid4()
    stored = await _store_document(job_id, new, document, stores) if new.page_count else None
    try:
        await _check_waiting(user_id, new, stores)
        return await _insert(user_id, job_id, new, stored, stores)
    except (NotFound, Conflict, InvalidInput, Forbidden, RateLimited, UniqueConflictError) as error:
        if stored is not None:
            await discard_object(stores.blobs, stored.key)
        known = None
        if isinstance(error, UniqueConflictError):
            known = await _find_repeated(user_id, new, stores)
        if known is None:
            raise
        return known


async def _store_document(job_id: UUID, new: NewJob, document: Chunks, stores: Stores) -> Document:
    """Store the document of a job as an object."""
    key = document_key(job_id)
    blob = await objects.store(
        stores.blobs, document, lambda _: key, max_bytes=MAX_IMAGE_BYTES, size_bytes=new.size_bytes
    )
    return Document(key, blob.sha256, blob.size_bytes)


def _checked(new: NewJob) -> NewJob:
    """Check the header of a job and return it with a clean project name."""
    if bool(new.page_ids) == bool(new.page_count):
        raise InvalidInput(
            "The job needs either stored images or a document. Send the ids of the images, or a document "
            "with at least one page.",
            code="invalid-job",
        )
    if new.page_count > MAX_JOB_PAGES:
        raise InvalidInput(
            f"The document has {new.page_count:,} pages, and a job has at most {MAX_JOB_PAGES}. Divide the "
            f"document into files of at most {MAX_JOB_PAGES} pages.",
            code="invalid-job",
        )
    _check_page_ids(new.page_ids)
    if new.page_ids and new.project_id is None:
        raise InvalidInput(
            "The job has stored pages and no project. Send the project of the pages.", code="invalid-job"
        )
    name = text.clean(new.project_name, max_length=MAX_NAME_CODE_POINTS).strip()
    return replace(new, project_name=name)


def _check_page_ids(page_ids: Sequence[UUID]) -> None:
    """Raise InvalidInput invalid-job for too many pages, and for a page that is named twice."""
    if len(page_ids) > MAX_JOB_PAGES:
        raise InvalidInput(
            f"/image_ids has {len(page_ids):,} images, and a job has at most {MAX_JOB_PAGES}. Divide the "
            "images among several jobs.",
            code="invalid-job",
            details={"pointer": "/image_ids"},
        )
    first_index: dict[UUID, int] = {}
    for index, page_id in enumerate(page_ids):
        if (first := first_index.setdefault(page_id, index)) != index:
            raise InvalidInput(
                f"/image_ids/{index} names the same image as /image_ids/{first}. Send each image once.",
                code="invalid-job",
                details={"pointer": f"/image_ids/{index}"},
            )


async def _find_repeated(user_id: UUID, new: NewJob, stores: Stores) -> Job | None:
    """Return the job of the same request, if it was sent before.

    Raises what would make an insertion fail, so that no document is received for nothing.
    """
    async with stores.database.project(user_id, new.project_id, Role.EDITOR) as scope:
        known = await jobs.find_requested_job(scope.transaction, scope.owner_id, scope.key(new.request))
        if known is None:
            await _check_acceptable(scope.transaction, scope.owner_id, new, insert=False)
    return known


async def _check_acceptable(transaction: Transaction, user_id: UUID, new: NewJob, *, insert: bool) -> Hand:
    """Return the hand of a job's project; `insert` makes a hand of a new name. Raises as create_job does."""
    if new.project_id is None:
        hand = await project_hand(transaction, user_id, new.hand, new.script, insert=insert)
    else:
        project = await require_project(transaction, user_id, new.project_id)
        check_hand(project, new.hand)
        hand = project.hand
        own = await jobs.count_pages_of_project(transaction, user_id, new.project_id, new.page_ids)
        if own != len(new.page_ids):
            raise NotFound(
                f"{len(new.page_ids) - own} of the images are not in this project. List its images with "
                "GET /projects/PROJECT_ID.",
                details={"pointer": "/image_ids"},
            )
    await reading_model(transaction, user_id, hand, new.options.model_version)
    return hand


async def _check_waiting(user_id: UUID, new: NewJob, stores: Stores) -> None:
    """Raise RateLimited for too many unread pages of jobs that the user created, in any project."""
    async with stores.database.user(user_id) as transaction:
        waiting = await jobs.count_waiting_pages(transaction, user_id)
    if waiting + (len(new.page_ids) or new.page_count) > MAX_WAITING_PAGES:
        raise RateLimited(
            f"Your jobs have {waiting:,} pages to read, and at most {MAX_WAITING_PAGES:,} may wait. "
            "Retry when some are read, or cancel a job.",
            code="too-many-waiting-pages",
            retry_after=_RETRY_AFTER_S,
        )


async def _insert(user_id: UUID, job_id: UUID, new: NewJob, document: Document | None, stores: Stores) -> Job:
    """Insert the rows of a job whose document is stored, in one transaction."""
    async with stores.database.project(user_id, new.project_id, Role.EDITOR) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        hand = await _check_acceptable(transaction, owner_id, new, insert=True)
        project_id = new.project_id
        if project_id is None:
            project_id = await projects.insert_project(transaction, owner_id, new.project_name, hand)
        new = replace(new, request=scope.key(new.request))
        trace = traceparent()
        if not await jobs.insert_job(transaction, owner_id, job_id, project_id, new, document, trace):
            raise UniqueConflictError
        return await require_job(transaction, owner_id, job_id)


@asynccontextmanager
async def open_project(
    user_id: UUID, job_id: UUID, needed: Role, stores: Stores
) -> AsyncIterator[ProjectScope]:
    """Open a transaction for the project of a job. NotFound: no job that the user sees has this id."""
    async with stores.database.user(user_id) as transaction:
        project_id = await jobs.find_project(transaction, user_id, job_id)
    if project_id is None:
        raise NotFound(_NO_JOB)
    async with stores.database.project(user_id, project_id, needed) as scope:
        yield scope


async def require_job(transaction: Transaction, user_id: UUID, job_id: UUID, *, pages: bool = True) -> Job:
    """Return a job of the user, with its pages or without. NotFound: there is no such job."""
    job = await jobs.find_job(transaction, user_id, job_id, pages=pages)
    if job is None:
        raise NotFound(_NO_JOB)
    return (await jobs_exports.with_exports(transaction, [job]))[0]


async def get_job(user_id: UUID, job_id: UUID, *, pages: bool = True, stores: Stores) -> Job:
    """Return a job of a project that the user sees, with its pages or without. NotFound: no such job."""
    async with open_project(user_id, job_id, Role.VIEWER, stores) as scope:
        return await require_job(scope.transaction, scope.owner_id, job_id, pages=pages)


async def list_jobs(
    user_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> JobList:
    """Return at most `limit` jobs of the projects that the user sees, newest first, without their pages."""
    async with stores.database.user(user_id) as transaction:
        rows = await jobs.list_jobs(transaction, user_id, after, limit + 1)
        rows = await jobs_exports.with_exports(transaction, rows)
    if len(rows) <= limit:
        return JobList(rows, None)
    last = rows[limit - 1]
    return JobList(rows[:limit], ListPosition(last.create_time, last.job_id))


async def cancel_job(user_id: UUID, job_id: UUID, request: RequestKey, *, stores: Stores) -> Job:
    """Cancel a job: pages that wait are not read; a page that is being read keeps its outcome.

    An export ends at once, also one that a viewer has created. A repeated request changes nothing and gets
    the job. NotFound: there is no such job. Precondition job-ended: it has ended already. Conflict
    idempotency-key-reused.
    """
    async with open_project(user_id, job_id, Role.VIEWER, stores) as scope:
        transaction = scope.transaction
        if not await jobs_exports.is_own(transaction, job_id):
            scope.require(Role.EDITOR)
        locked = await jobs.lock_job(transaction, job_id, scope.owner_id)
        if locked is None:
            raise NotFound(_NO_JOB)
        if not await requests.insert_done(transaction, scope.owner_id, scope.key(request)):
            return locked
        if locked.state not in ACTIVE_JOBS:
            raise Precondition(
                "The job has ended already. Its pages are shown by GET /jobs/JOB_ID.", code="job-ended"
            )
        if locked.kind is JobKind.EXPORT:
            job = await jobs_exports.end(transaction, job_id, JobState.CANCELLED)
        else:
            await jobs.request_cancellation(transaction, job_id)
            job = await jobs.refresh(transaction, locked)
    count_end(job)
    return job


async def download_document(user_id: UUID, job_id: UUID, *, stores: Stores) -> AsyncIterator[bytes]:
    """Yield the document of a job in chunks; the last one after its SHA-256 is verified.

    NotFound: the job has no document, or has ended. DataLoss: the object does not match its digest.
    """
    async with stores.database.user(user_id) as transaction:
        document = await jobs.find_document(transaction, user_id, job_id)
    if document is None:
        raise NotFound("The job has no document, or has ended. Do not read its pages.")
    async for chunk in objects.read(
        stores.blobs, document.key, sha256=document.sha256, size_bytes=document.size_bytes
    ):
        yield chunk
