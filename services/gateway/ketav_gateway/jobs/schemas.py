"""JSON of jobs and their pages."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from ketav_common.limits import MAX_JOB_PAGES
from ketav_gateway import examples
from ketav_gateway.schemas import VERSION_PATTERN, Id, RequestBody, ResponseBody

JobState = Literal["queued", "running", "succeeded", "partly_failed", "failed", "cancelled"]
JobPageState = Literal["queued", "running", "read", "failed", "cancelled"]

_SUMMARY_EXAMPLE: dict[str, Any] = {
    "job_id": examples.JOB_ID,
    "kind": "reading",
    "project_id": examples.PROJECT_ID,
    "state": "running",
    "revision": 5,
    "page_count": 3,
    "pages_read": 1,
    "pages_failed": 1,
    "cancel_requested": False,
    "created_at": examples.CREATED_AT,
    "updated_at": "2026-11-23T09:30:07Z",
    "expires_at": "2026-11-24T09:30:00Z",
    "export": None,
}
_JOB_EXAMPLE: dict[str, Any] = {
    **_SUMMARY_EXAMPLE,
    "pages": [
        {"position": 1, "image_id": examples.IMAGE_ID, "state": "read", "attempts": 1, "error": None},
        {
            "position": 2,
            "image_id": None,
            "state": "failed",
            "attempts": 1,
            "error": {
                "code": "image-too-small",
                "detail": "The image has 12 x 40 pixels; each side needs at least 16. Scan the page at a "
                "higher resolution.",
            },
        },
        {"position": 3, "image_id": None, "state": "running", "attempts": 1, "error": None},
    ],
}
EVENT_EXAMPLE = f"id: 5\nevent: running\ndata: {json.dumps(_JOB_EXAMPLE)}\n\n"


def _check_count(image_ids: list[str]) -> list[str]:
    """Return the images of a job if there are not too many; the code of pydantic's own check is of lines."""
    if len(image_ids) > MAX_JOB_PAGES:
        raise ValueError(
            f"The array has {len(image_ids):,} images, and a job has at most {MAX_JOB_PAGES}. Divide the "
            "images among several jobs."
        )
    return image_ids


class CreateJobRequest(RequestBody):
    """Stored images to read."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"project_id": examples.PROJECT_ID, "image_ids": [examples.IMAGE_ID]}}
    )

    project_id: Id = Field(description="Project of the images.")
    image_ids: Annotated[list[Id], AfterValidator(_check_count)] = Field(
        description="UUIDs of the images, each once.",
        min_length=1,
        json_schema_extra={"maxItems": MAX_JOB_PAGES},
    )
    model: str | None = Field(
        None,
        description="Model version to read with, one of yours or a base model; without it your active model.",
        pattern=VERSION_PATTERN,
    )


class JobPageError(ResponseBody):
    """The reason why a page of a job was not read, or why its latest attempt failed."""

    code: str = Field(description="The type of problem, for programs.")
    detail: str = Field(description="The error and its correction, in sentences.")


class JobPage(ResponseBody):
    """A page of a job."""

    position: int = Field(description="Position of the page in the document or in the request, from 1.")
    image_id: str | None = Field(description="UUID of the image; null while it is not stored.")
    state: JobPageState = Field(
        description="`queued` and `running` are active; `read`, `failed` and `cancelled` are final."
    )
    attempts: int = Field(description="How often a worker has begun to read it; after five it fails.")
    error: JobPageError | None = Field(description="Why it failed, or why its latest attempt did.")


class JobExport(ResponseBody):
    """The export that a job writes, and its file."""

    format: str = Field(description="Format of the export.")
    image_ids: list[str] = Field(description="UUIDs of the exported images; empty: all of the project.")
    images: bool = Field(description="Whether a zip has the image files, too.")
    size_bytes: int | None = Field(
        description="Size of the file, which `GET /jobs/{job_id}/export` returns; null without a file."
    )
    expires_at: datetime | None = Field(description="When the file is removed; null without a file.")
    error: JobPageError | None = Field(description="Why the export failed, or why its latest attempt did.")


class JobSummary(ResponseBody):
    """A job without its pages."""

    model_config = ConfigDict(json_schema_extra={"example": _SUMMARY_EXAMPLE})

    job_id: str = Field(description="UUID of the job.")
    kind: Literal["reading", "export"] = Field(description="What the job does.")
    project_id: str = Field(description="UUID of the project that has the pages.")
    state: JobState = Field(
        description="`queued` and `running` are active. `succeeded`: all pages were read; `partly_failed`: "
        "some were; `failed`: none was; `cancelled`: you have cancelled it, and pages that were read stay. "
        "An export succeeds or fails as a whole."
    )
    revision: int = Field(description="Incremented by each change; the id of the change's event.")
    page_count: int = Field(description="Number of pages.")
    pages_read: int = Field(description="Pages that were read; of an export, those that are written.")
    pages_failed: int = Field(description="Pages that failed.")
    cancel_requested: bool = Field(description="Whether you have cancelled the job.")
    created_at: datetime = Field(description="When it was created.")
    updated_at: datetime = Field(description="When it last changed.")
    expires_at: datetime = Field(description="When pages that still wait fail, or an export that waits.")
    export: JobExport | None = Field(description="What the job exports; null for a job that reads.")


class Job(JobSummary):
    """A job with its pages, of which an export has none."""

    model_config = ConfigDict(json_schema_extra={"example": _JOB_EXAMPLE})

    pages: list[JobPage] = Field(description="The pages in their order.")


class JobList(ResponseBody):
    """A part of the list of jobs."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"jobs": [_SUMMARY_EXAMPLE], "next_cursor": None}}
    )

    jobs: list[JobSummary] = Field(description="Jobs, newest first.")
    next_cursor: str | None = Field(description="The cursor of the next part; null for the last one.")
