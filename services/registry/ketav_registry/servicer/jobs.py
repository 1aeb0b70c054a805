"""JobService."""

from collections.abc import AsyncIterator
from datetime import timedelta

from ketav.registry.v1 import jobs_pb2 as pb
from ketav.registry.v1 import jobs_pb2_grpc
from ketav_common.context import current_identity, current_user, require_role, require_work
from ketav_common.identity import Work
from ketav_registry.convert import common
from ketav_registry.convert import jobs as convert
from ketav_registry.domain.jobs import FencedPage
from ketav_registry.stores import Stores
from ketav_registry.usecases import jobs, jobs_claims, jobs_pages


class JobServicer(jobs_pb2_grpc.JobServiceServicer):
    """Jobs of users, and their pages in the hands of workers."""

    def __init__(self, stores: Stores, lease: timedelta) -> None:
        """Work with these stores; a claim or a renewal starts a lease of this length."""
        self._stores = stores
        self._lease = lease

    async def CreateJob(
        self, request_iterator: AsyncIterator[pb.CreateJobRequest], context: object
    ) -> pb.CreateJobResponse:
        """Create a job of the caller."""
        header, chunks = await common.upload(request_iterator)
        new = convert.new_job(header)
        job = await jobs.create_job(current_user(), new, chunks, stores=self._stores)
        return pb.CreateJobResponse(job=convert.job_message(job))

    async def GetJob(self, request: pb.GetJobRequest, context: object) -> pb.GetJobResponse:
        """Return a job of the caller with its pages."""
        job_id = common.uuid(request.job_id, "job_id")
        job = await jobs.get_job(current_user(), job_id, pages=not request.without_pages, stores=self._stores)
        return pb.GetJobResponse(job=convert.job_message(job))

    async def ListJobs(self, request: pb.ListJobsRequest, context: object) -> pb.ListJobsResponse:
        """List the caller's jobs."""
        after = common.id_position(request.cursor, "jobs")
        limit = common.limit(request.limit, default=20, maximum=100)
        part = await jobs.list_jobs(current_user(), after, limit, stores=self._stores)
        return pb.ListJobsResponse(
            jobs=[convert.job_message(job) for job in part.jobs],
            next_cursor=common.cursor(part.next_position, "jobs"),
        )

    async def CancelJob(self, request: pb.CancelJobRequest, context: object) -> pb.CancelJobResponse:
        """Cancel a job of the caller."""
        job_id = common.uuid(request.job_id, "job_id")
        key = common.request_key(request.request_id, request.request_sha256)
        job = await jobs.cancel_job(current_user(), job_id, key, stores=self._stores)
        return pb.CancelJobResponse(job=convert.job_message(job))

    async def ClaimJobPage(self, request: pb.ClaimJobPageRequest, context: object) -> pb.ClaimJobPageResponse:
        """Claim the page that is read next."""
        require_role("recognizer")
        claimed = await jobs_pages.claim_job_page(request.worker, lease=self._lease, stores=self._stores)
        return pb.ClaimJobPageResponse(page=None if claimed is None else convert.claimed_message(claimed))

    async def RenewJobPage(self, request: pb.RenewJobPageRequest, context: object) -> pb.RenewJobPageResponse:
        """Renew the lease of a claimed page."""
        require_role("recognizer")
        claimed = _claimed_page(request)
        await jobs_pages.renew_job_page(
            current_user("recognizer"), claimed, lease=self._lease, stores=self._stores
        )
        return pb.RenewJobPageResponse()

    async def EndJobPage(self, request: pb.EndJobPageRequest, context: object) -> pb.EndJobPageResponse:
        """Record the outcome of a claimed page."""
        require_role("recognizer")
        page_id = common.uuid(request.page_id, "page_id") if request.page_id else None
        job = await jobs_pages.end_job_page(
            current_user("recognizer"),
            _claimed_page(request),
            page_id,
            convert.outcome(request),
            stores=self._stores,
        )
        return pb.EndJobPageResponse(job=convert.job_message(job))

    async def DownloadDocument(
        self, request: pb.DownloadDocumentRequest, context: object
    ) -> AsyncIterator[pb.DownloadDocumentResponse]:
        """Stream the document of a job."""
        require_role("recognizer")
        user_id, job_id = current_user("recognizer"), common.uuid(request.job_id, "job_id")
        await jobs_claims.require_claim(user_id, current_identity().work, job_id=job_id, stores=self._stores)
        async for chunk in jobs.download_document(user_id, job_id, stores=self._stores):
            yield pb.DownloadDocumentResponse(chunk=chunk)

    async def SweepJobs(self, request: pb.SweepJobsRequest, context: object) -> pb.SweepJobsResponse:
        """Return abandoned pages to the queue, end late jobs, and count the pages that wait."""
        require_role("recognizer")
        swept = await jobs_pages.sweep_jobs(stores=self._stores)
        return pb.SweepJobsResponse(waiting_pages=swept.waiting_pages)


def _claimed_page(request: pb.RenewJobPageRequest | pb.EndJobPageRequest) -> FencedPage:
    """Return the page that a request names. Forbidden: the identity is not bound to it."""
    claimed = convert.fenced_page(request)
    require_work(Work(claimed.job_id, claimed.fence, claimed.position))
    return claimed
