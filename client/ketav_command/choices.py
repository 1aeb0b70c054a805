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


_SUFFIXES = {Format.ALTO: ".alto.xml", Format.PAGE: ".page.xml", Format.HOCR: ".hocr.html"}


def suffix(format_: Format) -> str:
    """Return the end of the name of a file in a format."""
    return _SUFFIXES.get(format_, f".{format_.value}")
