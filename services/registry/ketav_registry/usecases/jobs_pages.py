"""Pages of jobs in the hands of workers: claimed, renewed, ended, and returned to the queue by sweeps."""

from datetime import timedelta
from uuid import UUID

from ketav_common import text
from ketav_common.errors import NotFound, Stale
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_common.logging import get_logger
from ketav_registry import metrics
from ketav_registry.database import Transaction, try_block_deletion
from ketav_registry.domain.jobs import ClaimedPage, Failure, FencedPage, Job, SweptJobs
from ketav_registry.repository import jobs, jobs_pages
from ketav_registry.stores import Stores
from ketav_registry.usecases.jobs import count_end
from ketav_registry.usecases.transcriptions import Reading, check_reading, insert_reading

log = get_logger()

_CLAIM_TRIES = 20
"""Jobs that a claim tries: their users may be in exclusive transactions, or other workers be faster."""
_STALE = (
    "The fence is stale: another worker has claimed the page, or it has an outcome. Do not work on this page."
)


def stale_fence() -> Stale:
    """Return the error of a call whose fence is not the one of the page's latest claim, and count it."""
    metrics.FENCE_REJECTIONS.inc()
    return Stale(_STALE, code="stale-fence")


async def claim_job_page(worker: str, *, lease: timedelta, stores: Stores) -> ClaimedPage | None:
    """Claim the page that is read next; None when none waits.

    A user in an exclusive transaction is passed over, however long it takes. A job that another worker has
    locked, which takes milliseconds, is waited for where no other job has a page.
    """
    name = text.clean(worker, max_length=MAX_NAME_CODE_POINTS)
    passed_over: list[UUID] = []
    for _ in range(_CLAIM_TRIES):
        async with stores.database.system() as transaction:
            candidate = await jobs_pages.next_job(
                transaction, passed_over, skip_locked=True
            ) or await jobs_pages.next_job(transaction, passed_over, skip_locked=False)
            if candidate is None:
                return None
            user_id, job_id = candidate
            if not await try_block_deletion(transaction, user_id):
                passed_over.append(user_id)
                continue
            locked = await jobs.lock_job(transaction, job_id)
            if locked is None:
                continue
            claimed = await jobs_pages.claim(transaction, job_id, name, lease)
            if claimed is not None:
                await jobs.refresh(transaction, locked)
                return claimed
    return None


async def renew_job_page(user_id: UUID, claimed: FencedPage, *, lease: timedelta, stores: Stores) -> None:
    """Renew a lease. Stale stale-fence: another worker has claimed the page, or it has an outcome."""
    async with stores.database.user(user_id) as transaction:
        if not await jobs_pages.renew(transaction, claimed, lease):
            raise stale_fence()


async def end_job_page(
    user_id: UUID,
    claimed: FencedPage,
    page_id: UUID | None,
    outcome: Reading | Failure | None,
    *,
    stores: Stores,
) -> Job:
    """Record the outcome of a page and the transcription in one transaction; None: it was read before.

    Stale stale-fence: another worker has claimed the page, or it has an outcome. NotFound: the page or the
    model version was deleted. Conflict image-changed: the page has another image than the one that was read.
    InvalidInput invalid-transcription: a line cannot be stored.
    """
    if isinstance(outcome, Reading):
        check_reading(outcome)
    async with stores.database.user(user_id) as transaction:
        locked = await jobs.lock_job(transaction, claimed.job_id, user_id)
        if locked is None:
            raise stale_fence()
        if not await _record(transaction, locked, claimed, page_id, outcome):
            raise stale_fence()
        job = await jobs.refresh(transaction, locked)
    count_end(job)
    return job


async def _record(
    transaction: Transaction,
    locked: Job,
    claimed: FencedPage,
    page_id: UUID | None,
    outcome: Reading | Failure | None,
) -> bool:
    """Store an outcome; False when the fence is stale."""
    if isinstance(outcome, Failure):
        cancelled = locked.cancel_requested
        return await jobs_pages.fail(transaction, claimed, page_id, outcome, cancelled=cancelled)
    if page_id is None:
        raise NotFound("The outcome names no page. Send the id of the page that was read.")
    if not await jobs_pages.finish(transaction, claimed, page_id):
        return False
    if outcome is not None:
        await insert_reading(transaction, locked.user_id, page_id, outcome)
    return True


async def sweep_jobs(*, stores: Stores) -> SweptJobs:
    """Return abandoned pages to the queue, end jobs whose time is over, and delete old ones."""
    expired, repaired = 0, []
    async with stores.database.system() as transaction:
        job_ids = await jobs_pages.jobs_to_repair(transaction)
    for job_id in job_ids:
        released, job = await _repair(job_id, stores)
        expired += released
        if job is not None:
            repaired.append(job)
    async with stores.database.system() as transaction:
        await jobs_pages.delete_old(transaction)
        waiting = await jobs_pages.count_waiting(transaction)
    return SweptJobs(expired, tuple(repaired), waiting)


async def _repair(job_id: UUID, stores: Stores) -> tuple[int, Job | None]:
    """Repair a job in a transaction of its own; return its expired leases, and the job if it has changed.

    The next sweep repairs a job that another transaction has locked.
    """
    async with stores.database.system() as transaction:
        locked = await jobs.lock_job(transaction, job_id, skip_locked=True)
        if locked is None:
            return 0, None
        released = await jobs_pages.release_abandoned(transaction, job_id, cancelled=locked.cancel_requested)
        late = await jobs_pages.fail_late(transaction, job_id)
        if not released and not late:
            return 0, None
        job = await jobs.refresh(transaction, locked)
    metrics.LEASE_EXPIRIES.inc(released)
    log.warning("job_repaired", job_id=str(job.job_id), state=job.state)
    count_end(job)
    return released, job
