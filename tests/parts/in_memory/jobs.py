"""Jobs in memory. No worker claims their pages; the gateway claims and writes exports."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from ketav.registry.v1 import jobs_pb2, members_pb2, projects_pb2
from ketav_common.errors import InvalidInput, Precondition
from ketav_common.limits import MAX_JOB_PAGES
from tests.parts.in_memory.jobs_exports import ACTIVE, Exports
from tests.parts.in_memory.pages import check_hand, reading_model
from tests.parts.in_memory.state import TIME, User, list_part

_ACTIVE_PAGES = {jobs_pb2.JOB_PAGE_STATE_QUEUED, jobs_pb2.JOB_PAGE_STATE_RUNNING}


def _without_pages(job: jobs_pb2.Job) -> jobs_pb2.Job:
    """Return a copy of a job without its pages."""
    copy = jobs_pb2.Job()
    copy.CopyFrom(job)
    del copy.pages[:]
    return copy


def _project_of(user: User, header: jobs_pb2.CreateJobHeader) -> str:
    """Return the project of a job, which is created if none is named."""
    if header.project_id:
        check_hand(user.project(header.project_id), header.hand)
        for page_id in header.page_ids:
            user.page(header.project_id, page_id)
        return header.project_id
    user.check_script(header.hand, header.script)
    project = projects_pb2.Project(
        project_id=str(uuid4()),
        name=header.project_name or "2026-11-23 09:30:00",
        script=header.script or user.script_of(header.hand),
        hand=header.hand,
        create_time=TIME,
    )
    user.projects[project.project_id] = project
    return project.project_id


class Jobs(Exports):
    """Creates, shows, lists and cancels jobs."""

    ClaimJobPage = RenewJobPage = EndJobPage = None  # type: ignore[assignment]
    DownloadDocument = SweepJobs = None  # type: ignore[assignment]

    async def CreateJob(self, request_iterator: AsyncIterator[Any], context: Any) -> Any:
        """Create a job over stored pages or a document."""
        parts = [part async for part in request_iterator]
        header, document = parts[0].header, b"".join(part.chunk for part in parts[1:])
        self.state.enter("CreateJob", header)
        user = self.state.scope(header.project_id, members_pb2.ROLE_EDITOR)
        if known := user.repeated("CreateJob", header.request_id, header.request_sha256):
            return jobs_pb2.CreateJobResponse(job=known)
        count = len(header.page_ids) or header.page_count
        if bool(header.page_ids) == bool(header.page_count) or not 1 <= count <= MAX_JOB_PAGES:
            raise InvalidInput("The job has no pages. Send some.", code="invalid-job")
        for index, page_id in enumerate(header.page_ids):
            if page_id in header.page_ids[:index]:
                raise InvalidInput(
                    f"/image_ids/{index} names an image twice. Send each image once.",
                    code="invalid-job",
                    details={"pointer": f"/image_ids/{index}"},
                )
        if len(document) != header.size_bytes:
            raise InvalidInput("The document has another length than its header says.", code="size-mismatch")
        reading_model(user, header.model_version)
        job = jobs_pb2.Job(
            job_id=str(uuid4()),
            project_id=_project_of(user, header),
            state=jobs_pb2.JOB_STATE_QUEUED,
            revision=1,
            page_count=count,
            kind=jobs_pb2.JOB_KIND_READING,
            create_time=TIME,
            update_time=TIME,
            expire_time=TIME,
            pages=[
                jobs_pb2.JobPage(position=position, page_id=page_id, state=jobs_pb2.JOB_PAGE_STATE_QUEUED)
                for position, page_id in enumerate(header.page_ids or [""] * count, start=1)
            ],
        )
        user.jobs[job.job_id] = job
        user.remember("CreateJob", header.request_id, header.request_sha256, job)
        return jobs_pb2.CreateJobResponse(job=job)

    async def GetJob(self, request: Any, context: Any) -> Any:
        """Return a job."""
        self.state.enter("GetJob", request)
        job = self.job(request.job_id)
        return jobs_pb2.GetJobResponse(job=_without_pages(job) if request.without_pages else job)

    async def ListJobs(self, request: Any, context: Any) -> Any:
        """List jobs, newest first."""
        self.state.enter("ListJobs", request)
        part, cursor = list_part(self.jobs(), request.cursor, request.limit or 20)
        return jobs_pb2.ListJobsResponse(jobs=[_without_pages(job) for job in part], next_cursor=cursor)

    async def CancelJob(self, request: Any, context: Any) -> Any:
        """Cancel a job whose pages wait: it ends at once."""
        self.state.enter("CancelJob", request)
        job = self.job(request.job_id)
        if not self.is_own_export(job):
            self.state.scope(job.project_id, members_pb2.ROLE_EDITOR)
        user = self.state.scope(job.project_id)
        if user.repeated("done", request.request_id, request.request_sha256):
            return jobs_pb2.CancelJobResponse(job=_without_pages(job))
        if job.state not in ACTIVE:
            raise Precondition("The job has ended already. Show it.", code="job-ended")
        user.exports.pop(job.job_id, None)
        for page in job.pages:
            if page.state in _ACTIVE_PAGES:
                page.state = jobs_pb2.JOB_PAGE_STATE_CANCELLED
        job.state, job.cancel_requested = jobs_pb2.JOB_STATE_CANCELLED, True
        job.revision += 1
        user.remember("done", request.request_id, request.request_sha256, job)
        return jobs_pb2.CancelJobResponse(job=_without_pages(job))
