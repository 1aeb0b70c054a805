"""The texts of an import: lines with their geometry, and the text of a line image."""

from dataclasses import dataclass
from typing import NamedTuple

from ketav_common.errors import InvalidInput
from ketav_common.text import stored

Point = tuple[int, int]


class ImportedWord(NamedTuple):
    """A word of a line with the polygon around it, in pixels as written; its text is in stored form."""

    text: str
    boundary: tuple[Point, ...]


@dataclass(frozen=True)
class GroundTruthLine:
    """A line: its number in the document, from 1, geometry in pixels as written, text in stored form."""

    number: int
    baseline: tuple[Point, ...]
    boundary: tuple[Point, ...]
    text: str
    words: tuple[ImportedWord, ...] = ()
    """Its words that have an outline, in the order of the document."""

    @property
    def outline_points(self) -> int:
        """Return the number of points of its geometry without its words."""
        return len(self.baseline) + len(self.boundary)


@dataclass(frozen=True)
class LineRefusal:
    """A line that is skipped: its number in the document, from 1, a stable code, a sentence."""

    number: int
    code: str
    reason: str


@dataclass(frozen=True)
class Document:
    """The text of a page: possible names of its image, the page's size if given, and lines.

    Unless `in_pixels`, size and lines have another unit, and the size of the image gives the scale.
    """

    images: tuple[str, ...]
    size: tuple[int, int] | None
    lines: tuple[GroundTruthLine, ...]
    refusals: tuple[LineRefusal, ...]
    in_pixels: bool = True


def parse_line_text(data: bytes) -> str:
    """Return the text of a .gt.txt file.

    Raises InvalidInput not-utf8, no-text, several-lines, or with a code of `stored`.
    """
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InvalidInput("The text is not UTF-8. Save the file in UTF-8.", code="not-utf8") from error
    if not text:
        raise InvalidInput("The file has no text. Write the text of the line into it.", code="no-text")
    if len(text.splitlines()) > 1:
        raise InvalidInput(
            "The text of one line has line breaks. Remove them, or add an image for each line.",
            code="several-lines",
        )
    return stored(text)
