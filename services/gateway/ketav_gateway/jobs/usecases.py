"""Jobs: created in the registry, announced to the workers, and followed to their end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import jobs_pb2
from ketav_common import tracing
from ketav_common.errors import KetavError, TimedOut, Unavailable
from ketav_common.logging import get_logger
from ketav_gateway.services import Services, call, file_messages, upload

log = get_logger()

_ANNOUNCE_S = 3.0
"""Deadline of the announcement of a job in seconds: without it the job starts some seconds later."""
_POLL_S = 1.0
"""Seconds between two looks at a job that is followed: a page takes one to three."""
_SLOWEST_POLL_S = 8.0
_ENDED = frozenset(
    {
        jobs_pb2.JOB_STATE_SUCCEEDED,
        jobs_pb2.JOB_STATE_PARTLY_FAILED,
        jobs_pb2.JOB_STATE_FAILED,
        jobs_pb2.JOB_STATE_CANCELLED,
    }
)


async def create_job(
    services: Services, header: jobs_pb2.CreateJobHeader, document: Path | None = None
) -> jobs_pb2.Job:
    """Create a job over stored pages or a document, and wake the workers.

    The job is committed before it is announced. An announcement that fails is no error: the workers sweep.
    """
    messages = (
        _header_alone(header)
        if document is None
        else file_messages(jobs_pb2.CreateJobRequest, header, document)
    )
    response = await upload(services.jobs.CreateJob, messages, services.deadlines.store_s)
    request = recognizer_pb2.EnqueueJobRequest(job_id=response.job.job_id)
    try:
        await call(services.recognizer.EnqueueJob, request, _ANNOUNCE_S)
    except KetavError as error:
        log.warning("job_not_announced", job_id=response.job.job_id, code=error.code)
    return response.job


async def _header_alone(header: jobs_pb2.CreateJobHeader) -> AsyncIterator[jobs_pb2.CreateJobRequest]:
    """Yield the message of a job without a document."""
    yield jobs_pb2.CreateJobRequest(header=header)


async def get_job(services: Services, job_id: str, *, pages: bool = True) -> jobs_pb2.Job:
    """Return a job of the caller; raises NotFound."""
    request = jobs_pb2.GetJobRequest(job_id=job_id, without_pages=not pages)
    return (await call(services.jobs.GetJob, request, services.deadlines.short_s)).job


async def watch_job(services: Services, job_id: str, after_revision: int) -> AsyncIterator[jobs_pb2.Job]:
    """Yield a job with its pages at each revision above `after_revision` that is seen, until it has ended.

    Revisions between two polls are skipped. The deadline of event streams ends the stream, and the client
    asks again, from the last revision that it has received. Until then an unavailable registry is tolerated.
    NotFound: there is no such job, or it was deleted meanwhile.
    """
    pause_s = _POLL_S
    loop = asyncio.get_running_loop()
    until = loop.time() + services.deadlines.watch_s
    while loop.time() < until:
        try:
            with tracing.not_recorded():
                job = await get_job(services, job_id, pages=False)
                if job.revision > after_revision:
                    job = await get_job(services, job_id)
        except (Unavailable, TimedOut) as error:
            log.warning("registry_unavailable", code=error.code)
            pause_s = min(2 * pause_s, _SLOWEST_POLL_S)
        else:
            pause_s = _POLL_S
            if job.revision > after_revision:
                after_revision = job.revision
                yield job
            if job.state in _ENDED:
                return
        await asyncio.sleep(pause_s)
