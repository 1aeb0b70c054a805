"""PDFs and TIFFs of several pages: every page is stored, then every page is read.

The failure of a page is its own. Pages are read one after the other, so that a document occupies one slot
of the recognizer's queue, as a user does who sends its pages one by one. One deadline bounds the whole.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ketav.registry.v1 import pages_pb2
from ketav_common.errors import InvalidInput, KetavError, TimedOut, TooLarge, UnsupportedMedia
from ketav_common.images import ImageNormaliser
from ketav_common.logging import get_logger
from ketav_gateway.convert import image_warnings
from ketav_gateway.http.idempotency import RequestKey
from ketav_gateway.http.problem_codes import IMAGE_IS_STORED
from ketav_gateway.http.uploads import naming_file
from ketav_gateway.services import Services, download_image
from ketav_gateway.transcriptions import convert, schemas, usecases

log = get_logger()

_IMAGE_ERRORS = (InvalidInput, TooLarge, UnsupportedMedia)
"""Errors that are about one page; others end a request that has not stored anything yet."""


@dataclass(frozen=True)
class DocumentRequest:
    """An upload: its file, form, Idempotency-Key, fingerprint, and the deadline on the loop's clock."""

    path: Path
    size_bytes: int
    form: schemas.OcrForm
    key: str
    sha256: bytes
    deadline_s: float

    def turning(self, images: ImageNormaliser) -> ImageNormaliser | None:
        """Return `images` where pages may be turned by what is read on them, None for a given rotation."""
        return images if self.form.rotate == "auto" else None


@dataclass
class _Page:
    """A page of a document: its position from 0, the response that stored it, and its error."""

    position: int
    stored: pages_pb2.CreatePageResponse | None = None
    error: KetavError | None = None
    read: bool = False

    def fail(self, error: KetavError) -> None:
        """Keep and log the error of the page: the request itself succeeds."""
        self.error = error
        log.warning("document_page_failed", position=self.position, code=error.code)


@dataclass
class Document:
    """A document while it is stored and read; `folder` gets one page at a time."""

    request: DocumentRequest
    services: Services
    images: ImageNormaliser
    folder: Path
    pages: list[_Page] = field(default_factory=list)
    project_id: str = ""

    async def store(self, count: int) -> None:
        """Store the pages as images of one project.

        Raises the first page's error when no page can be stored, and the registry's when it refuses the
        first.
        """
        self.project_id = self.request.form.project_id or ""
        for position in range(count):
            page = _Page(position)
            self.pages.append(page)
            try:
                async with asyncio.timeout_at(self.request.deadline_s):
                    page.stored = await self._store(position)
            except TimeoutError:
                page.fail(
                    TimedOut(
                        "The time for one document is over. Send the request again with its Idempotency-Key "
                        "to continue.",
                        code="out-of-time",
                    )
                )
            except KetavError as error:
                if not isinstance(error, _IMAGE_ERRORS) and not self._stored:
                    raise
                page.fail(error)
            else:
                self.project_id = page.stored.page.project_id
                page.read = page.stored.page.HasField("transcription")
        if not self._stored and self.pages[0].error is not None:
            with naming_file():
                raise self.pages[0].error

    async def read(self) -> None:
        """Read the stored pages one after the other until the deadline."""
        for page in self._stored:
            if page.read or page.stored is None:
                continue
            try:
                async with asyncio.timeout_at(self.request.deadline_s):
                    await self._read(page.stored.page, page.position)
            except TimeoutError:
                names = {"project_id": page.stored.page.project_id, "image_id": page.stored.page.page_id}
                remedy = IMAGE_IS_STORED.format(**names)
                page.fail(TimedOut(f"The time for one document is over. {remedy}", code="out-of-time"))
            except KetavError as error:
                page.fail(error)
            else:
                page.read = True

    def response(self) -> schemas.OcrDocumentResponse:
        """Return the state of each page."""
        return schemas.OcrDocumentResponse(
            project_id=self.project_id, pages=[_page_response(page) for page in self.pages]
        )

    @property
    def _stored(self) -> list[_Page]:
        """Return the pages that are stored."""
        return [page for page in self.pages if page.stored is not None]

    async def _store(self, position: int) -> pages_pb2.CreatePageResponse:
        """Normalise and store one page."""
        form = self.request.form.model_copy(update={"project_id": self.project_id or None})
        image = await self.images.normalise(
            self.request.path, self.folder / "page", page=position, turn=convert.turn(form)
        )
        key = _page_key(self.request.key, position)
        header = convert.create_page_header(form, image, key, self.request.sha256)
        return await usecases.create_page(self.services, header, image.path)

    async def _read(self, page: pages_pb2.Page, position: int) -> None:
        """Read one stored page; waits while the recognizer is overloaded."""
        image = self.folder / "page"
        version = self.request.form.model or ""
        header = await download_image(self.services, page.project_id, page.page_id, image, version)
        images = self.request.turning(self.images)
        key = RequestKey(_page_key(self.request.key, position), self.request.sha256)
        await usecases.read_in_background(self.services, header.page, header.model, image, images, key)
        page.image.warnings[:] = header.page.image.warnings


def _page_key(key: str, position: int) -> str:
    """Return the request id of a page: the Idempotency-Key for the first, one derived from it for others."""
    if not key or position == 0:
        return key
    return f"page:{hashlib.sha256(key.encode()).hexdigest()}:{position}"


def _page_response(page: _Page) -> schemas.DocumentPage:
    """Return the state of a page."""
    error = page.error and schemas.PageError(code=page.error.code, detail=page.error.detail)
    if page.stored is None:
        return schemas.DocumentPage(position=page.position + 1, image_id=None, state="failed", error=error)
    return schemas.DocumentPage(
        position=page.position + 1,
        image_id=page.stored.page.page_id,
        state="read" if page.read else "stored",
        error=error,
        warnings=image_warnings(page.stored.page.image),
    )
