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


def may_have_pages(head: bytes) -> bool:
    """Return whether a file with these first bytes can have several pages."""
    return head.startswith(tuple(signature for signature, _ in DOCUMENT_SIGNATURES))
