"""Documents of one or many pages, written as streams: memory holds one page at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from zipstream import ZIP_DEFLATED, ZipStream

from ketav_gateway.pages import docx, iiif, tei
from ketav_gateway.pages.exports import to_txt
from ketav_gateway.pages.pdf import PdfWriter
from ketav_gateway.pages.schemas import Page

DocumentFormat = Literal["tei", "pdf", "iiif", "docx"]
DOCUMENT_FORMATS: tuple[DocumentFormat, ...] = get_args(DocumentFormat)
MEDIA_TYPES: dict[str, str] = {
    "tei": tei.MEDIA_TYPE,
    "pdf": "application/pdf",
    "iiif": iiif.MEDIA_TYPE,
    "docx": docx.MEDIA_TYPE,
}
EXTENSIONS: dict[str, str] = {"tei": "tei.xml", "pdf": "pdf", "iiif": "manifest.json", "docx": "docx"}

FetchImage = Callable[[Page], Awaitable[Path]]
"""Downloads the image of a page to a file; the next call may overwrite it."""
_BUFFER_BYTES = 256 * 1024


@dataclass(frozen=True)
class Source:
    """The parts of a document: its title, its pages in order, and a way to get their images.

    `address` is that of the document, `base` that of the API, without a slash at the end; `folder` is for
    temporary files.
    """

    title: str
    pages: AsyncIterator[Page]
    fetch_image: FetchImage
    address: str
    base: str
    folder: Path


def example(page: Page) -> dict[str, str]:
    """Return a document of a page for the description, by its media type; that of a PDF needs an image."""
    return {
        tei.MEDIA_TYPE: tei.begin("יומן") + tei.surface(page) + tei.end(),
        iiif.MEDIA_TYPE: iiif.begin("יומן", "https://ketav.example.org/manifest")
        + iiif.canvas(page, 1, "https://ketav.example.org")
        + iiif.end(),
    }


def document(kind: DocumentFormat, source: Source) -> AsyncIterator[bytes]:
    """Return the chunks of a document."""
    writers = {"tei": _tei, "pdf": _pdf, "iiif": _iiif, "docx": _docx}
    return writers[kind](source)


async def plain_text(source: Source) -> AsyncIterator[bytes]:
    """Yield the text of each page, with an empty line between two pages."""
    separator = b""
    async for page in source.pages:
        yield separator + to_txt(page)
        separator = b"\n"


async def _tei(source: Source) -> AsyncIterator[bytes]:
    """Yield a TEI document."""
    yield tei.begin(source.title).encode()
    async for page in source.pages:
        yield tei.surface(page).encode()
    yield tei.end().encode()


async def _iiif(source: Source) -> AsyncIterator[bytes]:
    """Yield a IIIF manifest."""
    yield iiif.begin(source.title, source.address).encode()
    number = 0
    async for page in source.pages:
        number += 1
        yield (",\n" * (number > 1) + iiif.canvas(page, number, source.base)).encode()
    yield iiif.end().encode()


async def linked_manifest(source: Source, address: str) -> AsyncIterator[bytes]:
    """Yield a IIIF manifest whose images are addresses of a link: `address` and the id of the image."""
    yield iiif.begin(source.title, source.address).encode()
    number = 0
    async for page in source.pages:
        number += 1
        file = f"{address}/images/{page.image_id}"
        yield (",\n" * (number > 1) + iiif.canvas(page, number, source.base, file)).encode()
    yield iiif.end().encode()


async def _pdf(source: Source) -> AsyncIterator[bytes]:
    """Yield a searchable PDF."""
    writer = PdfWriter(source.title)
    yield writer.begin()
    async for page in source.pages:
        buffer = b""
        for chunk in writer.page(page, await source.fetch_image(page)):
            buffer += chunk
            if len(buffer) >= _BUFFER_BYTES:
                yield buffer
                buffer = b""
        yield buffer
    for chunk in writer.end():
        yield chunk


async def _docx(source: Source) -> AsyncIterator[bytes]:
    """Yield a DOCX file; its body is a temporary file until the last page is written."""
    body = source.folder / "body.xml"
    with body.open("w", encoding="utf-8") as file:
        file.write(docx.begin())
        number = 0
        async for page in source.pages:
            number += 1
            file.write(docx.paragraphs(page, number))
        file.write(docx.end())
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    for name, content in docx.parts().items():
        archive.add(content.encode(), name)
    archive.add_path(str(body), docx.BODY)
    for chunk in archive.finalize():
        yield chunk
