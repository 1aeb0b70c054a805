"""Jobs in a real registry, in the hands of users and of workers."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ketav.registry.v1 import jobs_pb2 as pb
from ketav_common import rpc
from tests.parts.registry import DIGEST, Registry, acting, claiming, create, read_lines

DOCUMENT = b"%PDF-1.7 " + bytes(range(256)) * 9000


def messages(header: pb.CreateJobHeader, document: bytes) -> Iterator[pb.CreateJobRequest]:
    """Yield the messages of CreateJob."""
    yield pb.CreateJobRequest(header=header)
    for start in range(0, len(document), 1 << 20):
        yield pb.CreateJobRequest(chunk=document[start : start + (1 << 20)])


async def create_job(registry: Registry, user_id: UUID, pages: int = 3, **header: Any) -> pb.Job:
    """Create a job of a user over a document."""
    document = b"" if "page_ids" in header else DOCUMENT
    fields: dict[str, Any] = {
        "page_count": 0 if "page_ids" in header else pages,
        "request_sha256": DIGEST,
    } | header
    message = pb.CreateJobHeader(size_bytes=len(document), **fields)
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.jobs.CreateJob(messages(message, document))).job


async def get_job(registry: Registry, user_id: UUID, job_id: str) -> pb.Job:
    """Return a job as its user."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.jobs.GetJob(pb.GetJobRequest(job_id=job_id))).job


async def claim(registry: Registry) -> pb.ClaimedJobPage | None:
    """Claim the next page as a worker."""
    with acting(None, "recognizer"), rpc.raise_ketav_errors():
        response = await registry.jobs.ClaimJobPage(pb.ClaimJobPageRequest(worker="worker-1"))
    return response.page if response.HasField("page") else None


async def next_page(registry: Registry) -> pb.ClaimedJobPage:
    """Claim the next page, which must exist."""
    claimed = await claim(registry)
    assert claimed is not None
    return claimed


async def end(registry: Registry, claimed: pb.ClaimedJobPage, page_id: str = "", **outcome: Any) -> pb.Job:
    """End a claimed page as its worker."""
    request = pb.EndJobPageRequest(
        job_id=claimed.job_id, position=claimed.position, fence=claimed.fence, page_id=page_id, **outcome
    )
    with claiming(claimed), rpc.raise_ketav_errors():
        return (await registry.jobs.EndJobPage(request)).job


async def read(registry: Registry, claimed: pb.ClaimedJobPage, *texts: str) -> pb.Job:
    """Store a page of a document, as its worker does, and record what was read on it."""
    page_id = claimed.page_id
    if not page_id:
        with claiming(claimed):
            key = f"job:{claimed.job_id}:{claimed.position}"
            page_id = (await create(registry, project_id=claimed.project_id, request_id=key)).page.page_id
    reading = pb.JobPageReading(model_version="hebrew_base-1", lines=read_lines(texts or ["שלום"]))
    return await end(registry, claimed, page_id, reading=reading)


def failure(*, retry: bool = False, counts: bool = True) -> pb.JobPageFailure:
    """Return a failed attempt."""
    error = pb.JobPageError(code="unreadable-image", detail="The image cannot be read. Send another one.")
    return pb.JobPageFailure(error=error, retry=retry, counts=counts)


async def sweep(registry: Registry) -> int:
    """Sweep as a worker; return the number of pages that wait."""
    with acting(None, "recognizer"), rpc.raise_ketav_errors():
        return (await registry.jobs.SweepJobs(pb.SweepJobsRequest())).waiting_pages


def states(job: pb.Job) -> str:
    """Return the states of a job's pages in order: queued, running, done, failed, cancelled."""
    letters = {"QUEUED": "q", "RUNNING": "r", "READ": "d", "FAILED": "f", "CANCELLED": "c"}
    names = [pb.JobPageState.Name(page.state).removeprefix("JOB_PAGE_STATE_") for page in job.pages]
    return "".join(letters[name] for name in names)


async def document(registry: Registry, claimed: pb.ClaimedJobPage) -> bytes:
    """Return the document of a job as the worker of a claimed page."""
    with claiming(claimed), rpc.raise_ketav_errors():
        request = pb.DownloadDocumentRequest(job_id=claimed.job_id)
        chunks = [part.chunk async for part in registry.jobs.DownloadDocument(request)]
    return b"".join(chunks)
