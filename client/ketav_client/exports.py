"""Exports of projects by jobs: the request that creates one, and the one that downloads its file."""

from typing import TypedDict, Unpack

from ketav_client.call import Call
from ketav_client.errors import KetavError
from ketav_client.generated.api.jobs.get_job_export import get_job_export
from ketav_client.generated.api.projects.export_project import export_project
from ketav_client.generated.models import ExportProjectFormat, Job


class ExportOptions(TypedDict, total=False):
    """Options of an export, as `GET /projects/{project_id}/export` describes it."""

    format_: ExportProjectFormat
    image_id: list[str]
    images: bool


def creation(project_id: str, **options: Unpack[ExportOptions]) -> Call[bytes | Job]:
    """Return the request that creates a job for an export."""
    return export_project(project_id, prefer="respond-async", **options)


def job_id_of(created: bytes | Job) -> str:
    """Return the id of the job that writes an export; raises KetavError if no job does."""
    if isinstance(created, Job):
        return created.job_id
    raise KetavError(
        "The server has exported this project without a job. It is older than this client: install the "
        "client of its version."
    )


def file_of(job: Job) -> Call[bytes]:
    """Return the request for the file of an ended job; raises KetavError if it has none."""
    if job.state == "succeeded":
        return get_job_export(job.job_id)
    if job.state == "cancelled":
        raise KetavError("The export was cancelled. Start it again.")
    error = job.export.error if job.export else None
    raise KetavError(error.detail if error else "The export has failed. Start it again.")
