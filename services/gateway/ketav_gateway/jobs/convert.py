"""Jobs between protobuf and JSON."""

from typing import Any

from ketav.registry.v1 import jobs_pb2
from ketav_gateway.convert import enum_name, timestamp
from ketav_gateway.jobs import schemas

ENDED = frozenset({"succeeded", "partly_failed", "failed", "cancelled"})
"""States of a job that has ended."""


def _summary_fields(message: jobs_pb2.Job) -> dict[str, Any]:
    """Return the fields that a job has with and without its pages."""
    return {
        "job_id": message.job_id,
        "project_id": message.project_id,
        "state": enum_name(jobs_pb2.JobState, message.state, "JOB_STATE_"),
        "revision": message.revision,
        "page_count": message.page_count,
        "pages_read": message.pages_read,
        "pages_failed": message.pages_failed,
        "kind": "export" if message.HasField("export") else "reading",
        "export": _export(message.export) if message.HasField("export") else None,
        "cancel_requested": message.cancel_requested,
        "created_at": timestamp(message.create_time),
        "updated_at": timestamp(message.update_time),
        "expires_at": timestamp(message.expire_time),
    }


def job_summary(message: jobs_pb2.Job) -> schemas.JobSummary:
    """Return a job without its pages."""
    return schemas.JobSummary(**_summary_fields(message))


def job(message: jobs_pb2.Job) -> schemas.Job:
    """Return a job with its pages."""
    return schemas.Job(**_summary_fields(message), pages=[_page(page) for page in message.pages])


def _export(message: jobs_pb2.JobExport) -> schemas.JobExport:
    """Return what a job exports."""
    error = message.error
    return schemas.JobExport(
        format=message.format,
        image_ids=list(message.page_ids),
        images=message.images,
        size_bytes=message.size_bytes if message.sha256 else None,
        expires_at=timestamp(message.expire_time) if message.sha256 else None,
        error=schemas.JobPageError(code=error.code, detail=error.detail) if error.code else None,
    )


def _page(message: jobs_pb2.JobPage) -> schemas.JobPage:
    """Return a page of a job."""
    error = message.error
    return schemas.JobPage(
        position=message.position,
        image_id=message.page_id or None,
        state=enum_name(jobs_pb2.JobPageState, message.state, "JOB_PAGE_STATE_"),
        attempts=message.attempts,
        error=schemas.JobPageError(code=error.code, detail=error.detail) if error.code else None,
    )
