"""JobService."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

from ketav.registry.v1 import jobs_pb2 as pb
from ketav.registry.v1 import jobs_pb2_grpc
from ketav_common.context import current_identity, current_user, require_role, require_work
from ketav_common.errors import Forbidden
from ketav_common.identity import Identity, Work
from ketav_registry.convert import common
from ketav_registry.convert import jobs as convert
from ketav_registry.convert import jobs_exports as convert_exports
from ketav_registry.domain.jobs import FencedPage
from ketav_registry.domain.jobs_exports import FencedExport
from ketav_registry.stores import Stores
from ketav_registry.usecases import jobs, jobs_claims, jobs_exports, jobs_pages


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
        """Return abandoned pages to the queue, end late jobs, expire results, and count waiting pages."""
        require_role("recognizer")
        swept = await jobs_pages.sweep_jobs(stores=self._stores)
        await jobs_exports.sweep_exports(stores=self._stores)
        return pb.SweepJobsResponse(waiting_pages=swept.waiting_pages)

    async def CreateExport(self, request: pb.CreateExportRequest, context: object) -> pb.CreateExportResponse:
        """Create a job of the caller that exports a project."""
        new = convert_exports.new_export(request)
        job = await jobs_exports.create_export(current_user(), new, stores=self._stores)
        return pb.CreateExportResponse(job=convert.job_message(job))

    async def ClaimExport(self, request: pb.ClaimExportRequest, context: object) -> pb.ClaimExportResponse:
        """Claim the export that is written next."""
        require_role("gateway")
        claimed = await jobs_exports.claim_export(lease=self._lease, stores=self._stores)
        message = None if claimed is None else convert_exports.claimed_message(claimed)
        return pb.ClaimExportResponse(export=message)

    async def RenewExport(self, request: pb.RenewExportRequest, context: object) -> pb.RenewExportResponse:
        """Renew the lease of a claimed export."""
        owner_id, export = _claimed_export(require_role("gateway"), request)
        await jobs_exports.renew_export(
            owner_id, export, request.pages_written, lease=self._lease, stores=self._stores
        )
        return pb.RenewExportResponse()

    async def EndExport(
        self, request_iterator: AsyncIterator[pb.EndExportRequest], context: object
    ) -> pb.EndExportResponse:
        """Store the result of a claimed export, or record why it failed."""
        caller = require_role("gateway")
        header, chunks = await common.upload(request_iterator)
        owner_id, export = _claimed_export(caller, header)
        if header.HasField("failure"):
            failure = convert.failure(header.failure)
            job = await jobs_exports.fail_export(owner_id, export, failure, stores=self._stores)
        else:
            job = await jobs_exports.store_export(
                owner_id, export, chunks, header.size_bytes, stores=self._stores
            )
        return pb.EndExportResponse(job=convert.job_message(job))

    async def DownloadExport(
        self, request: pb.DownloadExportRequest, context: object
    ) -> AsyncIterator[pb.DownloadExportResponse]:
        """Stream the result of an export of the caller."""
        user_id, job_id = current_user(), common.uuid(request.job_id, "job_id")
        offset, length = max(0, request.offset), max(0, request.length)
        async for part in jobs_exports.download_export(user_id, job_id, offset, length, stores=self._stores):
            yield pb.DownloadExportResponse(chunk=part)


def _claimed_export(
    caller: Identity, request: pb.RenewExportRequest | pb.EndExportHeader
) -> tuple[UUID, FencedExport]:
    """Return the owner and the export that a request names. Forbidden: the identity is not bound to it."""
    export = FencedExport(common.uuid(request.job_id, "job_id"), request.fence)
    require_work(Work(export.job_id, export.fence))
    if caller.user_id is None:
        raise Forbidden("The call names no owner of the export. Sign an identity with the user's id.")
    return caller.user_id, export


def _claimed_page(request: pb.RenewJobPageRequest | pb.EndJobPageRequest) -> FencedPage:
    """Return the page that a request names. Forbidden: the identity is not bound to it."""
    claimed = convert.fenced_page(request)
    require_work(Work(claimed.job_id, claimed.fence, claimed.position))
    return claimed
