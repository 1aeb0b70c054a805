"""Pages of a project: shown, downloaded, exported and deleted."""

import hashlib
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ketav.registry.v1 import pages_pb2
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http import files
from ketav_gateway.http.dependencies import Components, Gateway, ImageId, ProjectId
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.pages import convert, exports, schemas
from ketav_gateway.services import call, download_image, image_header

router = APIRouter(prefix="/projects/{project_id}/images/{image_id}", tags=["pages"])

_IMAGE_TYPES = ("image/png", "image/jpeg")
_FILE: Responses = {
    200: {"description": "The image file.", "content": {media_type: {} for media_type in _IMAGE_TYPES}},
    206: {"description": "A part of it.", "content": {media_type: {} for media_type in _IMAGE_TYPES}},
    304: {"description": "The client has the file already."},
}
_EXAMPLE = schemas.Page.model_validate(schemas.PAGE_EXAMPLE)
_EXPORT: Responses = {
    200: {
        "description": "The exported text.",
        "content": {
            media_type: {"example": write(_EXAMPLE).decode()}
            for media_type, write in exports.FORMATS.values()
        },
    },
    304: {"description": "The text is the one that `If-None-Match` names."},
}


async def _get_page(gateway: Components, project_id: str, image_id: str) -> schemas.Page:
    """Return a page of the caller; raises NotFound."""
    request = pages_pb2.GetPageRequest(project_id=project_id, page_id=image_id)
    response = await call(gateway.services.pages.GetPage, request, gateway.services.deadlines.short_s)
    return convert.page(response.page)


@router.get("", responses=responses("not-found"), summary="Show an image with its transcription")
async def get_image(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> schemas.Page:
    """Return an image with its latest transcription and corrections."""
    return await _get_page(gateway, project_id, image_id)


@router.delete("", responses=responses("not-found"), summary="Delete an image")
async def delete_image(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> Erasure:
    """Delete an image with its transcriptions and corrections; model versions trained on it stop serving."""
    request = pages_pb2.DeletePageRequest(project_id=project_id, page_id=image_id)
    response = await call(gateway.services.pages.DeletePage, request, gateway.services.deadlines.store_s)
    return erasure(response.erasure)


@router.get(
    "/file",
    response_class=Response,
    responses=responses("not-found", "no-base-model", "data-loss", "range-not-satisfiable", more=_FILE),
    openapi_extra={CURL_ARGUMENTS: ["-o image"]},
    summary="Download an image file",
)
async def get_file(request: Request, gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> Response:
    """Return the stored image file: upright, without metadata.

    Its ETag is the SHA-256. Once the image has been read, the file never changes; the reading may turn it.
    `If-None-Match` gets 304, `Range` one part of the file.
    """
    if "if-none-match" in request.headers:
        known = await image_header(gateway.services, project_id, image_id)
        if files.is_known(request, _etag(known)):
            return files.not_modified(_etag(known), _cache_control(known))
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir))
        path = Path(folder) / "image"
        header = await download_image(gateway.services, project_id, image_id, path)
        image = header.page.image
        part = files.requested_part(request, _etag(header), image.size_bytes)
        return files.file_response(
            stack.enter_context(path.open("rb")),
            stack.pop_all(),
            part=part,
            size=image.size_bytes,
            media_type=image.media_type if image.media_type in _IMAGE_TYPES else "application/octet-stream",
            headers={
                "Content-Disposition": f'inline; filename="{exports.image_name(image_id, image.media_type)}"',
                "ETag": _etag(header),
                "Cache-Control": _cache_control(header),
                "Vary": files.VARY,
            },
        )


def _cache_control(header: pages_pb2.DownloadImageHeader) -> str:
    """Return how long a client may use an image file: until the first reading, it may still be turned."""
    is_read = header.page.state == pages_pb2.PAGE_STATE_READ
    return files.IMMUTABLE if is_read else files.REVALIDATED


def _etag(header: pages_pb2.DownloadImageHeader) -> str:
    """Return the ETag of an image file."""
    return f'"{header.page.image.sha256.hex()}"'


@router.get(
    "/export",
    response_class=Response,
    responses=responses("not-found", "invalid-input", more=_EXPORT),
    summary="Export the text of an image",
)
async def export(
    request: Request,
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    export_format: Annotated[
        exports.Format, Query(alias="format", description="Plain text, JSON, ALTO 4.4, PAGE XML or hOCR.")
    ] = "txt",
) -> Response:
    """Return the text of a page in logical order; a verified line has its verified text."""
    page = await _get_page(gateway, project_id, image_id)
    media_type, write = exports.FORMATS[export_format]
    filename = f"{image_id}.{exports.EXTENSIONS[export_format]}"
    content = write(page)
    # Weak: the same text may be sent with and without compression.
    etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    if files.is_known(request, etag):
        return files.not_modified(etag, files.REVALIDATED)
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "ETag": etag,
            "Cache-Control": files.REVALIDATED,
            "Vary": files.VARY,
        },
    )
