"""Pages of a project: shown, downloaded, exported and deleted."""

import hashlib
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from ketav.registry.v1 import pages_pb2
from ketav_common import image_crops
from ketav_common.errors import InvalidInput
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http import files
from ketav_gateway.http.addresses import HEAD
from ketav_gateway.http.dependencies import Components, Gateway, ImageId, LinePath, ProjectId, UserId
from ketav_gateway.http.line_images import PageAddress
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.pages import convert, documents, exports, schemas, streams
from ketav_gateway.pages.regions import confident_page
from ketav_gateway.services import call, download_image, image_header

router = APIRouter(prefix="/projects/{project_id}/images/{image_id}", tags=["pages"])

_IMAGE_TYPES = ("image/png", "image/jpeg")
_FILE: Responses = {
    200: {"description": "The image file.", "content": {media_type: {} for media_type in _IMAGE_TYPES}},
    206: {"description": "A part of it.", "content": {media_type: {} for media_type in _IMAGE_TYPES}},
    304: {"description": "The client has the file already."},
}
_PAGE: Responses = {304: {"description": "The image is the one that `If-None-Match` names."}}
_LINE_IMAGE: Responses = {
    200: {"description": "The picture of the line.", "content": {image_crops.MEDIA_TYPE: {}}},
    304: {"description": "The client has the picture already."},
}
_EXAMPLE = schemas.Page.model_validate(schemas.PAGE_EXAMPLE)
_EXPORT: Responses = {
    200: {
        "description": "The exported text.",
        "content": {
            media_type: {"example": write(_EXAMPLE).decode()}
            for media_type, write in exports.FORMATS.values()
        }
        | {media_type: {"example": text} for media_type, text in documents.example(_EXAMPLE).items()}
        | {documents.MEDIA_TYPES["pdf"]: {}},
    },
    304: {"description": "The text is the one that `If-None-Match` names."},
}


async def _get_page(gateway: Components, project_id: str, image_id: str) -> schemas.Page:
    """Return a page of the caller; raises NotFound."""
    request = pages_pb2.GetPageRequest(project_id=project_id, page_id=image_id)
    response = await call(gateway.services.pages.GetPage, request, gateway.services.deadlines.short_s)
    return convert.page(response.page)


@router.get(
    "",
    response_model=schemas.Page,
    responses=responses("not-found", more=_PAGE),
    summary="Show an image with its transcription",
)
async def get_image(
    request: Request, gateway: Gateway, project_id: ProjectId, image_id: ImageId
) -> schemas.Page | Response:
    """Return an image with its latest transcription and corrections.

    `If-None-Match` with the ETag of an earlier response gets 304 while nothing has changed.
    """
    content = (await _get_page(gateway, project_id, image_id)).model_dump_json().encode()
    etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    if files.is_known(request, etag):
        return files.not_modified(etag, files.REVALIDATED)
    headers = {"ETag": etag, "Cache-Control": files.REVALIDATED, "Vary": files.VARY}
    return Response(content, media_type="application/json", headers=headers)


@router.delete("", responses=responses("not-found", "insufficient-role"), summary="Delete an image")
async def delete_image(
    gateway: Gateway, user_id: UserId, project_id: ProjectId, image_id: ImageId
) -> Erasure:
    """Delete an image with its transcriptions and corrections; model versions trained on it stop serving."""
    request = pages_pb2.DeletePageRequest(project_id=project_id, page_id=image_id)
    response = await call(gateway.services.pages.DeletePage, request, gateway.services.deadlines.store_s)
    gateway.line_images.forget(PageAddress(user_id, project_id, image_id))
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
    is_head = HEAD in request.scope
    if is_head or "if-none-match" in request.headers:
        known = await image_header(gateway.services, project_id, image_id)
        if files.is_known(request, _etag(known)):
            return files.not_modified(_etag(known), _cache_control(known))
        if is_head:
            return files.described(known.page.image.size_bytes, _media_type(known), _headers(known))
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir))
        path = Path(folder) / "image"
        header = await download_image(gateway.services, project_id, image_id, path)
        size = header.page.image.size_bytes
        part = files.requested_part(request, _etag(header), size)
        return files.file_response(
            stack.enter_context(path.open("rb")),
            stack.pop_all(),
            part=part,
            size=size,
            media_type=_media_type(header),
            headers=_headers(header),
        )


def _media_type(header: pages_pb2.DownloadImageHeader) -> str:
    """Return the media type of an image file."""
    media_type = header.page.image.media_type
    return media_type if media_type in _IMAGE_TYPES else "application/octet-stream"


def _headers(header: pages_pb2.DownloadImageHeader) -> dict[str, str]:
    """Return the headers of an image file."""
    name = exports.image_name(header.page.page_id, header.page.image.media_type)
    return {
        "Content-Disposition": f'inline; filename="{name}"',
        "ETag": _etag(header),
        "Cache-Control": _cache_control(header),
        "Vary": files.VARY,
    }


def _cache_control(header: pages_pb2.DownloadImageHeader) -> str:
    """Return how long a client may use an image file: until the first reading, it may still be turned."""
    is_read = header.page.state == pages_pb2.PAGE_STATE_READ
    return files.IMMUTABLE if is_read else files.REVALIDATED


def _etag(header: pages_pb2.DownloadImageHeader) -> str:
    """Return the ETag of an image file."""
    return f'"{header.page.image.sha256.hex()}"'


@router.get(
    "/lines/{line_id}/image",
    response_class=Response,
    responses=responses("not-found", "invalid-input", "data-loss", "no-base-model", more=_LINE_IMAGE),
    openapi_extra={CURL_ARGUMENTS: ["-o line.jpg"]},
    summary="Show the picture of a line",
)
async def get_line_image(
    request: Request,
    gateway: Gateway,
    user_id: UserId,
    line: Annotated[LinePath, Depends()],
    height: Annotated[int, Query(description="Height of the picture in pixels.", ge=24, le=400)] = 96,
) -> Response:
    """Return a line of the latest transcription as a JPEG, with a margin around its boundary."""
    address = PageAddress(user_id, line.project_id, line.image_id)
    page = await gateway.line_images.page(gateway.services, address, line.line_id)
    etag = page.etag(line.line_id, height)
    if files.is_known(request, etag):
        return files.not_modified(etag, files.IMMUTABLE)
    picture = await gateway.line_images.get(gateway.services, page, line.line_id, height)
    headers = {"ETag": etag, "Cache-Control": files.IMMUTABLE, "Vary": files.VARY}
    return Response(picture, media_type=image_crops.MEDIA_TYPE, headers=headers)


@router.get(
    "/export",
    response_class=Response,
    responses=responses("not-found", "invalid-input", more=_EXPORT),
    summary="Export the text of an image",
)
async def export(
    request: Request,
    gateway: Gateway,
    user_id: UserId,
    project_id: ProjectId,
    image_id: ImageId,
    export_format: Annotated[
        streams.Format,
        Query(
            alias="format",
            description="Plain text, JSON, ALTO 4.4, PAGE XML, hOCR, TEI, searchable PDF, IIIF manifest, "
            "DOCX, or pairs of verified lines.",
        ),
    ] = "txt",
    min_confidence: Annotated[
        float,
        Query(
            description="Lines of a lower confidence are left out unless they are verified. "
            "For txt, json, alto, page and hocr.",
            ge=0,
            le=1,
        ),
    ] = 0.0,
) -> Response:
    """Return the text of a page in logical order; a verified line has its verified text."""
    if export_format not in exports.FORMATS:
        if min_confidence:
            raise InvalidInput(
                f"The format {export_format} has all lines. Leave min_confidence out, or export txt, json, "
                "alto, page or hocr.",
                code="invalid-input",
                details={"pointer": "min_confidence"},
            )
        selection = streams.Selection(project_id, [image_id], name=image_id)
        return await streams.response(export_format, selection, request, gateway, user_id)
    page = confident_page(await _get_page(gateway, project_id, image_id), min_confidence)
    await streams.record_export(gateway.services, project_id, export_format)
    return _exported(request, page, export_format)


def _exported(request: Request, page: schemas.Page, text_format: exports.Format) -> Response:
    """Return a page in a format, or that the client has it already."""
    media_type, write = exports.FORMATS[text_format]
    filename = f"{page.image_id}.{exports.EXTENSIONS[text_format]}"
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
