"""The synchronous client: each operation of the API as a method, with repetitions, paging and following."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar, Unpack

import httpx
from httpx_retries import RetryTransport

from ketav_client.call import Call
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
from ketav_client.generated.client import Operations
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
FINAL_STATES = frozenset({"succeeded", "rejected", "failed", "cancelled"})
"""States of a training run that do not change."""
ACTIVE_JOB_STATES = frozenset({"queued", "running"})
"""States of a job that change."""
FOLLOW_S = 2.0
"""Seconds between two requests for the state of a run or a job."""
_FIRST_FOLLOW_S = 0.2
"""Seconds between the first two requests for the state of a job: a small export is written by then."""


def pauses() -> Iterator[float]:
    """Yield the seconds between two requests for the state of a job, each twice the one before."""
    pause_s = _FIRST_FOLLOW_S
    while True:
        yield min(pause_s, FOLLOW_S)
        pause_s *= 2


class ListPage(Protocol):
    """A part of a list with the cursor of the next part."""

    next_cursor: str | None


PageT = TypeVar("PageT", bound=ListPage)


class Ketav(Operations):
    """The synchronous client. Use it in a `with` statement, or close it."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Open a client; without arguments with those of the environment or of the configuration file.

        Raises ConfigurationError if there is no key.
        """
        self.settings = ClientSettings.load(url, api_key)
        limits = limits or Limits()
        self._http = httpx.Client(
            transport=RetryTransport(transport or httpx.HTTPTransport(), retry(limits)),
            **http_options(self.settings, limits),
        )

    def __enter__(self) -> Self:
        """Return the client, which the end of the `with` statement closes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections; an exception of the block goes on."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Send a request and return what its response says.

        Raises ProblemError for an error of the server and ConnectionFailedError if it did not answer.
        """
        try:
            response = self._http.request(call.method, call.path, **request_options(call))
        except httpx.TransportError as error:
            raise connection_failed(self.settings.url, error) from error
        return result(call, response)

    def download(
        self, call: Call[bytes | Job], path: str | Path, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Write the response of a request to a file, which is there when it is whole; raises as `send` does.

        `on_bytes` gets the size of each part.
        """
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            options = request_options(call)
            with self._http.stream(call.method, call.path, **options) as response, part.open("wb") as file:
                if not response.is_success:
                    response.read()
                    raise problem_of(response)
                for data in response.iter_bytes():
                    file.write(data)
                    if on_bytes:
                        on_bytes(len(data))
            part.replace(target)
        except httpx.TransportError as error:
            raise connection_failed(self.settings.url, error) from error
        finally:
            part.unlink(missing_ok=True)

    def read(
        self,
        path: str | Path,
        *,
        idempotency_key: str | None = None,
        on_change: Callable[[Job], None] | None = None,
        **options: Unpack[ReadingOptions],
    ) -> Reading:
        """Read an image, a TIFF or a PDF; without `project_id` a new project gets its pages.

        A job reads TIFF and PDF, of up to 300 pages; `on_change` gets it at each change. A page that failed
        or was cancelled has an `error` and no text, and raises nothing. OSError: the file cannot be read.
        KetavError: the server read a document without a job. The errors of `send`.
        """
        prefer = "respond-async" if is_document(path) else None
        body = upload(path, **options)
        response = self.run_ocr(body=body, prefer=prefer, idempotency_key=idempotency_key)
        if isinstance(response, OcrResponse):
            return reading_of_page(response)
        for job in self.follow_job(job_id_of(response)):
            if on_change:
                on_change(job)
        images = [page.image_id for page in job.pages if page.image_id and page.state == "read"]
        return reading_of_job(job, {i: self.export(job.project_id, i).decode() for i in images})

    def export_to(
        self,
        path: str | Path,
        project_id: str,
        *,
        on_change: Callable[[Job], None] | None = None,
        on_bytes: Callable[[int], None] | None = None,
        **options: Unpack[ExportOptions],
    ) -> None:
        """Export a project, or images of it, to a file, which is there when it is whole.

        A job writes the export; `on_change` gets it at each change, `on_bytes` the size of each part of the
        file. KetavError: the export failed or was cancelled. The errors of `send`.
        """
        for job in self.follow_job(export_job_id(self.send(creation(project_id, **options)))):
            if on_change:
                on_change(job)
        self.download(file_of(job), path, on_bytes)

    def projects(self) -> Iterator[Project]:
        """Yield your projects, newest first."""
        for page in self._pages(lambda cursor: self.list_projects(cursor=cursor)):
            yield from page.projects

    def images(self, project_id: str) -> Iterator[Page]:
        """Yield the images of a project, oldest first."""
        for page in self._pages(lambda cursor: self.get_project(project_id, cursor=cursor)):
            yield from page.images

    def runs(self) -> Iterator[TrainingRun]:
        """Yield your training runs, newest first."""
        for page in self._pages(lambda cursor: self.list_training(cursor=cursor)):
            yield from page.runs

    def _pages(self, fetch: Callable[[str | Unset], PageT]) -> Iterator[PageT]:
        """Yield the parts of a list until one has no cursor of the next."""
        page = fetch(UNSET)
        yield page
        while page.next_cursor:
            page = fetch(page.next_cursor)
            yield page

    def follow(self, run_id: str) -> Iterator[TrainingRun]:
        """Yield a training run at each change until it has ended."""
        revision = -1
        while True:
            run = self.get_training(run_id)
            if run.revision != revision:
                revision = run.revision
                yield run
            if run.state in FINAL_STATES:
                return
            time.sleep(FOLLOW_S)

    def follow_job(self, job_id: str) -> Iterator[Job]:
        """Yield a job at each change until it has ended."""
        revision = -1
        for pause_s in pauses():
            job = self.get_job(job_id)
            if job.revision != revision:
                revision = job.revision
                yield job
            if job.state not in ACTIVE_JOB_STATES:
                return
            time.sleep(pause_s)
