"""Signatures of the files that can have several pages, for the service and for its decoding child."""

from typing import Final

DOCUMENT_SIGNATURES: Final = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),  # BigTIFF
    (b"MM\x00+", "TIFF"),
    (b"%PDF-", "PDF"),
)
"""First bytes of a file, and the name of its type."""


HEAD_BYTES: Final = 1024
"""First bytes of a file in which its type is sought: readers of PDF accept other bytes before its header,
such as a byte order mark or the headers of a mail."""
_PDF: Final = b"%PDF-"


def may_have_pages(head: bytes) -> bool:
    """Return whether a file with these first HEAD_BYTES can have several pages."""
    return has_pdf_header(head) or head.startswith(tuple(signature for signature, _ in DOCUMENT_SIGNATURES))


def has_pdf_header(head: bytes) -> bool:
    """Return whether the first HEAD_BYTES of a file have the header of a PDF."""
    return _PDF in head[:HEAD_BYTES]
