"""Exports in the background: each gateway claims them under a lease and stores what it has written.

The code that writes exports is the gateway's, and so are the rights to read a user's pages: a gateway writes
an export with the identity of the user who has created it (docs/decisions/0016-exports.md).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from ketav.registry.v1 import jobs_pb2
from ketav_common import context, tracing
from ketav_common.disk_room import out_of_room
from ketav_common.errors import (
    DataLoss,
    Forbidden,
    InvalidInput,
    KetavError,
    NotFound,
    Stale,
    TooLarge,
    Unavailable,
)
from ketav_common.identity import Identity, Work
from ketav_common.images import ImageNormaliser
from ketav_common.lease import Lease, LeaseLostError, WorkerStoppingError
from ketav_common.limits import MIB
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind
from ketav_gateway.pages import streams
from ketav_gateway.pages.schemas import Page
from ketav_gateway.services import Services, call, file_messages, upload
from ketav_gateway.settings import GatewaySettings

log = get_logger()

_POLL_S = 5.0
"""Seconds between two claims while nothing waits: this gateway's own exports wake it at once."""
_HEARTBEAT_S = 3.0
"""Seconds between two reports of the progress, which renew the lease, too."""
_RETRY_S = 5
"""Seconds after which an export is tried again: a restarted service answers after about three."""
_FINAL_ERRORS = (DataLoss, Forbidden, InvalidInput, NotFound, TooLarge)
"""Errors that another attempt would meet, too."""
_GATEWAY = Identity("gateway")


async def create_export(
    services: Services, kind: streams.Format, selection: streams.Selection, urls: streams.DocumentUrls
) -> jobs_pb2.Job:
    """Create a job that exports a project; raises NotFound and RateLimited."""
    request = jobs_pb2.CreateExportRequest(
        project_id=selection.project_id,
        format=kind,
        page_ids=selection.image_ids,
        images=selection.images,
        address=urls.document,
        base=urls.api,
    )
    return (await call(services.jobs.CreateExport, request, services.deadlines.short_s)).job


@dataclass(frozen=True)
class _Tools:
    """Parts that an attempt needs to write an export."""

    services: Services
    images: ImageNormaliser
    settings: GatewaySettings


class _Attempt:
    """An attempt to write a claimed export: its identity, and the pages that are written."""

    def __init__(self, claimed: jobs_pb2.ClaimedExport, tools: _Tools) -> None:
        """Take the claim and the tools."""
        self._claimed = claimed
        self._tools = tools
        self._work = Work(UUID(claimed.job_id), claimed.fence)
        self._pages = 0

    @property
    def identity(self) -> Identity:
        """The gateway as the writer of this claim."""
        return Identity("gateway", UUID(self._claimed.user_id), self._work)

    async def run(self) -> None:
        """Write the export to a file as its creator and store it; raises KetavErrors and OSErrors."""
        with TemporaryDirectory(dir=self._tools.settings.spool_dir, ignore_cleanup_errors=True) as name:
            target = Path(name) / "export"
            with context.bind(identity=Identity("user", UUID(self._claimed.creator_id))):
                size_bytes = await self._write(target)
            await self.end(target, size_bytes)

    async def _write(self, target: Path) -> int:
        """Write the export to a file; return its size. TooLarge: it has more bytes than a job may store."""
        claimed, tools = self._claimed, self._tools
        if claimed.format not in streams.FORMATS:
            raise Unavailable("This gateway does not know the format of the export. Update it.")
        kind = claimed.format
        selection = streams.Selection(claimed.project_id, list(claimed.page_ids), claimed.images)
        title = await streams.project_name(tools.services, claimed.project_id)
        deadline = time.monotonic() + tools.settings.export_job_timeout_s
        urls = streams.DocumentUrls(claimed.address, claimed.base)
        async with aclosing(streams.pages_of(tools.services, selection, deadline)) as pages:
            source = streams.source_of(tools.services, title, self._counted(pages), urls, target.parent)
            return await _save(
                streams.write(kind, source, selection, tools.images), target, tools.settings.max_export_bytes
            )

    async def _counted(self, pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
        """Yield pages, and count each when the next one is wanted."""
        async for page in pages:
            yield page
            self._pages += 1

    async def renew(self, _: None) -> bool:
        """Renew the lease and report the progress. Stale: the export has ended, or another gateway has it."""
        request = jobs_pb2.RenewExportRequest(
            job_id=self._claimed.job_id, fence=self._claimed.fence, pages_written=self._pages
        )
        services = self._tools.services
        with context.bind(identity=self.identity), tracing.not_recorded():
            await call(services.jobs.RenewExport, request, services.deadlines.short_s)
        return False

    async def end(
        self, result: Path | None, size_bytes: int = 0, failure: jobs_pb2.JobPageFailure | None = None
    ) -> None:
        """Store the result of so many bytes, or record a failure."""
        header = jobs_pb2.EndExportHeader(
            job_id=self._claimed.job_id,
            fence=self._claimed.fence,
            size_bytes=size_bytes,
            failure=failure,
        )
        messages = (
            file_messages(jobs_pb2.EndExportRequest, header, result) if result else _header_alone(header)
        )
        services = self._tools.services
        with context.bind(identity=self.identity):
            await upload(services.jobs.EndExport, messages, self._tools.settings.export_timeout_s)


async def _header_alone(header: jobs_pb2.EndExportHeader) -> AsyncIterator[jobs_pb2.EndExportRequest]:
    """Yield the message of an export without a result."""
    yield jobs_pb2.EndExportRequest(header=header)


async def _save(chunks: AsyncIterator[bytes], target: Path, max_bytes: int) -> int:
    """Write chunks to a file; return their size. TooLarge: it is more than a job may store."""
    size = 0
    with target.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge(
                    f"The export has more than {max_bytes // MIB:,} MiB. Export some of the images at "
                    "a time, or without the image files.",
                    code="export-too-large",
                )
            await asyncio.to_thread(file.write, chunk)
    return size


def _failure(code: str, detail: str, *, retry: bool = False, counts: bool = True) -> jobs_pb2.JobPageFailure:
    """Return why an attempt failed."""
    error = jobs_pb2.JobPageError(code=code, detail=detail)
    return jobs_pb2.JobPageFailure(error=error, retry=retry, retry_seconds=_RETRY_S, counts=counts)


def _failure_of(error: Exception) -> jobs_pb2.JobPageFailure:
    """Return what an error means for an export: another attempt, which may not count, or its end."""
    if isinstance(error, Unavailable):
        return _failure(error.code, error.detail, retry=True, counts=False)
    if isinstance(error, _FINAL_ERRORS):
        return _failure(error.code, error.detail)
    if isinstance(error, KetavError):
        return _failure(error.code, error.detail, retry=True)
    if (no_room := out_of_room(error)) is not None:
        return _failure(no_room.code, no_room.detail, retry=True)
    detail = "Writing the export failed. Try again later, or export some of the images at a time."
    return _failure("internal", detail, retry=True)


class Exporter:
    """Claims exports and writes them, one after the other, until it is stopped."""

    def __init__(self, services: Services, images: ImageNormaliser, settings: GatewaySettings) -> None:
        """Take what writing needs; `woken` is set when an export was created, which is claimed at once."""
        self._tools = _Tools(services, images, settings)
        self.woken = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more; an export that is being written goes back to the queue."""
        self._stopping.set()
        self.woken.set()

    async def run(self) -> None:
        """Claim and write one export after the other until `stop`."""
        while not self._stopping.is_set():
            self.woken.clear()
            claimed = await self._claim()
            if claimed is not None:
                await self._write(claimed)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), _POLL_S)

    async def _claim(self) -> jobs_pb2.ClaimedExport | None:
        """Claim an export; None when none waits, or the claim failed, which is logged."""
        services = self._tools.services
        try:
            with context.bind(identity=_GATEWAY), tracing.not_recorded():
                request = jobs_pb2.ClaimExportRequest()
                response = await call(services.jobs.ClaimExport, request, services.deadlines.short_s)
        except KetavError as error:
            log.warning("export_not_claimed", code=error.code)
            return None
        except Exception:
            log.exception("export_claim_crashed")
            return None
        return response.export if response.HasField("export") else None

    async def _write(self, claimed: jobs_pb2.ClaimedExport) -> None:
        """Write a claimed export under its lease; record why an attempt failed."""
        headers = tracing.headers_to_continue(claimed.traceparent)
        with (
            tracing.span("write export", SpanKind.CONSUMER, headers=headers),
            context.bind(request_id=f"job-{claimed.job_id}"),
        ):
            failure = await self._attempt(_Attempt(claimed, self._tools), claimed)
            outcome = "written" if failure is None else failure.error.code
            log.info("export_ended", job_id=claimed.job_id, format=claimed.format, outcome=outcome)

    async def _attempt(
        self, attempt: _Attempt, claimed: jobs_pb2.ClaimedExport
    ) -> jobs_pb2.JobPageFailure | None:
        """Run an attempt; return why it failed, None when the export is stored."""
        lease = Lease(
            attempt.renew,
            None,
            lease_s=claimed.lease_seconds,
            interval_s=min(_HEARTBEAT_S, claimed.lease_seconds / 3),
            job_id=claimed.job_id,
        )
        try:
            async with lease:
                await lease.guard(attempt.run(), self._stopping)
                return None
        except (LeaseLostError, Stale):
            return _failure("lease-lost", "The export has ended, or another gateway writes it.")
        except WorkerStoppingError:
            failure = _failure("stopping", "The gateway was stopped.", retry=True, counts=False)
        except KetavError as error:
            failure = _failure_of(error)
        except Exception as error:
            log.exception("export_crashed", job_id=claimed.job_id)
            failure = _failure_of(error)
        with suppress(KetavError):  # otherwise the lease runs out, and a gateway claims the export again
            await attempt.end(None, failure=failure)
        return failure


@asynccontextmanager
async def exporting(
    services: Services, images: ImageNormaliser, settings: GatewaySettings
) -> AsyncIterator[asyncio.Event]:
    """Write exports while the block runs; yield an event that is set when one was created."""
    exporter = Exporter(services, images, settings)
    tasks = [asyncio.create_task(exporter.run()) for _ in range(settings.export_jobs_at_once)]
    try:
        yield exporter.woken
    finally:
        exporter.stop()
        with suppress(TimeoutError):  # the tasks are cancelled then
            await asyncio.wait_for(asyncio.gather(*tasks), settings.call_timeout_s)
