"""The file that an export job has written."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, cast

from fastapi import APIRouter, Request, Response

from ketav.registry.v1 import jobs_pb2
from ketav_common.errors import NotFound
from ketav_gateway.http import files
from ketav_gateway.http.addresses import HEAD
from ketav_gateway.http.dependencies import Components, Gateway, UserId
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.jobs import usecases
from ketav_gateway.jobs.routes import JobId
from ketav_gateway.pages import streams
from ketav_gateway.services import stream

router = APIRouter(tags=["jobs"])

_CONTENT: dict[str, Any] = {"application/pdf": {}, streams.ARCHIVE_MEDIA_TYPE: {}}
"""Media types of two formats; the others have those of a request that waits."""
_FILE: Responses = {
    200: {"description": "The file.", "content": _CONTENT},
    206: {"description": "A part of it.", "content": _CONTENT},
    304: {"description": "The client has the file already."},
}
_EXPIRED = (
    "The export has no file: it is not written yet, has failed, or was removed after 24 hours or because "
    "data of the project was deleted. Look at GET /jobs/JOB_ID, or start the export again."
)


@router.get(
    "/jobs/{job_id}/export",
    response_class=Response,
    responses=responses("not-found", "export-expired", "data-loss", "range-not-satisfiable", more=_FILE),
    openapi_extra={CURL_ARGUMENTS: ["-o export"]},
    summary="Download what an export job has written",
)
async def get_job_export(request: Request, gateway: Gateway, user_id: UserId, job_id: JobId) -> Response:
    """Return the file of an export job that has succeeded, for 24 hours after its end.

    Its ETag is the SHA-256. `If-None-Match` gets 304, `Range` one part of the file. A deletion in the project
    removes the file before.
    """
    job = await usecases.get_job(gateway.services, job_id, pages=False)
    if not job.HasField("export"):
        raise NotFound
    if not job.export.sha256:
        raise NotFound(_EXPIRED, code="export-expired")
    etag, size = f'"{job.export.sha256.hex()}"', job.export.size_bytes
    if files.is_known(request, etag):
        return files.not_modified(etag, files.REVALIDATED)
    kind = cast("streams.Format", job.export.format)
    headers = {
        "Content-Disposition": f'attachment; filename="{job.project_id}.{streams.extension(kind)}"',
        "ETag": etag,
        "Cache-Control": files.REVALIDATED,
        "Vary": files.VARY,
    }
    media_type = streams.media_type(kind)
    if HEAD in request.scope:
        return files.described(size, media_type, headers)
    part = files.requested_part(request, etag, size)
    async with AsyncExitStack() as stack:
        stack.enter_context(gateway.exports.acquire(user_id))
        chunks = await _download(gateway, job_id, part, stack)
        return files.stream_response(
            streams.closing(chunks, stack.pop_all()),
            part=part,
            size=size,
            media_type=media_type,
            headers=headers,
        )


async def _download(
    gateway: Components, job_id: str, part: files.Part | None, stack: AsyncExitStack
) -> AsyncIterator[bytes]:
    """Return the chunks of a file or a part; an error before the first one is a problem document."""
    services = gateway.services
    message = jobs_pb2.DownloadExportRequest(job_id=job_id)
    if part is not None:
        message.offset, message.length = part.start, part.length
    parts = stream(services.jobs.DownloadExport, message, services.deadlines.watch_s)
    await stack.enter_async_context(aclosing(parts))
    first = await anext(parts, None)

    async def chunks() -> AsyncIterator[bytes]:
        """Yield the first chunk and the others."""
        if first is not None:
            yield first.chunk
        async for message in parts:
            yield message.chunk

    return chunks()
