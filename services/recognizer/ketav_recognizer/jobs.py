"""Reads the pages of jobs: claims one after the other, stores it, reads it, and records its outcome."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import jobs_pb2, pages_pb2
from ketav_common import context, tracing
from ketav_common.errors import KetavError, Stale
from ketav_common.images import ImageNormaliser, NormalisedImage
from ketav_common.lease import Lease, LeaseLostError, WorkerStoppingError
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind
from ketav_recognizer import metrics
from ketav_recognizer.jobs_documents import Documents
from ketav_recognizer.jobs_domain import STOPPING, Failure, failure_of
from ketav_recognizer.jobs_registry import JobClient

log = get_logger()

_ENDED: Final = frozenset(
    {
        jobs_pb2.JOB_STATE_SUCCEEDED,
        jobs_pb2.JOB_STATE_PARTLY_FAILED,
        jobs_pb2.JOB_STATE_FAILED,
        jobs_pb2.JOB_STATE_CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts that a worker needs to read pages."""

    client: JobClient
    images: ImageNormaliser
    documents: Documents
    folder: Path
    """Folder of temporary files."""
    heartbeat_s: float
    stop: asyncio.Event
    """Set when the worker is stopping and the pages that it reads have had their time."""


@dataclass
class _Attempt:
    """An attempt to read a claimed page: the path of its image, and the stored page, once it is known."""

    claimed: jobs_pb2.ClaimedJobPage
    dependencies: Dependencies
    image: Path = Path()
    page_id: str = ""
    job: jobs_pb2.Job = field(default_factory=jobs_pb2.Job)

    async def run(self) -> None:
        """Store the page, read it, and record the outcome; raises KetavErrors and OSErrors."""
        with TemporaryDirectory(dir=self.dependencies.folder, ignore_cleanup_errors=True) as folder:
            self.image = Path(folder) / "image"
            await self._run()

    async def _run(self) -> None:
        """Store the page, read it, and record the outcome, with files in the folder of the image."""
        page, model = await self._stored_page()
        self.page_id = page.page_id
        if not self.claimed.page_id and page.state == pages_pb2.PAGE_STATE_READ:
            await self._end(None)  # the user has read it since an earlier attempt has stored it
            return
        detect = self.claimed.detect_turn and _may_be_turned(page)
        header = recognizer_pb2.RecognizePageHeader(
            model=model, layout=page.layout, size_bytes=page.image.size_bytes, detect_turn=detect, batch=True
        )
        reading = await self.dependencies.client.recognize(self.claimed, header, self.image)
        if reading.turn:
            page = await self._turn(page, reading.turn)
        lines = jobs_pb2.JobPageReading(
            model_version=reading.model_version,
            lines=reading.lines,
            image_sha256=page.image.sha256,
            warnings=reading.warnings,
        )
        await self._end(lines)

    async def renew(self, _: None) -> bool:
        """Renew the lease; the cancellation of a job does not stop a page that is being read."""
        await self.dependencies.client.renew(self.claimed)
        return False

    async def _stored_page(self) -> tuple[pages_pb2.Page, page_pb2.Model]:
        """Return the page, its image downloaded, and the model; store a page of a document first."""
        client = self.dependencies.client
        if self.claimed.page_id:
            header = await client.download_image(self.claimed, self.claimed.page_id, self.image)
            return header.page, header.model
        document = await self.dependencies.documents.path(self.claimed)
        normalised = await self.dependencies.images.normalise(
            document, self.image, page=self.claimed.position - 1, turn=self.claimed.turn
        )
        created = await client.create_page(self.claimed, self._header(normalised), normalised.path)
        page = created.page
        if list(page.image.normalised) != list(normalised.normalised):
            # An earlier attempt has turned the stored image, and did not record its reading.
            await client.download_image(self.claimed, page.page_id, self.image)
        return page, created.model

    def _header(self, image: NormalisedImage) -> pages_pb2.CreatePageHeader:
        """Return the header of a page of the document; a repetition gets the page of the first attempt."""
        claimed = self.claimed
        return pages_pb2.CreatePageHeader(
            project_id=claimed.project_id,
            layout=claimed.layout,
            image=_described(image),
            request_id=f"job:{claimed.job_id}:{claimed.position}",
            request_sha256=claimed.document_sha256,
            model_version=claimed.model_version,
            fixed_rotation=not claimed.detect_turn,
        )

    async def _turn(self, page: pages_pb2.Page, degrees: int) -> pages_pb2.Page:
        """Store the image of the page turned clockwise, as the recognizer has read it; return the page."""
        turned = await self.dependencies.images.normalise(
            self.image, self.image.with_name("turned"), turn=degrees
        )
        described = _described(turned)
        described.normalised[:] = [*page.image.normalised, *turned.normalised]
        described.warnings[:] = page.image.warnings
        header = pages_pb2.ReplaceImageHeader(
            page_id=page.page_id, image=described, former_sha256=page.image.sha256
        )
        return await self.dependencies.client.replace_image(self.claimed, header, turned.path)

    async def _end(self, outcome: jobs_pb2.JobPageReading | None) -> None:
        """Record that the page is read."""
        self.job = await self.dependencies.client.end(self.claimed, self.page_id, outcome)


def _may_be_turned(page: pages_pb2.Page) -> bool:
    """Return whether a reading may turn a page: its user has given no rotation, and it was not read yet."""
    return page.state == pages_pb2.PAGE_STATE_STORED and not page.fixed_rotation


def _described(image: NormalisedImage) -> page_pb2.Image:
    """Return what the registry is sent about an image."""
    return page_pb2.Image(
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        size_bytes=image.size_bytes,
        normalised=image.normalised,
        warnings=image.warnings,
    )


async def read_job_page(claimed: jobs_pb2.ClaimedJobPage, *, dependencies: Dependencies) -> bool:
    """Read a claimed page under its lease; return False when no service could, and the worker must pause."""
    headers = tracing.headers_to_continue(claimed.traceparent)
    with (
        tracing.span("read job page", SpanKind.CONSUMER, headers=headers),
        context.bind(request_id=f"job-{claimed.job_id}"),
    ):
        attempt = _Attempt(claimed, dependencies)
        failure = await _failure_of_attempt(attempt)
        outcome = "read" if failure is None else failure.code
        log.info("job_page_ended", job_id=claimed.job_id, position=claimed.position, outcome=outcome)
    metrics.JOB_PAGES.labels("read" if failure is None else "retried" if failure.retry else "failed").inc()
    if attempt.job.state in _ENDED:
        dependencies.documents.drop(claimed.job_id)
    return failure is None or failure.counts


async def _failure_of_attempt(attempt: _Attempt) -> Failure | None:
    """Run an attempt under its lease and record why it failed; None when it has read the page."""
    claimed, dependencies = attempt.claimed, attempt.dependencies
    lease = Lease(
        attempt.renew,
        None,
        lease_s=claimed.lease_seconds,
        interval_s=min(dependencies.heartbeat_s, claimed.lease_seconds / 3),
        job_id=claimed.job_id,
    )
    try:
        async with lease:
            await lease.guard(attempt.run(), dependencies.stop)
            return None
    except (LeaseLostError, Stale):
        return Failure("lease-lost", "Another worker has claimed the page.", retry=True)
    except WorkerStoppingError:
        failure = STOPPING
    except KetavError as error:
        failure = failure_of(error)
    except Exception as error:
        log.exception("job_page_crashed", job_id=claimed.job_id, position=claimed.position)
        failure = failure_of(error)
    with suppress(KetavError):  # otherwise the lease runs out and a sweep returns the page
        attempt.job = await dependencies.client.end(claimed, attempt.page_id, failure)
    return failure
