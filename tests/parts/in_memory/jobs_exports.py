"""Exports of jobs in memory: created by users, written by the gateway, downloaded in parts."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from ketav.registry.v1 import jobs_pb2, jobs_pb2_grpc, members_pb2
from ketav_common import context
from ketav_common.errors import InvalidInput, NotFound, RateLimited, Stale
from tests.parts.in_memory.state import TIME, State, User

ACTIVE = {jobs_pb2.JOB_STATE_QUEUED, jobs_pb2.JOB_STATE_RUNNING}
_MAX_ACTIVE = 3
_MAX_PAGES = 100


def _new_job(request: Any, export: jobs_pb2.JobExport, pages: int) -> jobs_pb2.Job:
    """Return the job of a new export; `pages` are those of the project."""
    return jobs_pb2.Job(
        job_id=str(uuid4()),
        project_id=request.project_id,
        state=jobs_pb2.JOB_STATE_QUEUED,
        revision=1,
        page_count=len(request.page_ids) or pages,
        kind=jobs_pb2.JOB_KIND_EXPORT,
        export=export,
        create_time=TIME,
        update_time=TIME,
        expire_time=TIME,
    )


def _claim_of(request: Any, job: jobs_pb2.Job, owner: User, caller: User) -> jobs_pb2.ClaimedExport:
    """Return what a gateway gets when it claims an export."""
    return jobs_pb2.ClaimedExport(
        job_id=job.job_id,
        fence=1,
        user_id=owner.user_id,
        creator_id=caller.user_id,
        project_id=request.project_id,
        lease_seconds=30,
        format=request.format,
        page_ids=request.page_ids,
        images=request.images,
        address=request.address,
        base=request.base,
    )


class Exports(jobs_pb2_grpc.JobServiceServicer):
    """Creates exports, gives them to the gateway, stores and returns their results."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    def jobs(self) -> list[jobs_pb2.Job]:
        """Return the jobs of the projects that the caller sees, newest first."""
        visible = self.state.visible_projects()
        jobs = [job for user in self.state.users.values() for job in user.jobs.values()]
        return [job for job in reversed(jobs) if job.project_id in visible]

    def job(self, job_id: str, needed: members_pb2.Role.ValueType = members_pb2.ROLE_VIEWER) -> jobs_pb2.Job:
        """Return a job of a project of the caller; raises NotFound, or Forbidden for its role."""
        for job in self.jobs():
            if job.job_id == job_id:
                self.state.scope(job.project_id, needed)
                return job
        raise NotFound("This account has no job with this id. List the jobs with GET /jobs/.")

    def is_own_export(self, job: jobs_pb2.Job) -> bool:
        """Return whether a job is an export that the caller has created."""
        return job.job_id in self.state.exporters.get(str(context.current_user()), set())

    def _active(self, owned: set[str]) -> list[jobs_pb2.Job]:
        """Return the jobs with these ids that have not ended."""
        return [job for job in self.jobs() if job.job_id in owned and job.state in ACTIVE]

    async def CreateExport(self, request: Any, context: Any) -> Any:
        """Create an export; an equal one that waits is returned."""
        self.state.enter("CreateExport", request)
        user, caller = self.state.scope(request.project_id), self.state.caller()
        user.project(request.project_id)
        if len(request.page_ids) > _MAX_PAGES or not request.format:
            raise InvalidInput("The export has too many images. Send fewer.", code="invalid-job")
        for page_id in request.page_ids:
            user.page(request.project_id, page_id)
        active = self._active(self.state.exporters.setdefault(caller.user_id, set()))
        described = jobs_pb2.JobExport(
            format=request.format, page_ids=request.page_ids, images=request.images
        )
        for job in active:
            if (job.project_id, job.export) == (request.project_id, described):
                return jobs_pb2.CreateExportResponse(job=job)
        if len(active) >= _MAX_ACTIVE:
            raise RateLimited("Three exports wait. Cancel one.", code="too-many-exports", retry_after=30)
        job = _new_job(request, described, len(user.pages_of(request.project_id)))
        user.jobs[job.job_id] = job
        self.state.exporters[caller.user_id].add(job.job_id)
        user.exports[job.job_id] = _claim_of(request, job, user, caller)
        self.state.record_export(caller, user, request.project_id, request.format)
        return jobs_pb2.CreateExportResponse(job=job)

    async def ClaimExport(self, request: Any, context: Any) -> Any:
        """Return the oldest export to the gateway. The call is not recorded: it is repeated all the time."""
        if "ClaimExport" in self.state.failures:
            raise self.state.failures["ClaimExport"]
        for user in self.state.users.values():
            for job_id in list(user.exports):
                user.jobs[job_id].state = jobs_pb2.JOB_STATE_RUNNING
                user.jobs[job_id].revision += 1
                return jobs_pb2.ClaimExportResponse(export=user.exports.pop(job_id))
        return jobs_pb2.ClaimExportResponse()

    def _running(self, job_id: str) -> tuple[User, jobs_pb2.Job]:
        """Return an export that is written, and its owner; raises Stale."""
        for user in self.state.users.values():
            job = user.jobs.get(job_id)
            if job is not None and job.state == jobs_pb2.JOB_STATE_RUNNING:
                return user, job
        raise Stale("The export has ended.", code="stale-fence")

    async def RenewExport(self, request: Any, context: Any) -> Any:
        """Renew a lease, which never ends here."""
        _, job = self._running(request.job_id)
        if request.pages_written > job.pages_read:
            job.pages_read = request.pages_written
            job.revision += 1
        return jobs_pb2.RenewExportResponse()

    async def EndExport(self, request_iterator: AsyncIterator[Any], context: Any) -> Any:
        """Store a result, or fail."""
        parts = [part async for part in request_iterator]
        header, content = parts[0].header, b"".join(part.chunk for part in parts[1:])
        user, job = self._running(header.job_id)
        job.revision += 1
        if header.HasField("failure"):
            job.state = jobs_pb2.JOB_STATE_FAILED
            job.export.error.CopyFrom(header.failure.error)
            return jobs_pb2.EndExportResponse(job=job)
        job.state, job.pages_read = jobs_pb2.JOB_STATE_SUCCEEDED, job.page_count
        job.export.size_bytes, job.export.sha256 = len(content), hashlib.sha256(content).digest()
        job.export.expire_time.CopyFrom(TIME)
        user.results[job.job_id] = content
        return jobs_pb2.EndExportResponse(job=job)

    async def DownloadExport(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Return a result or a part of it."""
        self.state.enter("DownloadExport", request)
        job = self.job(request.job_id)
        user = self.state.scope(job.project_id)
        if job.kind != jobs_pb2.JOB_KIND_EXPORT:
            raise NotFound
        if job.job_id not in user.results:
            raise NotFound("The export has no file. Start it again.", code="export-expired")
        content = user.results[job.job_id][request.offset :]
        yield jobs_pb2.DownloadExportResponse(chunk=content[: request.length or None])
