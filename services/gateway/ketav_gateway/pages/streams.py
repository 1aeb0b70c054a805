"""Exports of a project, or of some of its pages: one document, or an archive with a file for each page.

They are written as a stream, so memory and disk hold a few pages and one image at a time.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast, get_args

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from ketav.registry.v1 import accounts_pb2, pages_pb2, projects_pb2
from ketav_common.errors import InvalidInput, TimedOut, Unavailable
from ketav_common.images import ImageNormaliser
from ketav_common.limits import MAX_DIRECT_EXPORT_PAGES
from ketav_gateway.http.dependencies import Components
from ketav_gateway.pages import documents
from ketav_gateway.pages import exports as page_exports
from ketav_gateway.pages.convert import page as page_of
from ketav_gateway.pages.pairs import pairs
from ketav_gateway.pages.schemas import Page
from ketav_gateway.services import Services, call, download_image, stream

Format = Literal["txt", "json", "alto", "page", "hocr", "tei", "pdf", "iiif", "docx", "pairs"]
FORMATS: tuple[Format, ...] = get_args(Format)
ARCHIVE_MEDIA_TYPE = "application/zip"
_ARCHIVED: dict[str, page_exports.Format] = {"json": "json", "alto": "alto", "page": "page", "hocr": "hocr"}
"""Formats of which each page has a file of its own, in an archive."""
_PAGES_PER_CALL = 8
"""Pages that are in memory at once, and that the registry sends within one deadline."""


@dataclass(frozen=True)
class Selection:
    """The pages to export: all of a project, or those with these ids in this order; with their images or not.

    Images are added to archives only.
    """

    project_id: str
    image_ids: Sequence[str] = ()
    images: bool = False
    name: str = ""
    """Name of the file without its extension; empty: the id of the project."""


@dataclass(frozen=True)
class DocumentUrls:
    """The URL of a document, and that of the API without a slash at the end."""

    document: str
    api: str


def urls_of(request: Request) -> DocumentUrls:
    """Return the URLs of the document that a request names."""
    return DocumentUrls(str(request.url), str(request.base_url).rstrip("/"))


async def project_name(services: Services, project_id: str, max_pages: int = 0) -> str:
    """Return the name of a project of the caller; raises NotFound.

    With `max_pages` InvalidInput export-needs-job: the project has more pages.
    """
    request = projects_pb2.GetProjectRequest(
        project_id=project_id, limit=max_pages or 1, without_transcriptions=True
    )
    name = None
    async for message in stream(services.projects.GetProject, request, services.deadlines.store_s):
        if message.HasField("project"):
            name = message.project.name
        elif max_pages and message.HasField("next_cursor"):
            raise InvalidInput(
                f"The project has more than {max_pages} images. Send the header Prefer: respond-async: a job "
                "exports it. Or select at most 100 images with image_id.",
                code="export-needs-job",
            )
    if name is None:
        raise Unavailable("The registry sent a project without its record. Retry later.")
    return name


async def record_export(services: Services, project_id: str, kind: str) -> None:
    """Write an export of a project, or of pages of it, into the caller's audit log; raises NotFound."""
    request = accounts_pb2.RecordExportRequest(project_id=project_id, format=kind)
    await call(services.accounts.RecordExport, request, services.deadlines.short_s)


async def pages_of(services: Services, selection: Selection, deadline: float) -> AsyncGenerator[Page, None]:
    """Yield the selected pages, oldest first, or in the order of their ids; `deadline` is a monotonic time.

    NotFound: the project does not have one of the pages. TimedOut: the time of the export is over.
    """
    if selection.image_ids:
        for image_id in selection.image_ids:
            _check_time(deadline)
            request = pages_pb2.GetPageRequest(project_id=selection.project_id, page_id=image_id)
            response = await call(services.pages.GetPage, request, services.deadlines.short_s)
            yield page_of(response.page)
        return
    cursor: str | None = ""
    while cursor is not None:
        _check_time(deadline)
        part = projects_pb2.GetProjectRequest(
            project_id=selection.project_id, cursor=cursor, limit=_PAGES_PER_CALL
        )
        cursor = None
        pages = []
        async for message in stream(services.projects.GetProject, part, services.deadlines.store_s):
            if message.HasField("page"):
                pages.append(page_of(message.page))
            elif message.HasField("next_cursor"):
                cursor = message.next_cursor
        for page in pages:
            yield page


def _check_time(deadline: float) -> None:
    """Raise TimedOut when the time of the export is over."""
    if time.monotonic() > deadline:
        raise TimedOut("The export takes too long. Export some of its images with image_id.")


def media_type(kind: Format) -> str:
    """Return the media type of an export."""
    if kind in _ARCHIVED or kind == "pairs":
        return ARCHIVE_MEDIA_TYPE
    return documents.MEDIA_TYPES.get(kind, page_exports.FORMATS["txt"][0])


def extension(kind: Format) -> str:
    """Return the extension of an export's file name."""
    if kind in _ARCHIVED or kind == "pairs":
        return "zip"
    return documents.EXTENSIONS.get(kind, "txt")


async def response(
    kind: Format, selection: Selection, request: Request, gateway: Components, user_id: str
) -> Response:
    """Return the response that streams an export; what can be refused is refused before its first byte.

    NotFound: no such project, or it does not have one of the images. RateLimited, Unavailable: too many
    exports run. InvalidInput export-needs-job: the project has too many images.
    """
    services, settings = gateway.services, gateway.settings
    async with AsyncExitStack() as stack:
        stack.enter_context(gateway.exports.acquire(user_id))
        max_pages = 0 if selection.image_ids else MAX_DIRECT_EXPORT_PAGES
        title = await project_name(services, selection.project_id, max_pages)
        folder = Path(stack.enter_context(TemporaryDirectory(dir=settings.spool_dir)))
        pages = pages_of(services, selection, time.monotonic() + settings.export_timeout_s)
        await stack.enter_async_context(aclosing(pages))
        source = source_of(services, title, await started(pages), urls_of(request), folder)
        await record_export(services, selection.project_id, kind)
        name = f"{selection.name or selection.project_id}.{extension(kind)}"
        return StreamingResponse(
            closing(write(kind, source, selection, gateway.images), stack.pop_all()),
            media_type=media_type(kind),
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


async def started(pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    """Return an iterator whose first page has been read: an error of the first is a problem document."""
    first = await anext(pages, None)

    async def others() -> AsyncIterator[Page]:
        """Yield the first page and the others."""
        if first is not None:
            yield first
        async for page in pages:
            yield page

    return others()


def source_of(
    services: Services, title: str, pages: AsyncIterator[Page], urls: DocumentUrls, folder: Path
) -> documents.Source:
    """Return the parts of a document; `folder` is for temporary files."""
    fetch_image = _downloads(services, folder)
    return documents.Source(title, pages, fetch_image, urls.document, urls.api, folder)


def _downloads(services: Services, folder: Path) -> documents.FetchImage:
    """Return a function that downloads the image of a page into a folder."""

    async def fetch_image(page: Page) -> Path:
        """Download an image and return its file."""
        await download_image(services, page.project_id, page.image_id, folder / "image")
        return folder / "image"

    return fetch_image


async def closing(chunks: AsyncIterator[bytes], stack: AsyncExitStack) -> AsyncIterator[bytes]:
    """Yield chunks and close what they were made from."""
    async with stack:
        async for chunk in chunks:
            yield chunk


def write(
    kind: Format, source: documents.Source, selection: Selection, images: ImageNormaliser
) -> AsyncIterator[bytes]:
    """Return the chunks of an export."""
    if kind == "pairs":
        return pairs(source, images)
    if kind in _ARCHIVED:
        return _archive(_ARCHIVED[kind], source, with_images=selection.images)
    if kind == "txt":
        return documents.plain_text(source)
    return documents.document(cast("documents.DocumentFormat", kind), source)


async def _archive(
    kind: page_exports.Format, source: documents.Source, *, with_images: bool
) -> AsyncIterator[bytes]:
    """Yield a zip with a file for each page, and its image if wanted; an import takes it as it is."""
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    _, write = page_exports.FORMATS[kind]
    async for page in source.pages:
        archive.add(write(page), f"{page.image_id}.{page_exports.EXTENSIONS[kind]}")
        if with_images:
            path = await source.fetch_image(page)
            name = page_exports.image_name(page.image_id, page.image.media_type)
            archive.add_path(str(path), name, compress_type=ZIP_STORED)
        for chunk in archive.all_files():
            yield chunk
    for chunk in archive.finalize():
        yield chunk
