"""Conversion of jobs."""

from datetime import timedelta

from ketav.registry.v1 import jobs_pb2 as pb
from ketav_registry.convert import common
from ketav_registry.convert.jobs_exports import export_message
from ketav_registry.convert.pages import layout
from ketav_registry.convert.transcriptions import new_line
from ketav_registry.domain.jobs import (
    ClaimedPage,
    Failure,
    FencedPage,
    Job,
    JobKind,
    JobPage,
    JobPageState,
    JobState,
    NewJob,
    ReadingOptions,
)
from ketav_registry.domain.jobs_exports import JobError
from ketav_registry.usecases.transcriptions import Reading

_STATES = {state: pb.JobState.Value(f"JOB_STATE_{state.name}") for state in JobState}
_KINDS = {kind: pb.JobKind.Value(f"JOB_KIND_{kind.name}") for kind in JobKind}
_PAGE_STATES = {state: pb.JobPageState.Value(f"JOB_PAGE_STATE_{state.name}") for state in JobPageState}


def new_job(header: pb.CreateJobHeader) -> NewJob:
    """Return the header of a job."""
    return NewJob(
        project_id=common.uuid(header.project_id, "project_id") if header.project_id else None,
        project_name=header.project_name,
        script=common.script(header.script) if header.script else None,
        hand=header.hand,
        options=ReadingOptions(layout(header.layout), header.model_version, header.turn, header.detect_turn),
        page_ids=tuple(common.uuid(page_id, "page_ids") for page_id in header.page_ids),
        page_count=header.page_count,
        size_bytes=header.size_bytes,
        request=common.request_key(header.request_id, header.request_sha256),
    )


def _page_message(page: JobPage) -> pb.JobPage:
    """Return the message of a page of a job."""
    error = page.error
    return pb.JobPage(
        position=page.position,
        page_id=str(page.page_id or ""),
        state=_PAGE_STATES[page.state],
        attempts=page.attempts,
        error=pb.JobPageError(code=error.code, detail=error.detail) if error.code else None,
    )


def job_message(job: Job) -> pb.Job:
    """Return the message of a job."""
    return pb.Job(
        job_id=str(job.job_id),
        project_id=str(job.project_id),
        state=_STATES[job.state],
        revision=job.revision,
        page_count=job.page_count,
        pages_read=job.pages_read,
        pages_failed=job.pages_failed,
        cancel_requested=job.cancel_requested,
        create_time=common.timestamp(job.create_time),
        update_time=common.timestamp(job.update_time),
        expire_time=common.timestamp(job.expire_time),
        pages=[_page_message(page) for page in job.pages],
        kind=_KINDS[job.kind],
        export=None if job.export is None else export_message(job.export),
    )


def claimed_message(claimed: ClaimedPage) -> pb.ClaimedJobPage:
    """Return the message of a claimed page."""
    options = claimed.options
    return pb.ClaimedJobPage(
        job_id=str(claimed.page.job_id),
        position=claimed.page.position,
        fence=claimed.page.fence,
        user_id=str(claimed.user_id),
        project_id=str(claimed.project_id),
        page_id=str(claimed.page_id or ""),
        lease_seconds=round(claimed.lease.total_seconds()),
        layout=common.LAYOUTS[options.layout],
        model_version=options.model_version,
        turn=options.turn,
        detect_turn=options.detect_turn,
        page_count=claimed.page_count,
        document_sha256=claimed.document_sha256,
        traceparent=claimed.traceparent,
    )


def fenced_page(request: pb.RenewJobPageRequest | pb.EndJobPageRequest) -> FencedPage:
    """Return the page of a worker's call with the fence of its claim."""
    return FencedPage(common.uuid(request.job_id, "job_id"), request.position, request.fence)


def outcome(request: pb.EndJobPageRequest) -> Reading | Failure | None:
    """Return the outcome of an attempt; None: the page had been read before."""
    if request.HasField("reading"):
        reading = request.reading
        lines = [new_line(line) for line in reading.lines]
        return Reading(reading.model_version, lines, reading.image_sha256, list(reading.warnings))
    if not request.HasField("failure"):
        return None
    return failure(request.failure)


def failure(message: pb.JobPageFailure) -> Failure:
    """Return the reason of a failed attempt."""
    error = JobError(message.error.code, message.error.detail)
    return Failure(error, message.retry, timedelta(seconds=message.retry_seconds), message.counts)
