"""Exports of jobs in a real registry, in the hands of users and of gateways."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from ketav.registry.v1 import jobs_pb2 as pb
from ketav_common import context, rpc
from ketav_common.identity import Identity, Work
from tests.parts.registry import Registry, acting

FILE = b"%PDF-1.7 " + bytes(range(256)) * 10_000
"""Three chunks."""


async def create_export(registry: Registry, user_id: UUID, project_id: str, **fields: Any) -> pb.Job:
    """Create an export as a user."""
    request = pb.CreateExportRequest(project_id=project_id, **({"format": "pdf"} | fields))
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.jobs.CreateExport(request)).job


async def claim(registry: Registry) -> pb.ClaimedExport | None:
    """Claim the next export as a gateway."""
    with acting(None, "gateway"), rpc.raise_ketav_errors():
        response = await registry.jobs.ClaimExport(pb.ClaimExportRequest())
    return response.export if response.HasField("export") else None


async def next_export(registry: Registry) -> pb.ClaimedExport:
    """Claim the next export, which must exist."""
    claimed = await claim(registry)
    assert claimed is not None
    return claimed


def writing(claimed: pb.ClaimedExport, **changes: Any) -> Any:
    """Act as the gateway that has claimed an export."""
    work = replace(Work(UUID(claimed.job_id), claimed.fence), **changes)
    return context.bind(identity=Identity("gateway", UUID(claimed.user_id), work))


def messages(claimed: pb.ClaimedExport, content: bytes, **fields: Any) -> Iterator[pb.EndExportRequest]:
    """Yield the messages of EndExport."""
    header = pb.EndExportHeader(job_id=claimed.job_id, fence=claimed.fence, size_bytes=len(content), **fields)
    yield pb.EndExportRequest(header=header)
    for start in range(0, len(content), 1 << 20):
        yield pb.EndExportRequest(chunk=content[start : start + (1 << 20)])


async def finish(registry: Registry, claimed: pb.ClaimedExport, content: bytes = FILE) -> pb.Job:
    """Store the result of a claimed export."""
    with writing(claimed), rpc.raise_ketav_errors():
        return (await registry.jobs.EndExport(messages(claimed, content))).job


async def fail(registry: Registry, claimed: pb.ClaimedExport, *, retry: bool, counts: bool = True) -> pb.Job:
    """Record that an attempt failed."""
    error = pb.JobPageError(code="unavailable", detail="The registry is unavailable. Try again later.")
    failure = pb.JobPageFailure(error=error, retry=retry, counts=counts)
    with writing(claimed), rpc.raise_ketav_errors():
        return (await registry.jobs.EndExport(messages(claimed, b"", failure=failure))).job


async def renew(registry: Registry, claimed: pb.ClaimedExport, pages: int) -> None:
    """Renew the lease of a claimed export."""
    request = pb.RenewExportRequest(job_id=claimed.job_id, fence=claimed.fence, pages_written=pages)
    with writing(claimed), rpc.raise_ketav_errors():
        await registry.jobs.RenewExport(request)


async def download(registry: Registry, user_id: UUID, job_id: str, offset: int = 0, length: int = 0) -> bytes:
    """Download the result of an export, or a part of it."""
    request = pb.DownloadExportRequest(job_id=job_id, offset=offset, length=length)
    with acting(user_id), rpc.raise_ketav_errors():
        return b"".join([part.chunk async for part in registry.jobs.DownloadExport(request)])


async def cancel(registry: Registry, user_id: UUID, job_id: str) -> pb.Job:
    """Cancel a job."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.jobs.CancelJob(pb.CancelJobRequest(job_id=job_id))).job
