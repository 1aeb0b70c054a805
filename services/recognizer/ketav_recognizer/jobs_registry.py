"""A worker's calls to the registry and the recognizer about pages of jobs, each with a deadline."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import grpc

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import jobs_pb2, jobs_pb2_grpc, pages_pb2, pages_pb2_grpc
from ketav_common import context, rpc
from ketav_common.errors import NotFound, Unavailable
from ketav_common.identity import Identity, Work
from ketav_common.limits import CHUNK_BYTES
from ketav_recognizer.jobs_domain import Failure

_CALL_S: Final = 5.0
"""Deadline of a call that reads or writes rows, in seconds."""
_END_S: Final = 20.0
"""Deadline of recording an outcome in seconds: a page has up to 1,000 lines."""
_STORE_S: Final = 60.0
"""Deadline of a call with an image or a document in seconds: 25 MiB take 2 s at 100 Mbit/s."""

_Message = TypeVar("_Message")


class JobClient:
    """The calls; they raise KetavErrors. Stale means that another worker has claimed the page."""

    def __init__(
        self, registry: grpc.aio.Channel, recognizer: grpc.aio.Channel, *, worker: str, recognize_s: float
    ) -> None:
        """Take open channels, the worker's name for the log, and the deadline of a recognition."""
        self._jobs = jobs_pb2_grpc.JobServiceStub(registry)
        self._pages = pages_pb2_grpc.PageServiceStub(registry)
        self._recognizer = recognizer_pb2_grpc.RecognizerServiceStub(recognizer)
        self._worker = worker
        self._recognize_s = recognize_s

    async def claim(self) -> jobs_pb2.ClaimedJobPage | None:
        """Claim the page that is read next; None when none waits."""
        request = jobs_pb2.ClaimJobPageRequest(worker=self._worker)
        with _as_recognizer():
            response = await self._jobs.ClaimJobPage(request, timeout=_CALL_S)
        return response.page if response.HasField("page") else None

    async def renew(self, claimed: jobs_pb2.ClaimedJobPage) -> None:
        """Renew the lease of a page."""
        request = jobs_pb2.RenewJobPageRequest(
            job_id=claimed.job_id, position=claimed.position, fence=claimed.fence
        )
        with _as_recognizer(claimed):
            await self._jobs.RenewJobPage(request, timeout=_CALL_S)

    async def end(
        self,
        claimed: jobs_pb2.ClaimedJobPage,
        page_id: str,
        outcome: jobs_pb2.JobPageReading | Failure | None,
    ) -> jobs_pb2.Job:
        """Record the outcome of an attempt and return the job; None: the page was read before."""
        request = jobs_pb2.EndJobPageRequest(
            job_id=claimed.job_id, position=claimed.position, fence=claimed.fence, page_id=page_id
        )
        if isinstance(outcome, Failure):
            error = jobs_pb2.JobPageError(code=outcome.code, detail=outcome.detail)
            failure = jobs_pb2.JobPageFailure(
                error=error, retry=outcome.retry, retry_seconds=outcome.pause_s, counts=outcome.counts
            )
            request.failure.CopyFrom(failure)
        elif outcome is not None:
            request.reading.CopyFrom(outcome)
        with _as_recognizer(claimed):
            return (await self._jobs.EndJobPage(request, timeout=_END_S)).job

    async def sweep(self) -> int:
        """Return abandoned pages to the queue; return the number of pages that wait."""
        with _as_recognizer():
            response = await self._jobs.SweepJobs(jobs_pb2.SweepJobsRequest(), timeout=2 * _CALL_S)
        return response.waiting_pages

    async def download_document(self, claimed: jobs_pb2.ClaimedJobPage, target: Path) -> None:
        """Write the document of a job to a file; its digest is verified before the last chunk arrives."""
        request = jobs_pb2.DownloadDocumentRequest(job_id=claimed.job_id)
        with _as_recognizer(claimed), target.open("wb") as file:
            async for message in self._jobs.DownloadDocument(request, timeout=_STORE_S):
                file.write(message.chunk)

    async def create_page(
        self, claimed: jobs_pb2.ClaimedJobPage, header: pages_pb2.CreatePageHeader, image: Path
    ) -> pages_pb2.CreatePageResponse:
        """Store an image as a page; the response names the model to read it with."""
        messages = _file_messages(pages_pb2.CreatePageRequest, header, image)
        with _as_recognizer(claimed):
            return await self._pages.CreatePage(messages, timeout=_STORE_S)

    async def replace_image(
        self, claimed: jobs_pb2.ClaimedJobPage, header: pages_pb2.ReplaceImageHeader, image: Path
    ) -> pages_pb2.Page:
        """Replace the image of a page that was not read yet; return the page."""
        messages = _file_messages(pages_pb2.ReplaceImageRequest, header, image)
        with _as_recognizer(claimed):
            return (await self._pages.ReplaceImage(messages, timeout=_STORE_S)).page

    async def download_image(
        self, claimed: jobs_pb2.ClaimedJobPage, page_id: str, target: Path
    ) -> pages_pb2.DownloadImageHeader:
        """Write the image of a stored page to a file; the header names the model to read it with."""
        request = pages_pb2.DownloadImageRequest(
            project_id=claimed.project_id, page_id=page_id, model_version=claimed.model_version
        )
        header = pages_pb2.DownloadImageHeader()
        with _as_recognizer(claimed), target.open("wb") as file:
            async for message in self._pages.DownloadImage(request, timeout=_STORE_S):
                if message.HasField("header"):
                    header = message.header
                file.write(message.chunk)
        return header

    async def recognize(
        self, claimed: jobs_pb2.ClaimedJobPage, header: recognizer_pb2.RecognizePageHeader, image: Path
    ) -> recognizer_pb2.RecognizePageResponse:
        """Read an image. Unavailable: the model was tainted or retired after the page named it."""
        messages = _file_messages(recognizer_pb2.RecognizePageRequest, header, image)
        try:
            with _as_recognizer(claimed):
                return await self._recognizer.RecognizePage(messages, timeout=self._recognize_s)
        except NotFound as error:
            raise Unavailable(
                "The model of the page was retired in the meantime. The page is read again."
            ) from error


async def _file_messages(
    message: Callable[..., _Message],
    header: Any,  # noqa: ANN401 - the header of any upload
    path: Path,
) -> AsyncIterator[_Message]:
    """Yield the messages of an upload: the header, then the file in chunks of CHUNK_BYTES."""
    yield message(header=header)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield message(chunk=chunk)


@contextmanager
def _as_recognizer(claimed: jobs_pb2.ClaimedJobPage | None = None) -> Iterator[None]:
    """Call as the recognizer, bound to a claimed page if any; raises the call's errors as KetavErrors."""
    recognizer = Identity("recognizer")
    if claimed is not None:
        work = Work(UUID(claimed.job_id), claimed.fence, claimed.position)
        recognizer = Identity("recognizer", UUID(claimed.user_id), work)
    with context.bind(identity=recognizer, request_id=context.request_id()), rpc.raise_ketav_errors():
        yield
