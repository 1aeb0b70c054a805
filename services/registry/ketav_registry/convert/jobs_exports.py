"""Conversion of exports that jobs write."""

from ketav.registry.v1 import jobs_pb2 as pb
from ketav_registry.convert import common
from ketav_registry.domain.jobs_exports import ClaimedExport, Export, NewExport


def new_export(request: pb.CreateExportRequest) -> NewExport:
    """Return the export that a user wants."""
    return NewExport(
        project_id=common.uuid(request.project_id, "project_id"),
        format=request.format,
        page_ids=tuple(common.uuid(page_id, "page_ids") for page_id in request.page_ids),
        images=request.images,
        address=request.address,
        base=request.base,
    )


def export_message(export: Export) -> pb.JobExport:
    """Return the message of what a job exports."""
    result, error = export.result, export.error
    message = pb.JobExport(
        format=export.format,
        page_ids=[str(page_id) for page_id in export.page_ids],
        images=export.images,
        error=pb.JobPageError(code=error.code, detail=error.detail) if error.code else None,
    )
    if result is not None:
        message.size_bytes, message.sha256 = result.size_bytes, result.sha256
        if result.expire_time is not None:
            message.expire_time.CopyFrom(common.timestamp(result.expire_time))
    return message


def claimed_message(claimed: ClaimedExport) -> pb.ClaimedExport:
    """Return the message of a claimed export."""
    new = claimed.new
    return pb.ClaimedExport(
        job_id=str(claimed.export.job_id),
        fence=claimed.export.fence,
        user_id=str(claimed.owner_id),
        creator_id=str(claimed.creator_id),
        project_id=str(new.project_id),
        lease_seconds=round(claimed.lease.total_seconds()),
        format=new.format,
        page_ids=[str(page_id) for page_id in new.page_ids],
        images=new.images,
        address=new.address,
        base=new.base,
        traceparent=claimed.traceparent,
    )
