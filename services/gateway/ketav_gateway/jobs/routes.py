"""Jobs: created over stored images, shown, listed, followed and cancelled. POST /ocr/ creates them, too."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from ketav.registry.v1 import jobs_pb2
from ketav_common.errors import InvalidInput, KetavError
from ketav_common.logging import get_logger
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import (
    Cursor,
    Gateway,
    ListLimit,
    canonical_uuid,
    count_compute_request,
)
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problem_codes import IDEMPOTENT, JOB, JSON_BODY, LIST
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.jobs import convert, schemas, usecases
from ketav_gateway.services import Services, call

router = APIRouter(tags=["jobs"])
log = get_logger()

_REVISION = re.compile(r"[0-9]{1,18}")
_POLL_S = 2
"""Seconds after which a client asks for the state of a job: a page takes one to three."""
_BY_JOB_ID = {"parameters": {"job_id": "$response.body#/job_id"}}
JOB_LINKS = {
    "job": {"operationId": "get_job", "description": "The state of the job.", **_BY_JOB_ID},
    "events": {"operationId": "watch_job", "description": "The changes of the job.", **_BY_JOB_ID},
    "cancel": {"operationId": "cancel_job", "description": "The end of the job.", **_BY_JOB_ID},
}
_CREATED: Responses = {202: {"links": JOB_LINKS}}
_EVENTS: Responses = {
    200: {
        "content": {"text/event-stream": {"example": schemas.EVENT_EXAMPLE}},
        "description": "An event for each change of the job.",
    },
    204: {"description": "The job has ended and the client has received its last event."},
}


def _job_id(job_id: Annotated[str, Path(description="UUID of the job.")]) -> str:
    """Return the job's id from the path."""
    return canonical_uuid(job_id)


JobId = Annotated[str, Depends(_job_id)]


def accepted(body: BaseModel, location: str, job_id: str) -> Response:
    """Return the 202 response of a request that a job finishes; `location` is where its result appears."""
    return Response(
        body.model_dump_json(),
        status_code=202,
        media_type="application/json",
        headers={
            "Location": location,
            "Link": f'<{location}>; rel="status", </jobs/{job_id}/events>; rel="monitor"',
            "Retry-After": str(_POLL_S),
            "Preference-Applied": "respond-async",
        },
    )


@router.post(
    "/jobs/",
    status_code=202,
    response_model=schemas.Job,
    responses=responses(*JSON_BODY, *IDEMPOTENT, *JOB, more=_CREATED),
    dependencies=[Depends(count_compute_request)],
    openapi_extra=body_description(schemas.CreateJobRequest),
    summary="Read stored images in the background",
)
async def create_job(
    request: Request,
    gateway: Gateway,
    key: IdempotencyKey,
    body: Annotated[schemas.CreateJobRequest, Depends(json_body(schemas.CreateJobRequest))],
) -> Response:
    """Read stored images of a project in the background: after failures, or with a newer or another model."""
    header = jobs_pb2.CreateJobHeader(
        project_id=body.project_id,
        page_ids=body.image_ids,
        model_version=body.model or "",
        detect_turn=True,
        request_id=key,
        request_sha256=fingerprint(request, body.model_dump()),
    )
    job = convert.job(await usecases.create_job(gateway.services, header))
    return accepted(job, f"/jobs/{job.job_id}", job.job_id)


@router.get("/jobs/", responses=responses(*LIST), summary="List your jobs")
async def list_jobs(gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20) -> schemas.JobList:
    """List your jobs, newest first. A job is deleted 30 days after its end; what it has read stays."""
    request = jobs_pb2.ListJobsRequest(cursor=cursor, limit=limit)
    response = await call(gateway.services.jobs.ListJobs, request, gateway.services.deadlines.short_s)
    return schemas.JobList(
        jobs=[convert.job_summary(job) for job in response.jobs], next_cursor=response.next_cursor or None
    )


@router.get("/jobs/{job_id}", responses=responses("not-found"), summary="Show a job")
async def get_job(gateway: Gateway, job_id: JobId) -> schemas.Job:
    """Return a job with the state of each page."""
    return convert.job(await usecases.get_job(gateway.services, job_id))


@router.post(
    "/jobs/{job_id}/cancel",
    responses=responses("not-found", "insufficient-role", "job-ended", *IDEMPOTENT),
    summary="Cancel a job",
)
async def cancel_job(
    request: Request, gateway: Gateway, job_id: JobId, key: IdempotencyKey
) -> schemas.JobSummary:
    """Cancel a job: pages that wait are not read; a page that is being read keeps its outcome."""
    message = jobs_pb2.CancelJobRequest(
        job_id=job_id, request_id=key, request_sha256=fingerprint(request, {})
    )
    response = await call(gateway.services.jobs.CancelJob, message, gateway.services.deadlines.short_s)
    return convert.job_summary(response.job)


@router.get(
    "/jobs/{job_id}/events",
    response_class=Response,
    responses=responses("not-found", "malformed-event-id", more=_EVENTS),
    openapi_extra={CURL_ARGUMENTS: ["-N"]},
    summary="Stream the changes of a job",
)
async def watch_job(
    gateway: Gateway,
    job_id: JobId,
    last_event_id: Annotated[
        str, Header(alias="Last-Event-ID", description="Revision of the last event that the client received.")
    ] = "0",
) -> Response:
    """Stream the changes of a job as server-sent events; an event's id is the job's revision."""
    if not _REVISION.fullmatch(last_event_id):
        raise InvalidInput(
            "The header Last-Event-ID is not a revision of a job. Send the id of the last event received.",
            code="malformed-event-id",
            details={"pointer": "Last-Event-ID"},
        )
    revision = int(last_event_id)
    job = convert.job_summary(await usecases.get_job(gateway.services, job_id, pages=False))
    if job.state in convert.ENDED and revision >= job.revision:
        return Response(status_code=204)  # an EventSource does not reconnect after 204
    return EventSourceResponse(
        _events(gateway.services, job_id, revision), headers={"Cache-Control": "no-store"}
    )


async def _events(services: Services, job_id: str, revision: int) -> AsyncIterator[ServerSentEvent]:
    """Yield the changes after a revision; ends when the job is deleted, or at the deadline of streams."""
    try:
        async for message in usecases.watch_job(services, job_id, revision):
            job = convert.job(message)
            yield ServerSentEvent(job.model_dump_json(), event=job.state, id=str(job.revision))
    except KetavError as error:
        log.info("job_events_ended", code=error.code)
