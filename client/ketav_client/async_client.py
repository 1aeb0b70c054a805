"""The asynchronous client: each operation of the API as a method, as in the synchronous one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx
from httpx_retries import RetryTransport

from ketav_client.call import Call
from ketav_client.client import ACTIVE_JOB_STATES, FINAL_STATES, FOLLOW_S, pauses
from ketav_client.connection import (
    Limits,
    connection_failed,
    http_options,
    request_options,
    result,
    retry,
)
from ketav_client.errors import problem_of
from ketav_client.exports import ExportOptions, creation, file_of
from ketav_client.exports import job_id_of as export_job_id
from ketav_client.generated.client import AsyncOperations
from ketav_client.generated.models import Job, OcrResponse, Page, Project, TrainingRun
from ketav_client.generated.types import UNSET, Unset
from ketav_client.readings import (
    Reading,
    ReadingOptions,
    is_document,
    job_id_of,
    reading_of_job,
    reading_of_page,
    upload,
)
from ketav_client.settings import ClientSettings

T = TypeVar("T")


class AsyncKetav(AsyncOperations):
    """The asynchronous client. Use it in an `async with` statement, or close it."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Open a client, as `Ketav` does."""
        self.settings = ClientSettings.load(url, api_key)
        limits = limits or Limits()
        self._http = httpx.AsyncClient(
            transport=RetryTransport(transport or httpx.AsyncHTTPTransport(), retry(limits)),
            **http_options(self.settings, limits),
        )

    async def __aenter__(self) -> Self:
        """Return the client, which the end of the `async with` statement closes."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections; an exception of the block goes on."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send a request and return what its response says; raises the errors of `Ketav.send`."""
        try:
            response = await self._http.request(call.method, call.path, **request_options(call))
        except httpx.TransportError as error:
            raise connection_failed(self.settings.url, error) from error
        return result(call, response)

    async def download(
        self, call: Call[bytes | Job], path: str | Path, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Write the response of a request to a file, as `Ketav.download` does."""
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            options = request_options(call)
            async with self._http.stream(call.method, call.path, **options) as response:
                if not response.is_success:
                    await response.aread()
                    raise problem_of(response)
                with part.open("wb") as file:
                    async for data in response.aiter_bytes():
                        await asyncio.to_thread(file.write, data)
                        if on_bytes:
                            on_bytes(len(data))
            await asyncio.to_thread(part.replace, target)
        except httpx.TransportError as error:
            raise connection_failed(self.settings.url, error) from error
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def export_to(
        self,
        path: str | Path,
        project_id: str,
        *,
        on_change: Callable[[Job], None] | None = None,
        on_bytes: Callable[[int], None] | None = None,
        **options: Unpack[ExportOptions],
    ) -> None:
        """Export a project to a file, as `Ketav.export_to` does."""
        created = await self.send(creation(project_id, **options))
        async for job in self.follow_job(export_job_id(created)):
            if on_change:
                on_change(job)
        await self.download(file_of(job), path, on_bytes)

    async def read(
        self,
        path: str | Path,
        *,
        idempotency_key: str | None = None,
        on_change: Callable[[Job], None] | None = None,
        **options: Unpack[ReadingOptions],
    ) -> Reading:
        """Read as `Ketav.read` does; `on_change` runs on the event loop, so it must not block it."""
        prefer = "respond-async" if is_document(path) else None
        body = await asyncio.to_thread(upload, path, **options)
        response = await self.run_ocr(body=body, prefer=prefer, idempotency_key=idempotency_key)
        if isinstance(response, OcrResponse):
            return reading_of_page(response)
        async for job in self.follow_job(job_id_of(response)):
            if on_change:
                on_change(job)
        images = [page.image_id for page in job.pages if page.image_id and page.state == "read"]
        return reading_of_job(job, {i: (await self.export(job.project_id, i)).decode() for i in images})

    async def projects(self) -> AsyncIterator[Project]:
        """Yield your projects, newest first."""
        cursor: str | Unset | None = UNSET
        while cursor is not None:
            page = await self.list_projects(cursor=cursor)
            for project in page.projects:
                yield project
            cursor = page.next_cursor

    async def images(self, project_id: str) -> AsyncIterator[Page]:
        """Yield the images of a project, oldest first."""
        cursor: str | Unset | None = UNSET
        while cursor is not None:
            page = await self.get_project(project_id, cursor=cursor)
            for image in page.images:
                yield image
            cursor = page.next_cursor

    async def follow(self, run_id: str) -> AsyncIterator[TrainingRun]:
        """Yield a training run at each change until it has ended."""
        revision = -1
        while True:
            run = await self.get_training(run_id)
            if run.revision != revision:
                revision = run.revision
                yield run
            if run.state in FINAL_STATES:
                return
            await asyncio.sleep(FOLLOW_S)

    async def follow_job(self, job_id: str) -> AsyncIterator[Job]:
        """Yield a job at each change until it has ended."""
        revision = -1
        for pause_s in pauses():
            job = await self.get_job(job_id)
            if job.revision != revision:
                revision = job.revision
                yield job
            if job.state not in ACTIVE_JOB_STATES:
                return
            await asyncio.sleep(pause_s)
