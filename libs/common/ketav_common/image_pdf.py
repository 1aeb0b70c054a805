"""Pages of PDFs, drawn by PDFium, and the images on them that are damaged.

Imported by the decoding child alone; pypdfium2 is imported with the first PDF.
"""

import io
import zlib
from itertools import islice
from typing import Any, Final

from PIL import Image

from ketav_common.image_refusals import Refused, check_size
from ketav_common.limits import MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE_PIXELS

_PDF_DPI: Final = 300
_POINTS_PER_INCH: Final = 72
_NO_ERROR: Final = 0
"""PDFium's error code for a document that it has loaded and that has no pages (fpdfview.h)."""
_ENCRYPTED: Final = {4, 5}
"""PDFium's error codes for a wrong password and for an unknown security handler."""
_MAX_IMAGES: Final = 64
"""Images of a page that are examined: scans have one to three."""
_CHUNK_BYTES: Final = 1 << 20
"""Bytes that are decompressed at a time; they are not kept."""
_JPEG_END: Final = b"\xff\xd9"
_JPEG_TAIL_BYTES: Final = 16
"""Last bytes of a JPEG among which its end marker is: some writers append a few."""


def open_pdf(data: bytes) -> Any:  # noqa: ANN401 - pypdfium2 is untyped
    """Return an open PDF; raises Refused for one that is encrypted, broken or has no page."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _NO_ERROR:
            raise empty_pdf() from error
        if error.err_code in _ENCRYPTED:
            raise Refused(
                "encrypted-pdf", "The PDF is encrypted. Save it without a password and send it again."
            ) from error
        raise broken_pdf() from error
    if not len(document):
        document.close()
        raise empty_pdf()
    return document


def empty_pdf() -> Refused:
    """Return the refusal of a PDF without pages."""
    return Refused("empty-pdf", "The PDF has no pages. Send a PDF with at least one page.")


def broken_pdf() -> Refused:
    """Return the refusal of a PDF that cannot be parsed or drawn."""
    return Refused(
        "broken-pdf", "The PDF is damaged and cannot be read. Save it again and send the new file."
    )


def render_pdf_page(data: bytes, page: int) -> tuple[Image.Image, list[str]]:
    """Draw a page of a PDF, from 0, at 300 dpi, or at fewer where it would have too many pixels.

    Returns the codes of its warnings, too. Refused broken-pdf: an image of it is damaged, and nothing else is
    on it.
    """
    import pypdfium2

    with open_pdf(data) as document:
        try:
            drawn = document[page]
            width, height = drawn.get_size()
            if not (width > 0 and height > 0):
                raise broken_pdf()
            scale = min(
                _PDF_DPI / _POINTS_PER_INCH,
                (0.99 * MAX_IMAGE_PIXELS / (width * height)) ** 0.5,
                (MAX_IMAGE_SIDE_PIXELS - 1) / max(width, height),
            )
            check_size(int(width * scale) + 1, int(height * scale) + 1)
            image: Image.Image = drawn.render(scale=scale).to_pil().convert("RGB")
            is_damaged = _has_damaged_image(drawn)
        except pypdfium2.PdfiumError as error:
            raise broken_pdf() from error
    if is_damaged and all(lowest == highest for lowest, highest in image.getextrema()):  # type: ignore[misc]
        raise broken_pdf()
    return image, ["damaged-image"] if is_damaged else []


def _has_damaged_image(page: Any) -> bool:  # noqa: ANN401 - pypdfium2 is untyped
    """Return whether an image on a page of a PDF is damaged: PDFium draws what it decodes of it."""
    import pypdfium2

    images = page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    for image in islice(images, _MAX_IMAGES):
        filters = image.get_filters()
        try:
            if filters == ["FlateDecode"]:
                is_whole = _is_inflatable(image.get_data(decode_simple=False))
            elif filters and filters[-1] == "DCTDecode":
                is_whole = _is_whole_jpeg(bytes(image.get_data(decode_simple=True)))
            else:
                is_whole = image.get_bitmap() is not None
        except pypdfium2.PdfiumError:
            is_whole = False
        if not is_whole:
            return True
    return False


def _is_inflatable(data: Any) -> bool:  # noqa: ANN401 - a buffer of ctypes
    """Return whether a zlib stream is whole."""
    stream, rest = zlib.decompressobj(), bytes(data)
    try:
        while rest and not stream.eof:
            stream.decompress(rest, _CHUNK_BYTES)
            rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def _is_whole_jpeg(data: bytes) -> bool:
    """Return whether a JPEG has its end marker and is decoded, at an eighth of its size, which is faster."""
    if _JPEG_END not in data.rstrip(b"\0\r\n ")[-_JPEG_TAIL_BYTES:]:
        return False
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.draft(image.mode, (image.width // 8, image.height // 8))
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True
