"""Values that options of several commands accept."""

from enum import StrEnum


class Script(StrEnum):
    """Types of writing."""

    MODERN_CURSIVE = "modern_cursive"
    SQUARE = "square"
    SEPHARDI = "sephardi"
    ASHKENAZI = "ashkenazi"
    RASHI = "rashi"


class Layout(StrEnum):
    """Contents of an image."""

    PAGE = "page"
    LINE = "line"


class Format(StrEnum):
    """Formats of an exported page."""

    TXT = "txt"
    JSON = "json"
    ALTO = "alto"
    PAGE = "page"
    HOCR = "hocr"


class ProjectFormat(StrEnum):
    """Formats of an exported project."""

    TXT = "txt"
    JSON = "json"
    ALTO = "alto"
    PAGE = "page"
    HOCR = "hocr"
    TEI = "tei"
    PDF = "pdf"
    IIIF = "iiif"
    DOCX = "docx"


_ONE_FILE = {
    ProjectFormat.TXT: ".txt",
    ProjectFormat.TEI: ".xml",
    ProjectFormat.PDF: ".pdf",
    ProjectFormat.IIIF: ".json",
    ProjectFormat.DOCX: ".docx",
}


def file_suffix(format_: ProjectFormat) -> str:
    """Return the end of the name of an exported project: a document, or a zip with a file for each page."""
    return _ONE_FILE.get(format_, ".zip")


_SUFFIXES = {Format.ALTO: ".alto.xml", Format.PAGE: ".page.xml", Format.HOCR: ".hocr.html"}


def suffix(format_: Format) -> str:
    """Return the end of the name of a file in a format."""
    return _SUFFIXES.get(format_, f".{format_.value}")
